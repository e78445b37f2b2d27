"""Rate counters in the broker, in the stream RATE."""

import hashlib

from contracts import subjects
from runtime import counters
from runtime.bus import Bus
from runtime.clock import Clock
from runtime.errors import Unavailable

TIMEOUT_S = 0.25
AWAY_S = 2.0
"""After a failure nobody waits for the broker again for this long."""


class NatsCounters:
    """Implements `Counters`; the broker sees a hash of the key."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._away_until_s = float("-inf")

    async def add(self, key: str, window: int, amount: int) -> int:
        if not self._bus.is_connected or self._clock.monotonic_s() < self._away_until_s:
            # A request would wait for the whole timeout before it failed.
            raise Unavailable
        subject = subjects.rate(hashlib.sha256(key.encode()).hexdigest()[:32], window)
        try:
            return await counters.add(self._bus, subject, amount, timeout_s=TIMEOUT_S)
        except Unavailable:
            self._away_until_s = self._clock.monotonic_s() + AWAY_S
            raise
