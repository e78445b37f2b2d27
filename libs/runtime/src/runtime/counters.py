"""Counters in the broker: a stream that counts adds up what is published, and its acknowledgement carries the sum."""

import nats.errors
import nats.js.errors

from runtime.bus import Bus
from runtime.errors import Unavailable


async def add(bus: Bus, subject: str, amount: int, *, timeout_s: float) -> int:
    """Add to one counter; returns the sum, which other processes may have added to.

    Raises:
        Unavailable: the broker is away, or did not say the sum in time.
    """
    try:
        # No `stream=` here: a counter message with an expected stream is refused (nats-server 2.15, error 10171).
        ack = await bus.nc.jetstream(timeout=timeout_s).publish(subject, headers={"Nats-Incr": f"{amount:+d}"})
    except (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError) as error:
        raise Unavailable("the broker is away", retry_after_s=2) from error
    if ack.val is None:
        raise Unavailable("the broker did not count")
    return int(ack.val)
