"""Puts unfinished work back into its queue: the net below the broker, which may be rebuilt from nothing.

Every 5 s, and every second while there is any, `FOR UPDATE SKIP LOCKED`, so any replica may do it and no leader is
needed. Each time under a fresh `Nats-Msg-Id`: inside the dedupe window an old one is answered with success and
dropped, even when its message is long acknowledged.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from contracts import subjects
from contracts.base import Job
from contracts.channel import Work
from contracts.ids import TenantId, uuid7
from runtime import logs, metrics
from runtime.bus import EVENT_ID, MESSAGE_ID, SCHEMA, Bus
from runtime.errors import Retryable
from runtime.outbox import OutboxRelay
from runtime.publishing import CapReached

ROUND_S = 5.0
BUSY_ROUND_S = 1.0
"""After one that found something: there may be more than a business may have in the queue."""
OFFER_EVERY_S = 0.1
BATCH = 100

_log = logs.get_logger()


@dataclass(frozen=True)
class Unfinished:
    """How a service finds its unfinished work.

    `take` is SQL for the relay role: it locks rows that are neither finished nor leased and were last enqueued
    more than 30 s ago, counts the enqueueing, and returns (tenant_id, id, times enqueued), at most $1 rows.
    """

    work: Work[Any]
    take: str
    job: Callable[[UUID], Job]


class Reconciler:
    """Looks after one queue."""

    def __init__(self, bus: Bus, relay: OutboxRelay, unfinished: Unfinished) -> None:
        self._bus = bus
        self._relay = relay
        self._unfinished = unfinished

    async def run(self) -> None:
        """Runs until cancelled."""
        clock = asyncio.get_running_loop().time
        next_round = clock() + ROUND_S
        while True:
            await asyncio.sleep(max(next_round - clock(), 0.0))
            next_round = clock() + ROUND_S
            try:
                if await self.round(until=next_round):
                    next_round = clock() + BUSY_ROUND_S
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, Retryable) as error:
                _log.warning("reconcile.waiting", error=type(error).__name__)

    async def round(self, until: float = 0.0) -> int:
        """Enqueue what is left; returns how many.

        Where a queue is full, the relay fills each place that comes free with what waits in the outbox: so its rows
        are offered again and again, until this time of the loop.
        """
        clock = asyncio.get_running_loop().time
        taken = await self._relay.pool.fetch(self._unfinished.take, BATCH)
        left = [(TenantId(tenant_id), row_id, times) for tenant_id, row_id, times in taken]
        while left := await self._offer(left):
            if clock() + OFFER_EVERY_S > until:
                break
            await asyncio.sleep(OFFER_EVERY_S)
        return len(taken) - len(left)

    async def _offer(self, rows: list[tuple[TenantId, UUID, int]]) -> list[tuple[TenantId, UUID, int]]:
        """Enqueue them, each business's in order; returns those whose queue is full."""
        full: set[TenantId] = set()
        left = []
        for row in rows:
            if row[0] in full or not await self._enqueue(*row):
                full.add(row[0])
                left.append(row)
        return left

    async def _enqueue(self, tenant_id: TenantId, row_id: UUID, times: int) -> bool:
        work = self._unfinished.work
        headers = {EVENT_ID: str(uuid7()), MESSAGE_ID: f"{row_id}:{times}", SCHEMA: work.schema}
        body = self._unfinished.job(row_id).dump()
        try:
            await self._bus.publish(subjects.job(work, tenant_id), body, stream=work.stream, headers=headers)
        except CapReached:
            return False
        metrics.RECONCILED.labels(work.queue).inc()
        _log.info("work.reconciled", queue=work.queue, times=times)
        return True
