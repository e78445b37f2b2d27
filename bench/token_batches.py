"""What a batch of raw tokens saves over as many messages: `uv run python bench/token_batches.py`.

The real broker and one filter process; this process is the worker. Every 5 ms each of a few streams says one token,
as messages of their own, confirmed by the frames on `tok`, or as one batch, confirmed by receipts. The ways take turns;
CPU is that of each process by its own clock, medians of the rounds.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
from typing import Any

import orjson
from nats.aio.msg import Msg
from process_cost import cost_of
from token_tables import head, row

from contracts import filter as channels
from contracts import subjects
from contracts.ids import ConversationId, MessageId, TenantId, uuid7
from runtime.bus import Bus
from runtime.errors import Unavailable
from runtime.tenancy import TenantScope
from runtime.token_tap import tap
from tests.support.platform import make_platform
from tests.support.ports import free_ports

RECEIPTS = subjects.receipts("be")
STEP_S = 0.005


class Worker:
    """Streams that speak at the same time."""

    def __init__(self, bus: Bus, streams: int) -> None:
        self._bus = bus
        self._scope = TenantScope(TenantId(uuid7()), "service:bench")
        self._ids = [(ConversationId(uuid7()), MessageId(uuid7())) for _ in range(streams)]
        self._opened: list[channels.StreamOpened] = []
        self._said = self._confirmed = 0
        self._all = asyncio.Event()

    async def open(self, *, is_batched: bool) -> None:
        for conversation_id, message_id in self._ids:
            question = channels.OpenStream(conversation_id=conversation_id, message_id=message_id, attempt=1)
            self._opened.append(await self._answered(question))
            if not is_batched:
                await tap(self._bus.nc, subjects.tok(self._scope.tenant_id, conversation_id, message_id), self._heard)
        await self._say([{"type": "start", "model": "bench", "sources": []}] * len(self._ids), is_batched=False)
        if is_batched:
            await tap(self._bus.nc, RECEIPTS, self._heard_receipt)

    async def run(self, steps: int, *, is_batched: bool) -> None:
        """That many tokens of each stream; returns when all are confirmed."""
        clock = asyncio.get_running_loop().time
        next_at = clock()
        for _ in range(steps):
            token = {"type": "tokens", "first": self._said, "texts": [f"t{self._said}:{os.getpid()} "]}
            self._said += 1
            await self._say([token] * len(self._ids), is_batched=is_batched)
            next_at += STEP_S
            await asyncio.sleep(max(0.0, next_at - clock()))
        if self._confirmed < self._said * len(self._ids):
            self._all.clear()
            await self._all.wait()

    async def _answered(self, question: channels.OpenStream) -> channels.StreamOpened:
        for _ in range(100):
            try:
                return await self._bus.request(channels.OPEN_STREAM, question, self._scope)
            except Unavailable:
                await asyncio.sleep(0.2)
        raise TimeoutError("the filter does not answer")

    async def _say(self, raws: list[dict[str, object]], *, is_batched: bool) -> None:
        parts = [
            orjson.dumps({**raw, "message_id": str(message_id), "attempt": 1})
            for raw, (_, message_id) in zip(raws, self._ids, strict=True)
        ]
        if is_batched:
            body = b'{"type":"batch","parts":[%b]}' % b",".join(parts)
            await self._bus.nc.publish(self._opened[0].batches or "", body, reply=RECEIPTS)
            return
        for opened, part in zip(self._opened, parts, strict=True):
            await self._bus.nc.publish(opened.subject, part)

    def _heard(self, message: Msg) -> None:
        self._confirm([orjson.loads(message.data)])

    def _heard_receipt(self, message: Msg) -> None:
        self._confirm(orjson.loads(message.data)["frames"])

    def _confirm(self, frames: list[dict[str, Any]]) -> None:
        tokens = [frame for frame in frames if frame["type"] == "token"]
        self._confirmed += sum(frame["seq"] - frame.get("from_seq", frame["seq"]) + 1 for frame in tokens)
        if self._confirmed >= self._said * len(self._ids):
            self._all.set()


async def measure(bus: Bus, streams: int, steps: int, *, is_batched: bool) -> dict[str, float]:
    """CPU microseconds a token, by process."""
    worker = Worker(bus, streams)
    await worker.open(is_batched=is_batched)
    await worker.run(1, is_batched=is_batched)
    before = cost_of(os.getpid())
    await worker.run(steps, is_batched=is_batched)
    spent = cost_of(os.getpid()).since(before)
    named = {"worker": spent["supervisor"], "filter": spent["filter"], "nats": spent["nats"]}
    return {name: seconds / steps / streams * 1e6 for name, seconds in named.items()}


async def run(nats_url: str, seed: str, given: argparse.Namespace) -> None:
    for line in head(["streams in a step", "raw tokens", "worker µs a token", "filter", "nats", "together"]):
        print(line)
    for streams in given.streams:
        found: dict[bool, list[dict[str, float]]] = {False: [], True: []}
        for _ in range(given.rounds):
            for is_batched, runs in found.items():
                bus = Bus("inference", nats_url, seed)
                await bus.connect()
                runs.append(await measure(bus, streams, given.steps, is_batched=is_batched))
                await bus.stop()
        for is_batched, runs in found.items():
            spent = [statistics.median(run[name] for run in runs) for name in ("worker", "filter", "nats")]
            way = "one batch" if is_batched else "alone"
            cells = [str(streams), way, *(f"{us:.1f}" for us in [*spent, sum(spent)])]
            print(row(cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=lambda text: [int(part) for part in text.split(",")], default=[1, 7, 14])
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    platform = make_platform(only=("operator",)).start()
    environment = {**os.environ, **platform.env("filter", free_ports(1))}
    replica = subprocess.Popen([sys.executable, "-m", "filter_service"], env=environment)
    try:
        asyncio.run(run(platform.nats_url, platform.seed("inference"), given))
        measured = f"{given.rounds} rounds of {given.steps} steps"
        print(f"\n{measured}, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    finally:
        replica.terminate()
        replica.wait(60)
        platform.stop()


if __name__ == "__main__":
    main()
