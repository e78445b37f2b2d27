"""Rate counters in the broker: the stream RATE adds up what is published, and its acknowledgement carries the sum."""

import hashlib

import nats.errors
import nats.js.errors

from contracts import subjects
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
            # No `stream=` here: a counter message with an expected stream is refused (nats-server 2.15, error 10171).
            ack = await self._bus.nc.jetstream(timeout=TIMEOUT_S).publish(
                subject, headers={"Nats-Incr": f"{amount:+d}"}
            )
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError) as error:
            self._away_until_s = self._clock.monotonic_s() + AWAY_S
            raise Unavailable from error
        if ack.val is None:
            raise Unavailable
        return int(ack.val)
