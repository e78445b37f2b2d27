"""Policies made ready for judging, remembered: the opening of a stream asks the database rarely, a token never."""

import asyncio
from collections import OrderedDict
from typing import TypeVar

from contracts.ids import TenantId
from filter_service.domain.judge import Bench, prepare
from filter_service.domain.policy import Policy
from filter_service.domain.ports import Policies
from runtime.clock import Clock
from runtime.errors import Unavailable
from runtime.tenancy import TenantScope

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")

# A change is heard as a fact at once; this is for the replica that missed it.
TTL_S = 30.0
# While the database is away a policy cannot be changed either: what is known goes on being used for so long.
STALE_S = 600.0
MAX_KEPT = 2_000


class Benches:
    """Benches by business and version."""

    def __init__(self, policies: Policies, clock: Clock) -> None:
        self._policies = policies
        self._clock = clock
        self._made: OrderedDict[tuple[TenantId, int], Bench] = OrderedDict()
        # With the moment when it was read.
        self._current: OrderedDict[TenantId, tuple[Bench, float]] = OrderedDict()
        self._reading: dict[TenantId, asyncio.Task[Bench]] = {}

    async def current(self, scope: TenantScope) -> Bench:
        """By the newest policy, as far as this replica knows.

        Raises:
            Unavailable: the policy is not known here and the database is away.
        """
        known, age_s = self._known(scope.tenant_id)
        if known is not None and age_s < TTL_S:
            return known
        try:
            return await asyncio.shield(self._read_once(scope))
        except Unavailable:
            if known is None or age_s > STALE_S:
                raise
            return known

    async def at(self, scope: TenantScope, version: int) -> Bench:
        """By one version: an answer is judged to its end by the policy it began with.

        Raises:
            NotFound: there is no such version.
            Unavailable: it is not known here and the database is away.
        """
        made = self._made.get((scope.tenant_id, version))
        return made or await self._make(scope.tenant_id, await self._policies.at(scope, version))

    def forget(self, tenant_id: TenantId, version: int) -> None:
        """The business has a policy of this version now: an older one is current no more."""
        known, _ = self._known(tenant_id)
        if known is not None and known.version < version:
            del self._current[tenant_id]
        # What is being read may be the older one: whoever asks next reads again.
        self._reading.pop(tenant_id, None)

    def _known(self, tenant_id: TenantId) -> tuple[Bench | None, float]:
        bench, read_at_s = self._current.get(tenant_id, (None, 0.0))
        return bench, self._clock.monotonic_s() - read_at_s

    def _read_once(self, scope: TenantScope) -> "asyncio.Task[Bench]":
        """Many streams of one business may open at once: one of them asks."""
        reading = self._reading.get(scope.tenant_id)
        if reading is None:
            reading = self._reading[scope.tenant_id] = asyncio.create_task(self._read(scope))
            reading.add_done_callback(lambda task: self._keep(scope.tenant_id, task))
        return reading

    async def _read(self, scope: TenantScope) -> Bench:
        return await self._make(scope.tenant_id, await self._policies.current(scope))

    def _keep(self, tenant_id: TenantId, reading: "asyncio.Task[Bench]") -> None:
        has_failed = reading.cancelled() or reading.exception() is not None
        if self._reading.get(tenant_id) is not reading:
            return
        del self._reading[tenant_id]
        if not has_failed:
            self._current[tenant_id] = (reading.result(), self._clock.monotonic_s())
            _trim(self._current, tenant_id)

    async def _make(self, tenant_id: TenantId, policy: Policy) -> Bench:
        key = (tenant_id, policy.version)
        made = self._made.get(key)
        if made is None:
            # In a thread: tokens of other answers go on meanwhile.
            made = await asyncio.to_thread(prepare, policy)
        self._made[key] = made
        _trim(self._made, key)
        return made


def _trim(kept: OrderedDict[KeyT, ValueT], newest: KeyT) -> None:
    kept.move_to_end(newest)
    while len(kept) > MAX_KEPT:
        kept.popitem(last=False)
