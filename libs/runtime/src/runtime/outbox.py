"""The transactional outbox: what a commit said goes out, whatever dies.

The committing process publishes its own rows at once and deletes them in batches. The relay is the net below it:
every half second it takes rows that are older than a second (`FOR UPDATE SKIP LOCKED`; never `id > last`, which
skips late commits for ever) and publishes them under the same `Nats-Msg-Id`, so a row that went out twice is
dropped by the broker or by the inbox.

What cannot be published holds up nobody else: a full queue keeps its subject, a stream that does not answer its own
rows until the next round, and a row that the broker refuses is tried again after pauses that grow (ADR 0033).
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

import asyncpg

from contracts import subjects
from contracts.base import Event, Job
from contracts.channel import Fact, Work
from contracts.ids import TenantId, uuid7
from runtime import logs, metrics
from runtime.bus import EVENT_ID, MESSAGE_ID, SCHEMA, Bus
from runtime.errors import Retryable, Unavailable
from runtime.publishing import CapReached, Refused

ROUND_S = 0.5
GRACE_S = 1.0
BATCH = 200
DELETE_EVERY_S = 0.2

_TAKE = """
    SELECT id, tenant_id, subject, stream, schema_name, body FROM outbox
    WHERE created_at < now() - make_interval(secs => $1) AND subject <> ALL($3::text[]) AND stream <> ALL($4::text[])
        AND {which}
    ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_TAKE_OTHERS = _TAKE.format(which="due_at IS NULL")
_TAKE_REFUSED = _TAKE.format(which="due_at <= now()")

# A second after the first refusal, twice as long after each further one, up to four minutes.
_REFUSE = """
    UPDATE outbox SET refusals = refusals + 1, due_at = now() + make_interval(secs => 2 ^ least(refusals, 8))
    WHERE id = ANY($1::uuid[])
"""

_AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

_log = logs.get_logger()


@dataclass(frozen=True)
class Outgoing:
    """One row of the outbox."""

    id: UUID
    tenant_id: TenantId
    subject: str
    stream: str
    schema: str
    body: bytes

    @classmethod
    def fact(cls, tenant_id: TenantId, fact: Fact[Any], content: Event) -> Self:
        key = UUID(str(getattr(content, fact.key)))
        return cls(uuid7(), tenant_id, subjects.fact(fact, tenant_id, key), "EVENTS", fact.schema, content.dump())

    @classmethod
    def job(cls, tenant_id: TenantId, work: Work[Any], job: Job) -> Self:
        return cls(uuid7(), tenant_id, subjects.job(work, tenant_id), work.stream, work.schema, job.dump())


def columns(rows: Sequence[Outgoing]) -> tuple[list[Any], ...]:
    """What is said, as columns beside the tenant's."""
    columns = zip(*((row.id, row.subject, row.stream, row.schema, row.body) for row in rows), strict=True)
    return tuple(list(column) for column in columns)


