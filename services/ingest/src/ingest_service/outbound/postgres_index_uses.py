"""Which collections of a vector server are in use, told in Postgres by the ingest processes that share it."""

from collections.abc import Collection

from sqlalchemy import text

from runtime.db import Database

# Sorted, so that two processes never lock the same rows in opposite order.
_TELL = text("""
    INSERT INTO index_use (collection, used_at)
    SELECT name, now() FROM unnest(CAST(:collections AS text[])) AS name ORDER BY name
    ON CONFLICT (collection) DO UPDATE SET used_at = excluded.used_at
""")
_TOLD = text("SELECT collection FROM index_use WHERE used_at > now() - interval '1 day'")


class PostgresIndexUses:
    """Implements `Uses`; a collection is of no tenant.

    Both raise Unavailable where the database is busy or away.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(self, collections: Collection[str]) -> None:
        async with self._database.lookup_tx() as session:
            await session.execute(_TELL, {"collections": list(collections)})

    async def told(self) -> Collection[str]:
        async with self._database.lookup_tx() as session:
            return set((await session.execute(_TOLD)).scalars())
