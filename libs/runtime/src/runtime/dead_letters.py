"""Dead letters, read and sent again, with the rights of the NATS user `operator`.

A letter is replayed under its old subject and `Event-Id` with a fresh `Nats-Msg-Id`: inside the dedupe window the old
one would be answered with success and dropped. Handlers know an event by its `Event-Id`: replaying twice is harmless.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import APIError, NotFoundError

from contracts.ids import uuid7
from runtime.bus import EVENT_ID, MESSAGE_ID, SCHEMA, Bus
from runtime.errors import NotFound, Rejected, Unavailable

STREAM = "DLQ"
REASON, SUBJECT = "Dlq-Reason", "Dlq-Subject"
TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter without its payload. `sequence` names it; `died_at` is when it was buried."""

    sequence: int
    stream: str
    consumer: str
    reason: str
    subject: str
    schema: str
    event_id: str
    died_at: datetime | None


async def letters(bus: Bus) -> AsyncIterator[Letter]:
    """All that are kept, oldest first.

    Raises:
        Unavailable: the broker is away.
    """
    jetstream, sequence = bus.nc.jetstream(timeout=TIMEOUT_S), 0
    while True:
        try:
            found = await _get(jetstream, sequence + 1, is_next=True)
        except NotFound:
            return
        letter = _letter(found)
        sequence = letter.sequence
        yield letter


async def replay(bus: Bus, sequence: int) -> Letter:
    """Send one again; returns after the broker has it. The letter stays until it is too old.

    Raises:
        NotFound: there is no such letter.
        Rejected: it names no stream that it came from.
        Overloaded: the tenant's queue is full now.
        Unavailable: the broker is away.
    """
    found = await _get(bus.nc.jetstream(timeout=TIMEOUT_S), sequence)
    letter = _letter(found)
    if not (letter.subject and letter.stream):
        raise Rejected("this letter does not say where it came from")
    kept = {name: value for name, value in (found.headers or {}).items() if name in {EVENT_ID, SCHEMA, "traceparent"}}
    headers = kept | {MESSAGE_ID: f"replay:{uuid7()}"}
    await bus.publish(letter.subject, found.data or b"", stream=letter.stream, headers=headers)
    return letter


async def _get(jetstream: JetStreamContext, sequence: int, *, is_next: bool = False) -> RawStreamMsg:
    try:
        if is_next:
            return await jetstream.get_msg(STREAM, seq=sequence, subject="dlq.>", next=True)
        return await jetstream.get_msg(STREAM, seq=sequence)
    except NotFoundError:
        raise NotFound(f"there is no dead letter {sequence}") from None
    except (nats.errors.Error, APIError, TimeoutError, OSError) as error:
        raise Unavailable("the broker is away") from error


def _letter(found: RawStreamMsg) -> Letter:
    headers = found.headers or {}
    _, stream, consumer = (found.subject or "..").split(".", 2)
    return Letter(
        sequence=found.seq or 0,
        stream=stream,
        consumer=consumer,
        reason=headers.get(REASON, ""),
        subject=headers.get(SUBJECT, ""),
        schema=headers.get(SCHEMA, ""),
        event_id=headers.get(EVENT_ID, ""),
        died_at=found.time,
    )
