"""A broker that pauses and comes back finds its clients listening."""

import psutil
import pytest

from contracts import auth
from runtime.bus import Bus
from runtime.errors import Unavailable
from tests.support.platform import Platform, eventually

pytestmark = pytest.mark.integration


async def test_a_late_pong_does_not_make_a_connection_deaf(platform: Platform):
    bus = Bus("gateway", platform.nats_url, platform.seed("gateway"))
    await bus.connect()
    broker = platform.processes("nats")[0]
    broker.suspend()
    # Only then: one of its threads may answer once more before the signal has reached it.
    await eventually(lambda: broker.status() == psutil.STATUS_STOPPED)
    try:
        with pytest.raises(Unavailable):
            await bus.check()
    finally:
        broker.resume()

    async def is_good() -> bool:
        try:
            await bus.check()
        except Unavailable:
            return False
        return True

    await eventually(is_good)
    assert not bus.is_deaf
    # Nobody answers this here, and that nobody does is something that must be heard.
    with pytest.raises(Unavailable, match="auth does not answer"):
        await bus.request(auth.GET_KEYS, auth.GetKeys(), timeout_s=20)
    await bus.stop()


async def test_a_connection_that_hears_nothing_is_known_for_what_it_is(platform: Platform):
    bus = Bus("gateway", platform.nats_url, platform.seed("gateway"))
    await bus.connect()
    reading = bus.nc._reading_task
    assert reading is not None
    reading.cancel()
    await eventually(lambda: bus.is_deaf)
    with pytest.raises(Unavailable):
        await bus.check()
    await bus.stop()
