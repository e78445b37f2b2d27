"""How raw tokens leave this process: at once while they are few, gathered while they are many.

Each message costs every process on its way a wake-up, a read and a write. When a hundred answers run at once their
tokens come a fraction of a millisecond apart, so what is said within 2 ms after the last write goes out in one
write, and the filter, the broker and the gateway each handle it in one turn of their loops. A lone token never
waits: the first after a pause leaves at once. bench/token_path.py shows what this costs in latency and saves in
CPU.
"""

import asyncio

import nats.errors
from prometheus_client import Counter

from runtime import logs
from runtime.bus import Bus

GATHER_S = 0.002

LOST = Counter("inference_raw_messages_lost_total", "Raw token messages that the connection would not take.")

_log = logs.get_logger()


class TokenWire:
    """Publishes in order; never makes the sender wait."""

    def __init__(self, bus: Bus, gather_s: float = GATHER_S) -> None:
        self._bus = bus
        self._gather_s = gather_s
        self._waiting: list[tuple[str, bytes]] = []
        self._wake = asyncio.Event()

    def send(self, subject: str, body: bytes) -> None:
        """Queue one message."""
        self._waiting.append((subject, body))
        self._wake.set()

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
        for number, (subject, body) in enumerate(messages):
            try:
                await publish(subject, body)
            except (nats.errors.Error, OSError) as error:
                # Nothing is lost for good: without receipts each stream is replayed.
                LOST.inc(len(messages) - number)
                _log.warning("tokens.unsent", error=type(error).__name__, messages=len(messages) - number)
                return
