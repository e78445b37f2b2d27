from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.business import Business
from tests.support.stage import Stage, open_stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage() -> AsyncIterator[Stage]:
    """Every service as a process of its own, once a run: two gateways, two workers."""
    async with open_stage(gateways=2, workers=2) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="session")
async def business(stage: Stage) -> Business:
    """A fresh tenant."""
    return await stage.business()
