"""Places for what takes long, of which each business has one, so that others never wait for its end."""

import asyncio
import contextlib
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
        business = scope.tenant_id
        if business in self._taken or len(self._taken) >= self._most:
            self._refused[business] += 1
            raise NoPlace(min(LATEST_S, SOONEST_S + APART_S * self._refused[business]))
        self._refused.pop(business, None)
        self._taken[business] = time.monotonic()
        try:
            yield
        finally:
            del self._taken[business]
            self._freed.set()
            self._freed = asyncio.Event()
