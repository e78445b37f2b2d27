import asyncio

import pytest

from ingest_service.domain.places import LATEST_S, SOONEST_S, NoPlace, Places
from services.ingest.tests.promises_documents import new_scope


def refusal(places: Places, scope) -> NoPlace:
    with pytest.raises(NoPlace) as refused, places.one(scope):
        pass
    return refused.value


def test_each_business_has_one_place_as_long_as_there_are_any():
    places, first, second, third = Places(2), new_scope(), new_scope(), new_scope()
    with places.one(first):
        refusal(places, first)
        with places.one(second):
            refusal(places, third)
        with places.one(third):
            pass


def test_a_place_is_given_back_however_it_ends():
    places, scope = Places(1), new_scope()
    with pytest.raises(KeyError), places.one(scope):
        raise KeyError
    with places.one(scope):
        pass


def test_the_more_wait_the_later_each_comes_back():
    places, scope, other = Places(1), new_scope(), new_scope()
    with places.one(scope):
        pauses = [refusal(places, scope).pause_s for _ in range(1_000)]
        assert pauses == sorted(pauses)
        assert SOONEST_S < pauses[0] < pauses[10] < pauses[-1] == LATEST_S
        assert refusal(places, other).pause_s == pauses[0]
    with places.one(scope):
        assert refusal(places, scope).pause_s == pauses[0]


async def test_quick_ones_follow_each_other_and_a_slow_one_is_not_waited_for(monkeypatch):
    places, scope, order = Places(2), new_scope(), list[int]()
    monkeypatch.setattr("ingest_service.domain.places.QUICK_S", 60)

    async def fetch(n: int) -> None:
        await places.soon(scope)
        with places.one(scope):
            order.append(n)
            await asyncio.sleep(0)

    await asyncio.gather(*map(fetch, range(5)))
    assert sorted(order) == [0, 1, 2, 3, 4], "nobody was refused"
    with places.one(scope):
        async with asyncio.timeout(1):
            await places.soon(new_scope())
        monkeypatch.setattr("ingest_service.domain.places.QUICK_S", 0.01)
        await places.soon(scope)
        refusal(places, scope)
