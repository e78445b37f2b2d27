import asyncio
import contextlib
import heapq
import math
import random
from types import SimpleNamespace

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
    with places.one(scope):
        assert refusal(places, scope).pause_s == pauses[0]
        assert refusal(places, other).pause_s == pauses[0]


def waited_s(others: int, seed: int) -> float:
    """How long one document waits for one of two places, beside businesses that always have another one.

    Of those two come at a time; whoever was refused comes back when it was told to, at the reconciler's next look.
    """
    places, patient, chance = Places(2), new_scope(), random.Random(seed)
    to_come = [(chance.random(), n, new_scope(), None) for n in range(others)] * 2 + [(90.0, others, patient, None)]
    heapq.heapify(to_come)
    with pytest.MonkeyPatch.context() as patch:
        while True:
            now, n, scope, held = heapq.heappop(to_come)
            patch.setattr("ingest_service.domain.places.time", SimpleNamespace(monotonic=lambda now=now: now))
            if held is not None:
                held.close()
                heapq.heappush(to_come, (now + chance.uniform(2, 10), n, scope, None))
                continue
            with contextlib.ExitStack() as until_its_end:
                try:
                    until_its_end.enter_context(places.one(scope))
                except NoPlace as refused:
                    heapq.heappush(to_come, (now + refused.pause_s + chance.random(), n, scope, None))
                    continue
                if scope is patient:
                    return now - 90
                heapq.heappush(to_come, (now + 60, n + 0.5, scope, until_its_end.pop_all()))


@pytest.mark.parametrize("others", [1, 3, 9])
def test_who_waits_for_longest_has_the_next_place(others):
    turns = math.ceil((others + 1) / 2)
    assert max(waited_s(others, seed) for seed in range(10)) <= turns * 70


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
