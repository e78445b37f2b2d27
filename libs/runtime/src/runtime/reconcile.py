"""Puts unfinished work back into its queue: the net below the broker, which may be rebuilt from nothing.

Every 5 s, `FOR UPDATE SKIP LOCKED`, so any replica may do it and no leader is needed. Each time under a fresh
`Nats-Msg-Id`: inside the dedupe window an old one is answered with success and dropped, even when its message is
long acknowledged.
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
        while True:
            await asyncio.sleep(ROUND_S)
            try:
                await self.round()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, Retryable) as error:
                _log.warning("reconcile.waiting", error=type(error).__name__)

    async def round(self) -> int:
        """Enqueue what is left; returns how many."""
        rows = await self._relay.pool.fetch(self._unfinished.take, BATCH)
        count = 0
        for tenant_id, row_id, times in rows:
            count += await self._enqueue(TenantId(tenant_id), row_id, times)
        return count

    async def _enqueue(self, tenant_id: TenantId, row_id: UUID, times: int) -> int:
        work = self._unfinished.work
        headers = {EVENT_ID: str(uuid7()), MESSAGE_ID: f"{row_id}:{times}", SCHEMA: work.schema}
        body = self._unfinished.job(row_id).dump()
        try:
            await self._bus.publish(subjects.job(work, tenant_id), body, stream=work.stream, headers=headers)
        except CapReached:
            return 0
        metrics.RECONCILED.labels(work.queue).inc()
        _log.info("work.reconciled", queue=work.queue, times=times)
        return 1
