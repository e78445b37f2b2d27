import asyncio

import pytest

from contracts.ids import TenantId, uuid7
from filter_service.domain import benches as module
from filter_service.domain.benches import STALE_S, TTL_S, Benches
from filter_service.domain.policy import Policy
from filter_service.outbound.memory_policies import MemoryPolicies
from runtime.clock import FrozenClock
from runtime.errors import NotFound, Unavailable
from runtime.tenancy import TenantScope


class WatchedPolicies(MemoryPolicies):
    """Counts its readers, can be away, and can be made to answer late."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.is_away = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def current(self, scope: TenantScope) -> Policy:
        self.reads += 1
        if self.is_away:
            raise Unavailable
        found = await super().current(scope)
        await self.gate.wait()
        return found


def scope() -> TenantScope:
    return TenantScope(TenantId(uuid7()), "service:test")


async def test_a_policy_is_read_once_while_it_is_fresh() -> None:
    policies, clock, someone = WatchedPolicies(), FrozenClock(), scope()
    benches = Benches(policies, clock)
    first = await benches.current(someone)
    clock.advance(TTL_S - 1)
    assert await benches.current(someone) is first
    assert policies.reads == 1
    clock.advance(2)
    assert await benches.current(someone) is first, "the same version is not compiled twice"
    assert policies.reads == 2


async def test_openings_at_the_same_time_ask_once() -> None:
    policies, someone = WatchedPolicies(), scope()
    benches = Benches(policies, FrozenClock())
    made = await asyncio.gather(*(benches.current(someone) for _ in range(20)))
    assert policies.reads == 1
    assert len(set(map(id, made))) == 1


async def test_businesses_do_not_share_a_policy() -> None:
    policies, one, other = WatchedPolicies(), scope(), scope()
    benches = Benches(policies, FrozenClock())
    await policies.replace(one, Policy(terms=("acme",)))
    assert (await benches.current(one)).version == 1
    assert (await benches.current(other)).version == 0


async def test_a_change_is_seen_once_it_is_heard() -> None:
    policies, someone = WatchedPolicies(), scope()
    benches = Benches(policies, FrozenClock())
    await benches.current(someone)
    await policies.replace(someone, Policy(terms=("acme",)))
    assert (await benches.current(someone)).version == 0
    benches.forget(someone.tenant_id, 1)
    assert (await benches.current(someone)).version == 1
    benches.forget(someone.tenant_id, 1)
    await benches.current(someone)
    assert policies.reads == 2, "what is known already is not forgotten"


async def test_a_change_heard_while_the_older_policy_is_read_is_not_lost() -> None:
    policies, someone = WatchedPolicies(), scope()
    benches = Benches(policies, FrozenClock())
    policies.gate.clear()
    reading = asyncio.create_task(benches.current(someone))
    await asyncio.sleep(0)
    await policies.replace(someone, Policy(terms=("acme",)))
    benches.forget(someone.tenant_id, 1)
    policies.gate.set()
    await reading
    assert (await benches.current(someone)).version == 1


async def test_without_the_database_what_is_known_goes_on_for_a_while() -> None:
    policies, clock, someone = WatchedPolicies(), FrozenClock(), scope()
    benches = Benches(policies, clock)
    known = await benches.current(someone)
    policies.is_away = True
    clock.advance(TTL_S + 1)
    assert await benches.current(someone) is known
    with pytest.raises(Unavailable):
        await benches.current(scope())
    clock.advance(STALE_S)
    with pytest.raises(Unavailable):
        await benches.current(someone)


async def test_an_answer_under_way_keeps_its_version() -> None:
    policies, someone = WatchedPolicies(), scope()
    benches = Benches(policies, FrozenClock())
    for term in ("acme", "corp"):
        await policies.replace(someone, Policy(terms=(term,)))
    assert [(await benches.at(someone, version)).version for version in (0, 1, 2)] == [0, 1, 2]
    assert await benches.at(someone, 1) is await benches.at(someone, 1)
    with pytest.raises(NotFound):
        await benches.at(someone, 3)


async def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT", 3)
    policies, scopes = WatchedPolicies(), [scope() for _ in range(5)]
    benches = Benches(policies, FrozenClock())
    for someone in scopes:
        await benches.current(someone)
    await benches.current(scopes[-1])
    assert policies.reads == 5
    await benches.current(scopes[0])
    assert policies.reads == 6
