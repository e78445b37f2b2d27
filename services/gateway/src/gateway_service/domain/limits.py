"""How often a caller may ask: so many requests in any minute, counted across all gateways.

Two neighbouring fixed windows approximate a sliding minute: the last window counts with the part of it that is still
inside the minute, so a burst over the border of two windows gets no double share.
"""

import math
from dataclasses import dataclass
from typing import Protocol

from runtime.clock import Clock
from runtime.errors import Unavailable

WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left; `reset_s` is the whole seconds until more is (when refused: until the next try can succeed)."""

    limit: int
    remaining: int
    reset_s: int
    is_allowed: bool


class Counters(Protocol):
    """One number for each key and window."""

    async def add(self, key: str, window: int, amount: int) -> int:
        """Add (0: only look) and return the new value.

        Raises:
            Unavailable: the shared counters are away.
        """
        ...


class LocalCounters:
    """This process's own counts: what is left when the shared ones are away."""

    def __init__(self) -> None:
        self._counts: dict[int, dict[str, int]] = {}

    async def add(self, key: str, window: int, amount: int) -> int:
        for old in [kept for kept in self._counts if kept < window - 1]:
            del self._counts[old]
        counts = self._counts.setdefault(window, {})
        value = counts.get(key, 0) + amount
        if amount:
            counts[key] = value
        return value


class RateLimits:
    """Counts each request of a caller; `limit` a minute, or an even share of it while the shared counters are away."""

    def __init__(self, counters: Counters, clock: Clock, *, limit: int, replicas: int = 1) -> None:
        self.limit = limit
        self._counters = counters
        self._local = LocalCounters()
        self._clock = clock
        self._replicas = replicas
        self._before: tuple[int, dict[str, int]] = (-1, {})

    async def take(self, principal_key: str, *, limit: int | None = None) -> Allowance:
        """Count one request. A refused one counts too: who does not wait, waits longer."""
        wanted = limit or self.limit
        window, elapsed = self._now()
        try:
            before = await self._count_before(principal_key, window)
            count = await self._counters.add(principal_key, window, 1)
        except Unavailable:
            wanted = max(1, wanted // self._replicas)
            before = await self._local.add(principal_key, window - 1, 0)
            count = await self._local.add(principal_key, window, 1)
        return weigh(wanted, before, count, elapsed)

    async def give_back(self, principal_key: str) -> None:
        """Uncount one request that turned out not to matter."""
        window, _ = self._now()
        try:
            await self._counters.add(principal_key, window, -1)
        except Unavailable:
            await self._local.add(principal_key, window, -1)

    def _now(self) -> tuple[int, float]:
        window, elapsed = divmod(self._clock.now().timestamp(), WINDOW_S)
        return int(window), elapsed / WINDOW_S

    async def _count_before(self, key: str, window: int) -> int:
        """The last window's count: it does not change any more, so it is asked once."""
        if self._before[0] != window:
            self._before = (window, {})
        counts = self._before[1]
        if key not in counts:
            counts[key] = await self._counters.add(key, window - 1, 0)
        return counts[key]


def weigh(limit: int, before: int, count: int, elapsed: float) -> Allowance:
    """Judge the request that made `count`; `elapsed` is the part (0 to 1) of the current window that is over."""
    # Requests refused in the last window must not reach into this one.
    before = min(max(before, 0), limit)
    used = before * (1 - elapsed) + count
    if used <= limit:
        return Allowance(limit, int(limit - used), math.ceil(WINDOW_S * (1 - elapsed)), is_allowed=True)
    return Allowance(limit, 0, max(1, math.ceil(WINDOW_S * _wait(limit, before, count, elapsed))), is_allowed=False)


def _wait(limit: int, before: int, count: int, elapsed: float) -> float:
    """Windows until one more request would pass."""
    room = limit - count - 1
    if room >= 0 and before > 0:
        return max(0.0, 1 - room / before - elapsed)
    # This window is spent: it becomes the last one, and must fade by one request.
    return 1 - elapsed + 1 / limit
