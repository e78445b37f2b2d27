"""One tenant's open transaction: what a repository asks of it, and what goes out once it commits.

Most repositories use `session` (SQLModel). The few statements of a turn's way use the driver itself (`fetch_row`,
`fetch_rows`, `execute`): through the ORM each costs about four times the CPU, and a turn has many.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.base import Event, Job
from contracts.channel import Fact, Work
from contracts.ids import EventId, TenantId
from runtime.outbox import Outgoing, columns

_KEEP_OUTGOING = """
    INSERT INTO outbox (tenant_id, id, subject, stream, schema_name, body)
    SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[])
"""
_FIRST_TIMES = """
    INSERT INTO inbox (tenant_id, consumer, event_id) SELECT $1, $2, * FROM unnest($3::uuid[])
    ON CONFLICT DO NOTHING RETURNING event_id
"""


class Transaction:
    """One tenant's open transaction."""

    def __init__(self, connection: AsyncConnection, driver: Any, tenant_id: TenantId) -> None:
        self.tenant_id = tenant_id
        self._connection = connection
        self._driver = driver
        self._session: AsyncSession | None = None
        self._task = asyncio.current_task()
        self._unsaved: list[Outgoing] = []
        self.outgoing: list[Outgoing] = []

    @property
    def session(self) -> AsyncSession:
        """SQLModel's session inside this transaction."""
        if self._session is None:
            self._session = AsyncSession(self._connection, expire_on_commit=False)
        return self._session

    async def fetch_row(self, sql: str, *values: Any) -> Any:
        """Return the first row, or None; parameters are written $1, $2 and so on."""
        return await self._driver.fetchrow(sql, *values)

    async def fetch_rows(self, sql: str, *values: Any) -> Sequence[Any]:
        return await self._driver.fetch(sql, *values)  # type: ignore[no-any-return] # the driver has no types

    async def execute(self, sql: str, *values: Any) -> None:
        await self._driver.execute(sql, *values)

    async def publish(self, fact: Fact[Any], content: Event) -> None:
        """Say a fact once this commits."""
        self._unsaved.append(Outgoing.fact(self.tenant_id, fact, content))

    async def enqueue(self, work: Work[Any], job: Job) -> None:
        """Put a job into its queue once this commits."""
        self._unsaved.append(Outgoing.job(self.tenant_id, work, job))

    async def first_time(self, consumer: str, event_id: EventId) -> bool:
        """Note in the inbox that `consumer` handled this event; False when it had before, and nothing is to be done."""
        return bool(await self.first_times(consumer, [event_id]))

    async def first_times(self, consumer: str, event_ids: Iterable[EventId]) -> set[EventId]:
        """Note in the inbox that `consumer` handled these events; returns those that it had not handled before."""
        # Sorted, so that two replicas that were given the same events never wait for each other's rows crosswise.
        wanted = sorted(set(event_ids))
        return {
            EventId(row["event_id"]) for row in await self.fetch_rows(_FIRST_TIMES, self.tenant_id, consumer, wanted)
        }

    async def save_outgoing(self) -> None:
        """Write what was said into the outbox: one statement before the commit, however much it is."""
        if self._session is not None:
            await self._session.flush()
        if not self._unsaved:
            return
        rows, self._unsaved = self._unsaved, []
        await self.execute(_KEEP_OUTGOING, self.tenant_id, *columns(rows))
        self.outgoing += rows

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def is_own(self, tenant_id: TenantId) -> bool:
        """Tell whether the caller may join: not from another task, because a connection serves one at a time."""
        return self.tenant_id == tenant_id and self._task is asyncio.current_task()
