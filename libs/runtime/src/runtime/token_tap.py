"""A subscription of tokens or questions: each message is handed to a plain function in the same turn that read it.

nats-py gives every subscription a queue and a task that waits at it. For a token that is one more switch of tasks than
its whole handling costs, and each answer has subscriptions of its own. The tap sits where the queue does and calls.
"""

from collections.abc import Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from runtime import logs

Hear = Callable[[Msg], None]

_log = logs.get_logger()


class _Tap:
    """What nats-py asks of a subscription's queue; nothing ever waits in it."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear

    def put_nowait(self, message: Msg) -> None:
        try:
            self._hear(message)
        except Exception:  # noqa: BLE001 - a message that cannot be read must not end the connection's reading
            _log.exception("token.refused", size=len(message.data))

    def qsize(self) -> int:
        return 0

    async def join(self) -> None:
        """For a drain: all was handled when it came."""


async def tap(connection: Client, subject: str, hear: Hear, queue: str = "") -> Subscription:
    """Subscribe, alone or as one of a queue group; `hear` must not wait, and what it raises is logged."""
    # Without a limit of bytes: nothing is counted as waiting, because nothing takes it out again.
    subscription = await connection.subscribe(subject, queue, pending_bytes_limit=0)
    waiting, subscription._pending_queue = subscription._pending_queue, _Tap(hear)  # type: ignore[assignment]  # noqa: SLF001 - there is no public seat
    while not waiting.empty():
        hear(waiting.get_nowait())
    return subscription
