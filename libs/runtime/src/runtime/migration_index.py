"""An index on a table that may be large, built while the service reads and writes it.

A plain CREATE INDEX keeps all writers out until it is done, and every lock that its migration took before as well.
"""

from alembic import op
from sqlalchemy import text

from runtime.migration_env import LOCK_TIMEOUT

_INVALID = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid"


def build(name: str, on: str) -> None:
    """Build the index `name` (`on`: table, columns, condition) outside a transaction, in a migration of its own.

    It may run twice: what a migration that was killed left behind is INVALID, and is dropped and built again. It waits
    for transactions that began before it, however long they take, and keeps nobody waiting meanwhile.
    """
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        if _is_left_behind(name):
            op.execute(f"DROP INDEX CONCURRENTLY {name}")
        op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {on}")
        op.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")


def drop(name: str) -> None:
    """Drop it, without keeping anybody waiting."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")


def _is_left_behind(name: str) -> bool:
    if op.get_context().as_sql:
        return False  # written down for reading: there is no database to ask
    return op.get_bind().execute(text(_INVALID), {"name": name}).scalar() is not None
