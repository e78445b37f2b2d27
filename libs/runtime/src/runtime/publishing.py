"""Publish into a stream, and tell a message that the server refuses from a server that is away.

A refused subject gets no answer: the server only says on the connection that it may not be said. A body of nearly
`max_payload` is worse: with its headers it is too large, and the server closes the connection over it.
"""

import asyncio
import re
from collections import defaultdict
from typing import Literal

import nats.errors
from nats.aio.client import Client
from nats.js.errors import APIError

from runtime import tracing
from runtime.errors import Retryable, Unavailable

TIMEOUT_S = 3.0
HEADERS_ROOM = 4_096
"""Bytes left for headers below `max_payload`, which counts them; ours take some 300."""

# JSStreamMsgsPerSubjectExceeded (discard new per subject), JSStreamStoreFailed with the same cause.
_CAP_REACHED = (10077, 10059)
# JSStreamMessageExceedsMaximum, JSStreamHeaderExceedsMaximum
_TOO_LARGE = (10054, 10097)
_BAD_REQUEST = 400
"""What the server says of a message; of itself it says 503."""

_FORBIDDEN = re.compile(r'permissions violation for publish to "([^"]+)"')


class CapReached(Retryable):
    """The queue holds as much of this tenant as it may."""

    default_code = "too_many_turns"


class Refused(Retryable):
    """The broker is there and does not take this message: until somebody changes its permissions or its limits."""

    def __init__(self, reason: Literal["permissions", "too_large", "invalid"]) -> None:
        super().__init__(f"the broker refuses a message: {reason}")
        self.reason = reason


class Publishing:
    """What is under way on one connection."""

    def __init__(self) -> None:
        self._under_way: defaultdict[str, set[asyncio.Timeout]] = defaultdict(set)
        """By subject in small letters, because nats-py tells errors so."""

    async def publish(self, nc: Client, subject: str, body: bytes, *, stream: str, headers: dict[str, str]) -> None:
        """Publish; returns after the PubAck.

        Raises:
            CapReached: the tenant's cap in this queue is reached.
            Refused: the broker does not take this message.
            Unavailable: the broker is away or did not acknowledge in time.
        """
        if len(body) + HEADERS_ROOM > nc.max_payload:
            raise Refused("too_large")
        patience, asked = asyncio.timeout(None), self._under_way[subject.lower()]
        asked.add(patience)
        try:
            async with patience:
                with tracing.asking(subject, headers):
                    await nc.jetstream(timeout=TIMEOUT_S).publish(subject, body, stream=stream, headers=headers)
        except APIError as error:
            raise _decided(error) from error
        except (TimeoutError, nats.errors.Error, OSError) as error:
            if patience.expired():
                raise Refused("permissions") from error
            raise Unavailable("the broker is away", retry_after_s=2) from error
        finally:
            asked.discard(patience)
            if not asked:
                self._under_way.pop(subject.lower(), None)

    def heard(self, error: str) -> None:
        """What the server said on the connection: who waits to be heard on a refused subject waits no longer."""
        refused = _FORBIDDEN.search(error.lower())
        for patience in self._under_way.get(refused[1], ()) if refused else ():
            # one that is told already may be ending, and then it cannot be told again
            if patience.when() is None:
                patience.reschedule(asyncio.get_running_loop().time())


def _decided(error: APIError) -> Retryable:
    if error.err_code in _CAP_REACHED:
        return CapReached(retry_after_s=2)
    if error.err_code in _TOO_LARGE:
        return Refused("too_large")
    if error.code == _BAD_REQUEST:
        return Refused("invalid")
    return Unavailable("the broker refused a message", retry_after_s=2)
