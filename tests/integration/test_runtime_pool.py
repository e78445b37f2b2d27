"""Connections: opened for a busy time, given back in a quiet one."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from runtime import db
from runtime.db import Database
from tests.support.platform import eventually
from tests.support.probe import new_scope

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
