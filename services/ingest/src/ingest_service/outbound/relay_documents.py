"""Every tenant's documents as the index should have them, and pages that are due, by the relay role without content."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from contracts.ids import DocumentId, TenantId
from ingest_service.domain.rebuild_index import ReadyDocument
from runtime.outbox import OutboxRelay
from runtime.tenancy import TenantScope

_IS_DUE: Final = """
    state NOT IN ('ready', 'failed')
    AND coalesce(try_again_at, enqueued_at + interval '30 seconds') < now()
    AND (lease_until IS NULL OR lease_until < now())
    AND NOT EXISTS (SELECT FROM said WHERE said.tenant_id = document.tenant_id AND said.id = document.id)
"""
_TAKE: Final = """
    WITH said AS MATERIALIZED (
        SELECT tenant_id, (convert_from(body, 'UTF8')::jsonb ->> 'document_id')::uuid AS id
        FROM outbox WHERE stream = 'INGEST')
    UPDATE document SET enqueued_at = now(), enqueued = enqueued + 1, try_again_at = NULL
    WHERE (tenant_id, id) IN (
        SELECT tenant_id, id FROM document
        WHERE {is_due} AND (tenant_id, id) IN (
            SELECT tenant_id, id FROM (
                SELECT tenant_id, id, row_number() OVER (
                    PARTITION BY tenant_id
                    ORDER BY coalesce(try_again_at, enqueued_at + interval '30 seconds')) AS place
                FROM document WHERE {is_due}) AS queue
            WHERE place <= 4)
        ORDER BY coalesce(try_again_at, enqueued_at + interval '30 seconds') LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING tenant_id, id, enqueued
"""
UNFINISHED: Final = _TAKE.format(is_due=_IS_DUE)
"""The reconciler's question: what has been due for longest comes first, and of each business no more than its queue
holds, or thousands of waiting documents of one would stand before the lost one of another. One that was put off has no
job in the queue, and is due when its time has come. One whose job waits in the outbox is not lost: were it taken, what
was put off would stand behind all uploads that wait."""
INDEXED = """
    SELECT tenant_id, id, passages, state NOT IN ('ready', 'failed') AS is_read_anew,
        (SELECT p.generation FROM passage AS p WHERE p.tenant_id = d.tenant_id AND p.document_id = d.id LIMIT 1)
            AS generation
    FROM document AS d WHERE (passages > 0 OR state = 'failed') AND state <> 'deleting' ORDER BY tenant_id, id
"""

DUE: Final = """
    WITH due AS (
        SELECT w.tenant_id, w.document_id, w.look_again_at FROM web_page AS w
        WHERE w.look_again_at < now() AND (w.tenant_id, w.document_id) IN (
            SELECT tenant_id, document_id FROM (
                SELECT q.tenant_id, q.document_id, coalesce(t.pages, 0) + row_number() OVER (
                    PARTITION BY q.tenant_id ORDER BY q.look_again_at) AS place
                FROM web_page AS q
                JOIN document AS d
                    ON d.tenant_id = q.tenant_id AND d.id = q.document_id AND d.state IN ('ready', 'failed')
                LEFT JOIN unnest($3::uuid[], $4::bigint[]) AS t (tenant_id, pages) ON t.tenant_id = q.tenant_id
                WHERE q.look_again_at < now()) AS queue
            WHERE place <= $2)
        ORDER BY w.look_again_at LIMIT $1 FOR UPDATE SKIP LOCKED),
    taken AS (
        UPDATE web_page AS w SET look_again_at = now() + interval '1 hour' FROM due
        WHERE w.tenant_id = due.tenant_id AND w.document_id = due.document_id
        RETURNING w.tenant_id, w.document_id, due.look_again_at)
    SELECT tenant_id, document_id FROM taken ORDER BY look_again_at
"""
"""Those that have been due for longest first, of each business so many with those that are taken already. Not what is
being read: it is due when that is done, and would come an hour later else."""


class RelayDocuments:
    """Implements `ReadyDocuments` and `DuePages`."""

    def __init__(self, relay: OutboxRelay) -> None:
        self._relay = relay

    async def all(self) -> Sequence[ReadyDocument]:
        rows = await self._relay.fetch(INDEXED)
        return [
            ReadyDocument(
                _scope(row["tenant_id"]),
                DocumentId(row["id"]),
                row["generation"],
                row["passages"],
                row["is_read_anew"],
            )
            for row in rows
        ]

    async def due(
        self, limit: int, most_each: int, taken: Mapping[TenantId, int]
    ) -> Sequence[tuple[TenantScope, DocumentId]]:
        rows = await self._relay.fetch(DUE, limit, most_each, list(taken), list(taken.values()))
        return [(_scope(row["tenant_id"]), DocumentId(row["document_id"])) for row in rows]


def _scope(tenant_id: UUID) -> TenantScope:
    return TenantScope(TenantId(tenant_id), "service:ingest")
