"""Knowledge gaps in Postgres."""

from collections.abc import Callable, Sequence
from typing import Any

from contracts.gaps import CloseGap, Gap, GapExample, Gaps, ListGaps
from contracts.ids import ConversationId, DocumentId, GapId, MessageId, TenantId
from inference_service.domain.clusters import Asked, Group, Sorted
from inference_service.outbound import cursor, gap_sql
from runtime.db import Database
from runtime.errors import NotFound
from runtime.outbox import OutboxRelay
from runtime.tenancy import TenantScope
from runtime.transaction import Transaction

LOCK = "gaps"
"""Who sorts questions of a tenant does it alone, so that no two groups begin with the same question."""
COMPARED = 400
"""Gaps that a question is compared with, last asked first: beyond, it costs more than it finds."""
EXAMPLES = 5
TENANTS = 50


class PostgresGaps:
    """Implements `GapStore` and `VainQuestions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unsorted(self, scope: TenantScope, limit: int) -> tuple[tuple[MessageId, str], ...]:
        async with self._database.tenant_tx(scope) as tx:
            rows = await tx.fetch_rows(gap_sql.UNSORTED, limit)
        return tuple((MessageId(row["id"]), row["question"]) for row in rows)

    async def sort(
        self, scope: TenantScope, asked: Sequence[Asked], put: Callable[[Sequence[Asked], Sequence[Group]], Sorted]
    ) -> int:
        async with self._database.tenant_tx(scope, lock=LOCK) as tx:
            waiting = {row["id"] for row in await tx.fetch_rows(gap_sql.STILL_UNSORTED, [one.id for one in asked])}
            mine = [one for one in asked if one.id in waiting]
            done = put(mine, [_group(row) for row in await tx.fetch_rows(gap_sql.GROUPS, COMPARED)])
            texts = {done.gap_ids[one.id]: one.text for one in reversed(mine)}
            for group in done.groups:
                await _write(tx, group, texts[group.id])
            ids, gap_ids = [one.id for one in mine], [done.gap_ids[one.id] for one in mine]
            await tx.execute(gap_sql.SORT, ids, gap_ids, [one.text for one in mine])
        return len(mine)

    async def list(self, scope: TenantScope, request: ListGaps) -> Gaps:
        before = (None, None) if request.cursor is None else cursor.decode(request.cursor)
        async with self._database.tenant_tx(scope) as tx:
            rows = await tx.fetch_rows(gap_sql.LIST, request.state, *before, request.limit + 1)
            page = rows[: request.limit]
            items = await _with_examples(tx, page)
        following = cursor.encode(page[-1]["last_seen"], page[-1]["id"]) if len(rows) > request.limit else None
        return Gaps(items=items, next_cursor=following)

    async def get(self, scope: TenantScope, gap_id: GapId) -> Gap:
        async with self._database.tenant_tx(scope) as tx:
            return await _one(tx, gap_id)

    async def close(self, scope: TenantScope, request: CloseGap) -> Gap:
        state = "dismissed" if request.document_id is None else "resolved"
        async with self._database.tenant_tx(scope) as tx:
            await tx.execute(gap_sql.CLOSE, request.gap_id, state, request.document_id)
            return await _one(tx, request.gap_id)

    async def reopen(self, scope: TenantScope, gap_id: GapId) -> Gap:
        async with self._database.tenant_tx(scope) as tx:
            await tx.execute(gap_sql.CLOSE, gap_id, "open", None)
            return await _one(tx, gap_id)


class RelayTenants:
    """Implements `TenantsWaiting` with the relay role, which sees whose questions wait and none of their words."""

    def __init__(self, relay: OutboxRelay) -> None:
        self._relay = relay

    async def with_unsorted_questions(self) -> Sequence[TenantScope]:
        rows = await self._relay.fetch(gap_sql.TENANTS_WAITING, TENANTS)
        return [TenantScope(TenantId(row["tenant_id"]), "service:inference") for row in rows]


async def _write(tx: Transaction, group: Group, question: str) -> None:
    """Begin the group with its first question, or move its centre: its question then stays what it is."""
    await tx.execute(gap_sql.WRITE, tx.tenant_id, group.id, question, group.language, list(group.centre), group.count)


async def _one(tx: Transaction, gap_id: GapId) -> Gap:
    row = await tx.fetch_row(gap_sql.GET, gap_id)
    if row is None:
        raise NotFound
    return (await _with_examples(tx, [row]))[0]


async def _with_examples(tx: Transaction, rows: Sequence[Any]) -> tuple[Gap, ...]:
    found: dict[Any, list[GapExample]] = {row["id"]: [] for row in rows}
    for example in await tx.fetch_rows(gap_sql.EXAMPLES, list(found), EXAMPLES):
        found[example["gap_id"]].append(
            GapExample(
                conversation_id=ConversationId(example["conversation_id"]),
                message_id=MessageId(example["id"]),
                question=example["question"],
                reason=example["reason"],
                asked_at=example["asked_at"],
            )
        )
    return tuple(_gap(row, tuple(found[row["id"]])) for row in rows)


def _gap(row: Any, examples: tuple[GapExample, ...]) -> Gap:
    return Gap(
        id=GapId(row["id"]),
        question=row["question"],
        language=row["language"],
        count=row["count"],
        examples=examples,
        state=row["state"],
        document_id=None if row["document_id"] is None else DocumentId(row["document_id"]),
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
    )


def _group(row: Any) -> Group:
    return Group(GapId(row["id"]), row["language"], row["question"], row["centre"], row["count"])
