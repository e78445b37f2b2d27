"""When a document will be ready, as far as its embedding tells."""

import math
from datetime import datetime, timedelta
from typing import NamedTuple

from ingest_service.domain.document import Document, State
from runtime.clock import Clock


class Expected(NamedTuple):
    """When it will be ready, and how many seconds are left until then."""

    at: datetime
    in_s: int


class Estimate:
    """Of one attempt at `passages` passages, by its own pace.

    It is measured from the end of the attempt's first batch: what an earlier attempt wrote took no time of this one,
    and a first batch may wait for a model to be loaded.
    """

    def __init__(self, passages: int, clock: Clock) -> None:
        self._passages = passages
        self._clock = clock
        self._first: tuple[int, float] | None = None

    def after(self, done: int) -> Expected | None:
        """Told after each batch how many passages are written; None while the pace is unknown, and at the end."""
        now_s = self._clock.monotonic_s()
        if self._first is None:
            self._first = done, now_s
            return None
        done_first, first_s = self._first
        left_s = (self._passages - done) * (now_s - first_s) / (done - done_first)
        if left_s <= 0:
            return None
        return Expected(self._clock.now() + timedelta(seconds=left_s), math.ceil(left_s))


def seconds_left(document: Document, now: datetime) -> int | None:
    """Until it is ready; None when that is not known: nothing is embedded just now, or it takes longer than it should.

    What waits has no estimate: nobody knows its passages.
    """
    if document.state is not State.EMBEDDING or document.expected_at is None or document.expected_at <= now:
        return None
    return math.ceil((document.expected_at - now).total_seconds())
