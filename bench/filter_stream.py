"""What one filter process costs on the real broker: `uv run python bench/filter_stream.py`.

This process takes the worker's place: 100 streams, paced, one raw message a token, every frame read back. CPU is the
filter process's own (its clock, in nanoseconds), which moves far less with the machine's load than the delay from raw
piece to frame does. Policy: cards (the default); tokens: words, and stamps.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts import filter as channels
from contracts import subjects
from contracts.ids import ConversationId, MessageId, TenantId, uuid7
from runtime.bus import Bus
from runtime.errors import Unavailable
from runtime.tenancy import TenantScope
from tests.support.platform import Platform, make_platform
from tests.support.ports import free_ports

WORDS = ("You", " can", " return", " it", " within", " 30", " days", " of", " delivery", ".")


class Fed:
    """One stream: sends stamped raw pieces, notes the delay of each frame."""

    def __init__(self, bus: Bus, scope: TenantScope) -> None:
        self._bus = bus
        self._scope = scope
        self._conversation = ConversationId(uuid7())
        self._message = MessageId(uuid7())
        self._sent_ns: list[int] = []
        self.delays_ms: list[float] = []
        self.ended = asyncio.Event()

    async def open(self) -> None:
        question = channels.OpenStream(conversation_id=self._conversation, message_id=self._message, attempt=1)
        self._subject = (await self._bus.request(channels.OPEN_STREAM, question, self._scope)).subject
        await self._nc.subscribe(subjects.tok(self._scope.tenant_id, self._conversation, self._message), cb=self._heard)
        await self._say({"type": "start", "attempt": 1, "model": "bench", "sources": []})

    async def feed(self, count: int, rate: float, *, is_stamped: bool) -> None:
        began = time.perf_counter()
        for index in range(count):
            await asyncio.sleep(max(began + index / rate - time.perf_counter(), 0))
            now_ns = time.perf_counter_ns()
            self._sent_ns.append(now_ns)
            text = f"t{index}:{now_ns} " if is_stamped else WORDS[index % len(WORDS)]
            await self._say({"type": "tokens", "attempt": 1, "first": index, "texts": [text]})
        await self._say({"type": "end", "attempt": 1, "count": count, "finish_reason": "stop"})

    async def _heard(self, message: Msg) -> None:
        frame = orjson.loads(message.data)
        if frame["type"] == "token":
            self.delays_ms.append((time.perf_counter_ns() - self._sent_ns[frame["seq"]]) / 1e6)
        elif frame["type"] == "end":
            self.ended.set()

    async def _say(self, raw: dict[str, object]) -> None:
        await self._nc.publish(self._subject, orjson.dumps(raw))

    @property
    def _nc(self) -> Client:
        return self._bus.nc


def cpu_s(pid: int) -> float:
    """The process's own CPU clock (Linux: ~pid << 3 | 2)."""
    return time.clock_gettime((~pid << 3) | 2)


async def measure(platform: Platform, pid: int, args: argparse.Namespace, *, is_stamped: bool) -> None:
    bus = Bus("inference", platform.nats_url, platform.seed("inference"))
    await bus.connect()
    scope = TenantScope(TenantId(uuid7()), "service:bench")
    fed = [Fed(bus, scope) for _ in range(args.streams)]
    await _until_answered(fed[0])
    for stream in fed[1:]:
        await stream.open()
    began, began_cpu_s = time.perf_counter(), cpu_s(pid)
    feeding = [stream.feed(args.tokens, args.rate, is_stamped=is_stamped) for stream in fed]
    await asyncio.gather(*feeding)
    await asyncio.gather(*(stream.ended.wait() for stream in fed))
    spent_s, wall_s = cpu_s(pid) - began_cpu_s, time.perf_counter() - began
    count = args.tokens * args.streams
    delays = sorted(delay for stream in fed for delay in stream.delays_ms)
    cells = [
        "stamped tokens" if is_stamped else "words",
        f"{count / wall_s:,.0f}",
        f"{spent_s / count * 1e3:.4f}",
        f"{spent_s / count * 5_000:.1%}",
        f"{statistics.median(delays):.2f} / {delays[int(len(delays) * 0.99)]:.2f}",
        f"{len(delays)} of {count}",
    ]
    print("{:<15} {:>9} {:>16} {:>16} {:>16} {:>16}".format(*cells))
    await bus.stop()


async def _until_answered(stream: Fed) -> None:
    for _ in range(100):
        try:
            await stream.open()
        except Unavailable:
            await asyncio.sleep(0.2)
        else:
            return
    raise TimeoutError("the filter does not answer")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--tokens", type=int, default=400, help="a stream")
    parser.add_argument("--rate", type=float, default=20.0, help="tokens a second of one stream")
    parser.add_argument("--profile", metavar="FILE", help="record the filter with py-spy (raw stacks)")
    args = parser.parse_args()
    platform = make_platform(only=("operator",)).start()
    replica = subprocess.Popen(
        [sys.executable, "-m", "filter_service"], env={**os.environ, **platform.env("filter", free_ports(1))}
    )
    spy = None
    try:
        headings = ("tokens", "tokens/s", "CPU s per 1,000", "core at 5,000/s", "p50 / p99 ms", "frames")
        print("{:<15} {:>9} {:>16} {:>16} {:>16} {:>16}".format(*headings))
        for is_stamped in (False, True):
            if args.profile and is_stamped:
                command = ["py-spy", "record", "--gil", "-p", str(replica.pid), "-f", "raw", "-o", args.profile]
                spy = subprocess.Popen(command)
            asyncio.run(measure(platform, replica.pid, args, is_stamped=is_stamped))
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    finally:
        replica.terminate()
        if spy is not None:
            spy.wait(60)
        replica.wait(60)
        platform.stop()


if __name__ == "__main__":
    main()
