"""How raw tokens leave this process, and how their receipts come back: those of all answers together.

Each message costs every process on its way a wake-up, a read and a write. When a hundred answers run at once their
tokens come a fraction of a millisecond apart, so what is said within 2 ms after the last write goes out in one
write, as one message to each filter replica, which says receipts of it a little later. A lone token never waits: the
first after a pause leaves at once. bench/token_path.py shows what this costs in latency and saves in CPU.

A receipt goes to the batch's reply, when an answer has ended and every quarter of a second. The filter says it after
the broker answered a PING behind the frames it tells of, so whoever hears it knows that the broker has them.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import nats.errors
import orjson
from nats.aio.msg import Msg
from prometheus_client import Counter

from contracts import subjects
from contracts.ids import uuid7
from runtime import logs
from runtime.bus import Bus
from runtime.token_tap import tap

GATHER_S = 0.002
BATCH_BYTES = 32 << 10
"""Most in one message, unless a single piece is larger: what it releases may be longer, and must fit one receipt."""

LOST = Counter("inference_raw_messages_lost_total", "Raw token messages that the connection would not take.")

Hear = Callable[[dict[str, Any]], None]

_log = logs.get_logger()


class TokenWire:
    """Publishes in order; never makes the sender wait."""

    def __init__(self, bus: Bus, gather_s: float = GATHER_S) -> None:
        self._bus = bus
        self._gather_s = gather_s
        self._waiting: list[tuple[str, bytes]] = []
        self._wake = asyncio.Event()
        self._receipts = subjects.receipts(uuid7().hex)
        self._hearers: dict[str, Hear] = {}

    async def start(self) -> None:
        """Begin to hear receipts."""
        await tap(self._bus.nc, self._receipts, self._heard)

    def send(self, subject: str, body: bytes) -> None:
        """Queue one raw message to the replica that takes batches at `subject`."""
        self._waiting.append((subject, body))
        self._wake.set()

    @contextmanager
    def hearing(self, message_id: str, hear: Hear) -> Iterator[None]:
        """Inside the block `hear` is called with every frame of this answer that is out: tokens and the end."""
        self._hearers[message_id] = hear
        try:
            yield
        finally:
            # A later attempt of the same answer may have begun here before this one was done with.
            if self._hearers.get(message_id) is hear:
                del self._hearers[message_id]

    async def run(self) -> None:
        """Write what is queued. Runs until cancelled."""
        clock = asyncio.get_running_loop().time
        written_at = 0.0
        while True:
            await self._wake.wait()
            pause_s = written_at + self._gather_s - clock()
            if pause_s > 0:
                await asyncio.sleep(pause_s)
            self._wake.clear()
            messages, self._waiting = self._waiting, []
            written_at = clock()
            await self._write(messages)

    async def _write(self, messages: list[tuple[str, bytes]]) -> None:
        publish = self._bus.nc.publish
        for subject, bodies in _batches(messages):
            try:
                await publish(subject, b'{"type":"batch","parts":[%b]}' % b",".join(bodies), reply=self._receipts)
            except (nats.errors.Error, OSError) as error:
                # Nothing is lost for good: without receipts each stream is replayed.
                LOST.inc(len(bodies))
                _log.warning("tokens.unsent", error=type(error).__name__, messages=len(bodies))

    def _heard(self, message: Msg) -> None:
        for frame in orjson.loads(message.data)["frames"]:
            hear = self._hearers.get(frame["message_id"])
            if hear is not None:
                hear(frame)


def _batches(messages: list[tuple[str, bytes]]) -> Iterator[tuple[str, list[bytes]]]:
    """By subject, in the order in which they were said within each, cut where they become large."""
    gathered: dict[str, tuple[list[bytes], int]] = {}
    for subject, body in messages:
        bodies, size = gathered.get(subject, ([], 0))
        if bodies and size + len(body) > BATCH_BYTES:
            yield subject, bodies
            bodies, size = [], 0
        bodies.append(body)
        gathered[subject] = bodies, size + len(body)
    for subject, (bodies, _) in gathered.items():
        yield subject, bodies
