"""Places for what takes long, of which each business has one, so that others never wait for its end.

Who finds none comes back later, and others come all the time: so a place that comes free is held for the business that
has waited for longest, as long as it is about to come back.
"""

import asyncio
import contextlib
import itertools
import math
import time
from collections import Counter
from collections.abc import Iterator
from typing import Final

from contracts.ids import TenantId
from runtime.tenancy import TenantScope

QUICK_S: Final = 1.0
"""A place that was taken less long ago is likely to come free at once."""
SOONEST_S: Final = 1.0
APART_S: Final = 0.25
LATEST_S: Final = 30.0
"""Each that finds no place comes back a little later than the one before it: a thousand pages that wait must not keep
the database busy with asking."""
HELD_S: Final = 6.0
"""A place is held so long before and after its business was to come back: the reconciler looks every 5 s."""


class NoPlace(Exception):
    """It has to wait until another of its business, or of any, is done; `pause_s`: ask again so many seconds later."""

    def __init__(self, pause_s: float) -> None:
        super().__init__(f"no place, again in {pause_s} s")
        self.pause_s = pause_s


class Places:
    """At most `most` are at work in this process, and one of each business."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[TenantId, float] = {}
        """Since when."""
        self._refused: Counter[TenantId] = Counter()
        self._waiting: dict[TenantId, float] = {}
        """Until when, as they began to wait."""
        self._freed = asyncio.Event()

    async def soon(self, scope: TenantScope) -> None:
        """Wait for the business's place, but not for one that is slow: what is quick need not come back for it."""
        while (since := self._taken.get(scope.tenant_id)) is not None:
            freed, left_s = self._freed, since + QUICK_S - time.monotonic()
            if left_s <= 0:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await freed.wait()

    @contextlib.contextmanager
    def one(self, scope: TenantScope) -> Iterator[None]:
        """Have the business's place. Raises NoPlace."""
        business, now = scope.tenant_id, time.monotonic()
        if business in self._taken or len(self._taken) + self._ahead(business, now) >= self._most:
            raise NoPlace(self._pause(business, now))
        self._refused.pop(business, None)
        self._waiting.pop(business, None)
        self._taken[business] = now
        try:
            yield
        finally:
            del self._taken[business]
            self._freed.set()
            self._freed = asyncio.Event()

    def _ahead(self, business: TenantId, now: float) -> int:
        """How many have waited for longer, and are about to come back."""
        before = itertools.takewhile(lambda each: each != business, self._waiting)
        return sum(abs(self._waiting[each] - now) <= HELD_S for each in before)

    def _pause(self, business: TenantId, now: float) -> float:
        """Until it comes back; of what is next in turn one comes back soon."""
        self._refused[business] += 1
        pause_s = min(LATEST_S, SOONEST_S + APART_S * self._refused[business])
        if business in self._taken:
            return pause_s
        for each in [each for each, due_at in self._waiting.items() if due_at + LATEST_S < now]:
            del self._waiting[each]
        due_at = self._waiting.setdefault(business, now)
        if due_at <= now and business in itertools.islice(self._waiting, self._most):
            pause_s = SOONEST_S + APART_S
        self._waiting[business] = min(due_at if due_at > now else math.inf, now + pause_s)
        return pause_s
