"""Old rows of every tenant, thrown away by the relay role, which sees their age and nothing else."""

import asyncio
from collections.abc import Mapping

import asyncpg

from runtime import logs
from runtime.outbox import OutboxRelay

ROUND_S = 3_600.0
BATCH = 1_000

_log = logs.get_logger()


class Expiry:
    """Looks every hour.

    Args:
        relay: whose connections are used.
        days: how long rows are kept, by (table, column that tells the age).
    """

    def __init__(self, relay: OutboxRelay, days: Mapping[tuple[str, str], int]) -> None:
        self._relay = relay
        self._days = days

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            try:
                await self.round()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("expiry.waiting", error=type(error).__name__)
            await asyncio.sleep(ROUND_S)

    async def round(self) -> int:
        """Delete what is too old; returns how many rows. In batches, so that no statement holds many locks."""
        count = 0
        for (table, age), days in self._days.items():
            statement = f"""
                WITH old AS (
                    SELECT tenant_id, id FROM {table} WHERE {age} < now() - make_interval(days => $1) LIMIT $2),
                gone AS (
                    DELETE FROM {table} t USING old WHERE (t.tenant_id, t.id) = (old.tenant_id, old.id) RETURNING t.id)
                SELECT count(*) FROM gone
            """  # noqa: S608 - the names are a service's own constants
            while deleted := await self._relay.pool.fetchval(statement, days, BATCH):
                count += deleted
        return count
