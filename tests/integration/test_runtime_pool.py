"""Connections: opened for a busy time, given back in a quiet one."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from runtime import db
from runtime.db import Database, Transaction
from runtime.errors import Unavailable
from tests.support.held_goodbye import held_goodbye
from tests.support.platform import eventually
from tests.support.probe import Probe, connection, new_scope

pytestmark = pytest.mark.integration


async def hold(database: Database, count: int) -> None:
    """Have `count` transactions open at the same time."""
    together = asyncio.Barrier(count)

    async def one() -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(database.tenant_tx(new_scope()))
            await together.wait()

    await asyncio.gather(*(one() for _ in range(count)))


async def test_a_quiet_time_gives_back_what_a_busy_one_opened(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "REST_S", 0.05)
    await hold(database, 4)
    assert database._engine.pool.checkedin() == 4  # type: ignore[attr-defined] # a QueuePool
    resting = asyncio.create_task(database.rest())
    await eventually(lambda: database._engine.pool.checkedin() == 0)  # type: ignore[attr-defined] # the same
    resting.cancel()
    await hold(database, 2)
    assert database._engine.pool.checkedin() == 2  # type: ignore[attr-defined] # the same


async def test_a_connection_that_hears_the_servers_goodbye_is_replaced_unseen(probe: Probe) -> None:
    async with held_goodbye(probe.app_url) as door, connection(probe.admin_url) as admin:
        database = Database(door.url)
        async with database.tenant_tx(new_scope()) as tx:
            driver, pid = tx._driver, await _server_process(tx)
        assert await admin.fetchval("SELECT pg_terminate_backend($1)", pid)
        await door.ended.wait()
        await asyncio.sleep(0.05)  # the loop reads what lies in the socket

        # It has heard that it is to end, and not that it has ended: the driver refuses with an InternalClientError.
        assert not driver.is_closed()
        async with database.tenant_tx(new_scope()) as tx:
            assert await _server_process(tx) != pid
        door.release()
        await database.close()


async def _server_process(tx: Transaction) -> int:
    return int((await tx.fetch_row("SELECT pg_backend_pid() AS pid"))["pid"])


@pytest.mark.parametrize("code", ["40001", "40P01", "53100", "53200", "25006", "25P03", "57014", "58030"])
@pytest.mark.parametrize("way", ["session", "driver"])
async def test_what_the_server_cannot_do_now_is_unavailable(database: Database, code: str, way: str) -> None:
    """Deadlocks, full disks and memory, a primary that became a replica, timeouts, disks that fail."""
    failing = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$"
    with pytest.raises(Unavailable) as raised:
        async with database.tenant_tx(new_scope()) as tx:
            await (tx.session.execute(text(failing)) if way == "session" else tx.execute(failing))
    assert raised.value.retry_after_s is not None


async def test_a_deadlock_is_unavailable_to_one_of_the_two(database: Database) -> None:
    scope, both_hold = new_scope(), asyncio.Barrier(2)

    async def lock(first: str, second: str) -> None:
        async with database.tenant_tx(scope, lock=first):
            await both_hold.wait()
            async with database.tenant_tx(scope, lock=second):
                pass

    ends = await asyncio.gather(lock("a", "b"), lock("b", "a"), return_exceptions=True)
    assert sorted(type(end) for end in ends if end is not None) == [Unavailable]


async def test_a_server_without_a_connection_left_is_unavailable(probe: Probe) -> None:
    async with connection(probe.admin_url) as admin:
        await admin.execute("ALTER ROLE probe_app CONNECTION LIMIT 0")
        try:
            database = Database(probe.app_url)
            with pytest.raises(Unavailable):
                await hold(database, 1)
            await database.close()
        finally:
            await admin.execute("ALTER ROLE probe_app CONNECTION LIMIT -1")
