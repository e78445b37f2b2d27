"""When a document will be ready, by the pace of what takes longest."""

import math
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from ingest_service.domain.document import Document, State
from runtime.clock import Clock

_LONG: Final = {State.PARSING, State.EMBEDDING}


class Expected(NamedTuple):
    """When it will be ready, and how many seconds are left until then."""

    at: datetime
    in_s: int


class Estimate:
    """Of one attempt at `whole` passages or pictures, by its own pace.

    It is measured from the end of the attempt's first batch: what an earlier attempt wrote took no time of this one,
    and a first batch may wait for a model to be loaded. `behind`: what is to be done after them all, as a share of the
    time that they take.
    """

    def __init__(self, whole: int, clock: Clock, *, behind: float = 0.0) -> None:
        self._whole = whole
        self._behind = behind * whole
        self._clock = clock
        self._first: tuple[int, float] | None = None

    def after(self, done: int) -> Expected | None:
        """Told after each batch how many are done; None while the pace is unknown, and at the end."""
        now_s = self._clock.monotonic_s()
        if self._first is None or done <= self._first[0]:
            self._first = self._first or (done, now_s)
            return None
        done_first, first_s = self._first
        left_s = (self._whole - done + self._behind) * (now_s - first_s) / (done - done_first)
        if left_s <= 0:
            return None
        return Expected(self._clock.now() + timedelta(seconds=left_s), math.ceil(left_s))


def seconds_left(document: Document, now: datetime) -> int | None:
    """Until it is ready; None when that is not known: nothing long is done just now, or it takes longer than it should.

    What waits has no estimate: nobody knows its passages.
    """
    if document.state not in _LONG or document.expected_at is None or document.expected_at <= now:
        return None
    return math.ceil((document.expected_at - now).total_seconds())
