"""Rate counters on the real broker."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from contracts.ids import uuid7
from gateway_service.domain.limits import RateLimits
from gateway_service.outbound.rate_counters import AWAY_S, NatsCounters
from runtime.bus import Bus
from runtime.clock import FrozenClock, SystemClock
from runtime.errors import Unavailable
from tests.support.platform import Platform

pytestmark = pytest.mark.integration


@pytest.fixture
async def bus(platform: Platform) -> AsyncIterator[Bus]:
    opened = Bus("gateway", platform.nats_url, platform.seed("gateway"))
    await opened.connect()
    yield opened
    await opened.stop()


async def test_counts_add_up_and_looking_changes_nothing(bus: Bus):
    counters, key = NatsCounters(bus, SystemClock()), f"user:{uuid7()}"
    assert await counters.add(key, 7, 0) == 0
    assert [await counters.add(key, 7, 1) for _ in range(3)] == [1, 2, 3]
    assert await counters.add(key, 7, -1) == 2
    assert await counters.add(key, 7, 0) == 2
    assert await counters.add(key, 8, 1) == 1


async def test_gateways_count_together_to_the_last_one(bus: Bus, platform: Platform):
    other = Bus("gateway", platform.nats_url, platform.seed("gateway"))
    await other.connect()
    gateways = [RateLimits(NatsCounters(one, SystemClock()), FrozenClock(), limit=50) for one in (bus, other)]
    key = f"user:{uuid7()}"
    taken = await asyncio.gather(*(gateways[number % 2].take(key) for number in range(80)))
    await other.stop()
    assert sum(allowance.is_allowed for allowance in taken) == 50
    assert {allowance.remaining for allowance in taken if allowance.is_allowed} == set(range(50))


async def test_a_broker_that_is_gone_costs_one_wait_and_no_more(platform: Platform):
    bus, clock = Bus("gateway", platform.nats_url, platform.seed("gateway")), FrozenClock()
    await bus.connect()
    counters = NatsCounters(bus, clock)
    await bus.stop()
    with pytest.raises(Unavailable):
        await counters.add("user:x", 1, 1)
    clock.advance(AWAY_S)
    limits = RateLimits(counters, clock, limit=4, replicas=2)
    assert [(await limits.take("user:x")).is_allowed for _ in range(3)] == [True, True, False]
