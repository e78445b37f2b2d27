"""An index is built while others write, and a migration that was killed meanwhile is done again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.exc import SQLAlchemyError

from runtime.provision_postgres import LOGIN_ROLES, Schema, is_current, make_roles, migrate
from tests.support.platform import Platform, eventually
from tests.support.probe import connection

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

ENV = "from runtime import migration_env\n\nmigration_env.run()\n"
TABLE = """
from alembic import op

revision = "0001_table"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE thing (id integer NOT NULL)")
    op.execute("GRANT SELECT, INSERT ON thing TO shelf_app")
"""
INDEX = """
from runtime import migration_index

revision = "0002_index"
down_revision = "0001_table"


def upgrade():
    migration_index.build("thing_id", "thing (id) WHERE id > 0")
"""
BUILDING = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%' AND usename = 'shelf_owner'"
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('shelf.thing_id')"
INSERT = "INSERT INTO shelf.thing VALUES (1)"


class Installation:
    """A schema `shelf` with rows in it, whose next migration builds an index."""

    def __init__(self, admin: "asyncpg.Connection", connect: "Connect", schema: Schema, owner_url: str) -> None:
        self.admin, self.connect = admin, connect
        self._schema, self._owner_url = schema, owner_url

    def upgrade(self) -> "asyncio.Task[None]":
        return asyncio.create_task(asyncio.to_thread(migrate, self._owner_url, self._schema))

    async def is_current(self) -> bool:
        return await is_current(self._owner_url, self._schema)

    async def builder(self) -> int:
        """The server's process that builds the index, once it waits for somebody."""
        pid: int = await eventually(lambda: self.admin.fetchval(f"{BUILDING} AND wait_event_type = 'Lock'"))
        return pid

    @asynccontextmanager
    async def writing(self) -> "AsyncIterator[asyncpg.Connection]":
        """A transaction that wrote into the table and goes on."""
        other = await self.connect()
        try:
            await other.execute(f"SET lock_timeout = '3s'; BEGIN; {INSERT}")
            yield other
        finally:
            await other.close()


Connect = Callable[[], Coroutine[Any, Any, "asyncpg.Connection"]]


@pytest.fixture
async def installation(platform: Platform, tmp_path: Path) -> AsyncIterator[Installation]:
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text(ENV)
    (tmp_path / "versions" / "0001_table.py").write_text(TABLE)
    admin_url = platform.postgres_url("lumora")
    await make_roles(admin_url, "shelf", {f"shelf_{kind}": "secret" for kind in LOGIN_ROLES})
    owner_url = f"postgresql://shelf_owner:secret@{admin_url.split('@', 1)[1]}"
    schema = Schema("shelf", tmp_path)
    await asyncio.to_thread(migrate, owner_url, schema)
    (tmp_path / "versions" / "0002_index.py").write_text(INDEX)
    async with connection(admin_url) as admin:
        await admin.execute("INSERT INTO shelf.thing SELECT generate_series(1, 1000)")
        yield Installation(admin, lambda: asyncpg.connect(admin_url), schema, owner_url)
        await admin.execute("DROP SCHEMA shelf CASCADE")


async def test_others_write_while_an_index_is_built(installation: Installation) -> None:
    async with installation.writing() as first:
        upgrading = installation.upgrade()
        await installation.builder()
        async with installation.writing() as second:  # which a plain CREATE INDEX would have wait behind it
            await second.execute("COMMIT")
        await first.execute("COMMIT")
    await upgrading
    assert await installation.admin.fetchval(VALID) is True
    assert await installation.is_current()


async def test_it_waits_for_a_long_transaction_for_longer_than_for_a_lock(installation: Installation) -> None:
    """The runner's five seconds are for locks that keep others waiting; this wait keeps nobody."""
    async with installation.writing() as other:
        upgrading = installation.upgrade()
        await installation.builder()
        await eventually(lambda: installation.admin.fetchval(f"{BUILDING} AND now() - query_start > '6 s'"))
        assert not upgrading.done()
        await other.execute("COMMIT")
    await upgrading
    assert await installation.admin.fetchval(VALID) is True


async def test_an_index_that_a_kill_left_invalid_is_built_again(installation: Installation) -> None:
    async with installation.writing() as other:
        upgrading = installation.upgrade()
        pid = await installation.builder()
        await installation.admin.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(SQLAlchemyError):
            await upgrading
        await other.execute("COMMIT")
    assert await installation.admin.fetchval(VALID) is False
    assert not await installation.is_current()
    await installation.upgrade()
    assert await installation.admin.fetchval(VALID) is True
    assert await installation.is_current()


async def test_it_may_run_again_when_only_its_version_was_not_written(installation: Installation) -> None:
    await installation.upgrade()
    await installation.admin.execute("UPDATE shelf.alembic_version SET version_num = '0001_table'")
    await installation.upgrade()
    assert await installation.admin.fetchval(VALID) is True
    assert await installation.is_current()


async def test_every_index_of_the_platform_is_valid(platform: Platform) -> None:
    async with connection(platform.postgres_url("lumora")) as admin:
        assert await admin.fetch("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid") == []
        assert await admin.fetchval("SELECT to_regclass('inference.conversation_hands') IS NOT NULL")
