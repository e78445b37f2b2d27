"""Places for what takes long, of which each business has one, so that others never wait for its end."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Final

from contracts.ids import TenantId
from runtime.tenancy import TenantScope

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
        self._taken: set[TenantId] = set()
        self._refused: Counter[TenantId] = Counter()

    @contextlib.contextmanager
    def one(self, scope: TenantScope) -> Iterator[None]:
        """Have the business's place. Raises NoPlace."""
        business = scope.tenant_id
        if business in self._taken or len(self._taken) >= self._most:
            self._refused[business] += 1
            raise NoPlace(min(LATEST_S, SOONEST_S + APART_S * self._refused[business]))
        self._refused.pop(business, None)
        self._taken.add(business)
        try:
            yield
        finally:
            self._taken.remove(business)
