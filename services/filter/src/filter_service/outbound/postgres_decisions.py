"""Decisions in Postgres, written in batches behind the tokens' back."""

import asyncio
import itertools
from collections import deque
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert

from contracts.ids import TenantId
from filter_service.domain.answer import Decision
from filter_service.outbound.tables import DecisionRow
from runtime import logs
from runtime.clock import Clock
from runtime.db import Database
from runtime.errors import Unavailable
from runtime.tenancy import TenantScope

FLUSH_EVERY_S = 1.0
# While the database is away; beyond that the oldest are let go, and counted in the log.
MAX_WAITING = 10_000
BATCH = 500

_log = logs.get_logger()


class PostgresDecisions:
    """Implements `Decisions`; `run` writes what was noted."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: deque[tuple[datetime, Decision]] = deque()

    def note(self, decision: Decision) -> None:
        if len(self._waiting) == MAX_WAITING:
            self._waiting.popleft()
            _log.warning("decision.lost", waiting=MAX_WAITING)
        self._waiting.append((self._clock.now(), decision))

    async def run(self) -> None:
        """Write every second. Runs until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            try:
                await self.flush()
            except Unavailable:
                _log.warning("decisions.waiting", waiting=len(self._waiting))

    async def flush(self) -> None:
        """Write what waits.

        Raises:
            Unavailable: the database is away; what was not written waits on.
        """
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            written = 0
            try:
                # One transaction sees one business.
                for tenant_id, group in itertools.groupby(taken, key=lambda noted: noted[1].answer.tenant_id):
                    rows = [_row(decided_at, decision) for decided_at, decision in group]
                    await self._write(tenant_id, rows)
                    written += len(rows)
            except BaseException:
                self._waiting.extendleft(reversed(taken[written:]))
                raise

    async def _write(self, tenant_id: TenantId, rows: list[dict[str, object]]) -> None:
        # A replica that replays decides the same again.
        statement = insert(DecisionRow).values(rows).on_conflict_do_nothing()
        async with self._database.tenant_tx(TenantScope(tenant_id, "service:filter")) as tx:
            await tx.session.execute(statement)


def _row(decided_at: datetime, decision: Decision) -> dict[str, object]:
    answer = decision.answer
    return {
        "tenant_id": answer.tenant_id,
        "message_id": answer.message_id,
        "attempt": answer.attempt,
        "conversation_id": answer.conversation_id,
        "policy_version": decision.policy_version,
        "is_blocked": decision.is_blocked,
        "found": decision.found,
        "decided_at": decided_at,
    }
