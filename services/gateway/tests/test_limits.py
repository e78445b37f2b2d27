import pytest

from gateway_service.domain.limits import LocalCounters, RateLimits, weigh
from runtime.clock import FrozenClock
from runtime.errors import Unavailable


class Away:
    async def add(self, key: str, window: int, amount: int) -> int:
        raise Unavailable


def limits(clock: FrozenClock, limit: int = 5) -> RateLimits:
    return RateLimits(LocalCounters(), clock, limit=limit)


async def test_the_limit_is_met_exactly():
    shared = limits(FrozenClock())
    taken = [await shared.take("user:a") for _ in range(6)]
    assert [allowance.is_allowed for allowance in taken] == [True] * 5 + [False]
    assert [allowance.remaining for allowance in taken] == [4, 3, 2, 1, 0, 0]


async def test_callers_do_not_share():
    shared = limits(FrozenClock(), limit=1)
    assert (await shared.take("user:a")).is_allowed
    assert (await shared.take("user:b")).is_allowed


async def test_gateways_share_the_counters():
    counters, clock = LocalCounters(), FrozenClock()
    first, second = RateLimits(counters, clock, limit=2), RateLimits(counters, clock, limit=2)
    assert (await first.take("k")).is_allowed
    assert (await second.take("k")).is_allowed
    assert not (await first.take("k")).is_allowed


@pytest.mark.parametrize("offset_s", [0, 10, 57])
async def test_a_burst_over_the_border_of_two_windows_gets_no_double_share(offset_s: int):
    clock = FrozenClock()
    clock.advance(offset_s)
    shared = limits(clock, limit=100)
    passed = 0
    for _ in range(240):
        passed += (await shared.take("k")).is_allowed
        clock.advance(0.025)
    assert 100 <= passed <= 106


async def test_a_refused_caller_who_waits_as_told_passes():
    for offset_s in (0, 17, 58):
        clock = FrozenClock()
        clock.advance(offset_s)
        shared = limits(clock, limit=10)
        while (refused := await shared.take("k")).is_allowed:
            pass
        clock.advance(refused.reset_s)
        assert (await shared.take("k")).is_allowed


async def test_without_the_broker_each_gateway_keeps_its_share():
    clock = FrozenClock()
    shared = RateLimits(Away(), clock, limit=10, replicas=3)
    allowed = [(await shared.take("k")).is_allowed for _ in range(4)]
    assert allowed == [True, True, True, False]


async def test_what_is_given_back_was_not_taken():
    shared = limits(FrozenClock(), limit=1)
    await shared.take("login:x")
    await shared.give_back("login:x")
    assert (await shared.take("login:x")).is_allowed


def test_refusals_of_the_last_window_do_not_reach_into_this_one():
    assert weigh(10, before=10_000, count=1, elapsed=0.5).is_allowed