class OutboxRelay:
    """Publishes and deletes outbox rows, with the relay role."""

    def __init__(self, url: str, bus: Bus) -> None:
        self._url = url
        self._bus = bus
        self._pool: asyncpg.Pool | None = None
        self._published: list[UUID] = []
        self._running: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(
            self._url, min_size=0, max_size=2, max_inactive_connection_lifetime=30, timeout=3, command_timeout=5
        )

    @property
    def pool(self) -> "asyncpg.Pool":
        """The relay role's connections, also the reconciler's."""
        if self._pool is None:
            raise RuntimeError("the relay is not open")
        return self._pool

    async def fetch(self, question: str, *values: Any) -> list[Any]:
        """Rows of every tenant, as far as the relay role sees them.

        Raises:
            Unavailable: the database is busy or away.
        """
        try:
            rows: list[Any] = await self.pool.fetch(question, *values)
        except _AWAY as error:
            raise Unavailable("the database is busy or away", retry_after_s=2) from error
        return rows

    def hand_over(self, rows: list[Outgoing]) -> None:
        """Publish freshly committed rows now; returns at once. Failures are the net's business."""
        task = asyncio.create_task(self._publish_fresh(rows))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def run(self) -> None:
        """Delete what went out, publish what was left. Runs until cancelled."""
        next_round = 0.0
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(DELETE_EVERY_S)
            try:
                await self._delete_published()
                if clock() >= next_round:
                    next_round = clock() + (DELETE_EVERY_S if await self._round() else ROUND_S)
            except (*_AWAY, Retryable) as error:
                _log.warning("outbox.waiting", error=type(error).__name__)
                await asyncio.sleep(ROUND_S)

    async def close(self) -> None:
        """Flush once more, then let go."""
        if self._running:
            await asyncio.wait(self._running, timeout=5)
        with contextlib.suppress(*_AWAY, Retryable):
            await self._delete_published()
            await self._round(grace_s=0)
        if self._pool is not None:
            await self._pool.close()

    async def _publish_fresh(self, rows: list[Outgoing]) -> None:
        for row in rows:
            with contextlib.suppress(Retryable):
                await self._publish(row)
                self._published.append(row.id)
                metrics.OUTBOX_PUBLISHED.labels("committer").inc()

    async def _delete_published(self) -> None:
        if not self._published:
            return
        ids, self._published = self._published, []
        try:
            await self.pool.execute("DELETE FROM outbox WHERE id = ANY($1::uuid[])", ids)
        except BaseException:
            self._published += ids
            raise

    async def _round(self, grace_s: float = GRACE_S) -> bool:
        """Publish all that was left; whether a queue is full, which soon has a place again.

        Thousands of rows for such a queue do not stand before those of others, nor do thousands that are refused:
        a round tries one batch of these, after all the others.

        Raises:
            Unavailable: a stream did not answer; the rows of the others are out.
        """
        held = _Held()
        waiting, count = 0, BATCH
        while count == BATCH:
            count = await self._batch(_TAKE_OTHERS, grace_s, held)
            waiting += count
        waiting += await self._batch(_TAKE_REFUSED, grace_s, held)
        metrics.OUTBOX_WAITING.set(waiting)
        if held.streams:
            raise Unavailable("a stream does not answer")
        return bool(held.subjects)

    async def _batch(self, take: str, grace_s: float, held: "_Held") -> int:
        """Publish the oldest, but for what is held, which is noted; how many rows were looked at."""
        refused: dict[UUID, tuple[str, str]] = {}
        async with self.pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(take, grace_s, BATCH, list(held.subjects), list(held.streams))
            done = [row["id"] for row in rows if await self._publish_left(Outgoing(*row), held, refused)]
            if done:
                await connection.execute("DELETE FROM outbox WHERE id = ANY($1::uuid[])", done)
            if refused:
                await connection.execute(_REFUSE, list(refused))
        for (schema, reason), count in Counter(refused.values()).items():
            metrics.OUTBOX_REFUSED.labels(schema, reason).inc(count)
            _log.error("outbox.refused", schema=schema, reason=reason, count=count)
        return len(rows)

    async def _publish_left(self, row: Outgoing, held: "_Held", refused: dict[UUID, tuple[str, str]]) -> bool:
        """Whether it is out. Nothing that keeps one row is a reason to keep the others waiting."""
        if row.subject in held.subjects or row.stream in held.streams:
            return False
        try:
            await self._publish(row)
        except CapReached:
            held.subjects.add(row.subject)
            return False
        except Refused as refusal:
            refused[row.id] = (row.schema, refusal.reason)
            return False
        except Unavailable:
            held.streams.add(row.stream)
            return False
        metrics.OUTBOX_PUBLISHED.labels("relay").inc()
        return True

    async def _publish(self, row: Outgoing) -> None:
        await self._bus.publish(
            row.subject,
            row.body,
            stream=row.stream,
            headers={EVENT_ID: str(row.id), MESSAGE_ID: str(row.id), SCHEMA: row.schema},
        )


@dataclass
class _Held:
    """Whose rows wait for the next round: subjects with a full queue, streams that did not answer."""

    subjects: set[str] = field(default_factory=set)
    streams: set[str] = field(default_factory=set)
