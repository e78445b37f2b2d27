"""What TOKENS still holds of an answer, read back without a consumer: direct get of everything on one subject."""

import nats.errors
import orjson

from runtime.bus import Bus
from runtime.errors import Unavailable

SUBJECT = "$JS.API.DIRECT.GET.TOKENS"
BATCH = 5_000
TIMEOUT_S = 3.0
END_OF_BATCH, NOT_FOUND = "204", "404"


async def read_history(bus: Bus, subject: str) -> list[bytes]:
    """Every frame on `subject`, oldest first; empty when there is none any more.

    Protocol: batched direct get of JetStream (ADR-31): messages carry `Nats-Sequence` and `Nats-Num-Pending`, a batch
    ends with status 204, and 404 says that there is nothing.

    Raises:
        Unavailable: the broker is away.
    """
    frames: list[bytes] = []
    sequence = 1
    while True:
        found, sequence, pending = await _batch(bus, subject, sequence)
        frames += found
        if not pending:
            return frames


async def _batch(bus: Bus, subject: str, sequence: int) -> tuple[list[bytes], int, int]:
    """One batch from `sequence` on: its frames, where the next begins, and how many are left."""
    connection = bus.nc
    inbox = connection.new_inbox()
    frames: list[bytes] = []
    last = sequence
    try:
        subscription = await connection.subscribe(inbox)
        try:
            question = orjson.dumps({"seq": sequence, "batch": BATCH, "next_by_subj": subject})
            await connection.publish(SUBJECT, question, reply=inbox)
            while True:
                message = await subscription.next_msg(timeout=TIMEOUT_S)
                headers = message.headers or {}
                status = headers.get("Status")
                if status == NOT_FOUND:
                    return frames, last, 0
                if status == END_OF_BATCH:
                    last = int(headers.get("Nats-Last-Sequence", last))
                    return frames, last + 1, int(headers.get("Nats-Num-Pending", 0))
                frames.append(message.data)
        finally:
            await subscription.unsubscribe()
    except (nats.errors.Error, TimeoutError, OSError) as error:
        raise Unavailable("the history of the answer cannot be read now", retry_after_s=2) from error
