"""Every tenant's documents that are cut otherwise than wanted, by the relay role, which sees no content."""

import json
from collections.abc import Sequence
from typing import Final

from contracts.ids import DocumentId, TenantId
from contracts.ingest import INGEST
from contracts.streams import streams
from ingest_service.domain.cut_settings import DEFAULT
from ingest_service.outbound.rows import cut_value
from runtime.outbox import OutboxRelay
from runtime.tenancy import TenantScope

AT_ONCE: Final = next(stream.max_msgs_per_subject for stream in streams() if stream.name == INGEST.stream)
"""Jobs of one business that the queue takes."""
CUT_OTHERWISE: Final = """
    SELECT tenant_id, id FROM (
        SELECT d.tenant_id, d.id, row_number() OVER (PARTITION BY d.tenant_id ORDER BY d.id) AS place,
            (SELECT count(*) FROM document AS w WHERE w.tenant_id = d.tenant_id AND w.state NOT IN ('ready', 'failed'))
                AS at_work
        FROM document AS d JOIN knowledge_settings AS s ON s.tenant_id = d.tenant_id
        WHERE d.state = 'ready' AND d.passages > 0 AND coalesce(d.cut_by, $1::jsonb) <> s.cut_by) AS waiting
    WHERE place + at_work <= $2
"""


class RelayRecut:
    """Implements `CutOtherwise`."""

    def __init__(self, relay: OutboxRelay) -> None:
        self._relay = relay

    async def next(self) -> Sequence[tuple[TenantScope, DocumentId]]:
        rows = await self._relay.fetch(CUT_OTHERWISE, json.dumps(cut_value(DEFAULT)), AT_ONCE)
        return [(TenantScope(TenantId(row["tenant_id"]), "service:ingest"), DocumentId(row["id"])) for row in rows]
