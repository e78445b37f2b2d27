"""Connections: opened for a busy time, given back in a quiet one."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from runtime import db
from runtime.db import Database, Transaction
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
