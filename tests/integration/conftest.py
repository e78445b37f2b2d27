"""Fixtures of the runtime's own tests, on the platform that the run started."""

from collections.abc import AsyncIterator

import pytest

from runtime.bus import Bus
from runtime.db import Database
from tests.support.platform import Platform
from tests.support.probe import Probe, Streams, make_probe


@pytest.fixture(scope="session")
async def probe(platform: Platform) -> Probe:
    """A schema of the tests' own, and the addresses of everything."""
    return await make_probe(platform)


@pytest.fixture
async def database(probe: Probe) -> AsyncIterator[Database]:
    opened = Database(probe.app_url, pool_size=5)
    yield opened
    await opened.close()


@pytest.fixture
async def streams(platform: Platform) -> AsyncIterator[Streams]:
    """A look into the streams, with the provisioner's rights."""
    bus = Bus("provisioner", platform.nats_url, platform.seed("provisioner"))
    await bus.connect()
    yield Streams(bus.nc)
    await bus.stop()
