"""A light load generator: N chats at once against one target; prints one JSON report.

    uv run python bench/load_ws.py direct http://127.0.0.1:21500 --model fake-n200-r50 --streams 20 --ramp-s 4
    uv run python bench/load_ws.py relay http://127.0.0.1:21501 …
    uv run python bench/load_ws.py lumora http://127.0.0.1:8000 --credentials FILE …      # [[api key, agent id], …]

Tokens are those of fake_upstream.py; what is added is the time of receipt minus the time in the token. An answer
counts only when all of its tokens came, once and in order, and its end; everything else is an error. Bare protocols on
sockets and one regular expression: it shares the machine with what is measured, and its own CPU is in the report.
"""

import argparse
import asyncio
import base64
import json
import os
import re
import sys
import time
import uuid
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

import uvloop
from process_cost import cost_of

TOKEN = re.compile(rb"t(\d+):(\d+) ")
LONGEST = 40
"""Bytes of a token at most: what may be cut in two by a read."""


class Broken(Exception):
    """An answer that did not come as it should; short enough to count by."""


@dataclass
class Answer:
    """One answer as its receiver sees it. Times in ns."""

    asked_at: int = 0
    first_at: int = 0
    added: "array[int]" = field(default_factory=lambda: array("q"))
    error: str = ""
    ended: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def take(self, data: bytes) -> int:
        """Read the tokens; returns how much of the data they reach."""
        now, reach = time.perf_counter_ns(), 0
        for token in TOKEN.finditer(data):
            if int(token[1]) != len(self.added):
                self.error = "token out of order"
            self.added.append(now - int(token[2]))
            reach = token.end()
        if reach and not self.first_at:
            self.first_at = now
        return reach

    def end(self, error: str = "") -> None:
        self.error = self.error or error
        if not self.ended.done():
            self.ended.set_result(None)


class Chat(asyncio.Protocol):
    """One client's connection, one answer at a time."""

    transport: asyncio.Transport

    def __init__(self, base: SplitResult, model: str) -> None:
        self.base = base
        self.model = model
        self.answer: Answer | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.fail("connection lost")

    def fail(self, reason: str) -> None:
        if self.answer is not None:
            self.answer.end(reason)

    async def open(self) -> None:
        host, port = self.base.hostname or "127.0.0.1", self.base.port or 80
        await asyncio.get_running_loop().create_connection(lambda: self, host, port)

    def ask(self) -> None:
        raise NotImplementedError

    async def once(self, answer: Answer) -> None:
        self.answer, answer.asked_at = answer, time.perf_counter_ns()
        self.ask()
        await answer.ended
        self.answer = None


class Direct(Chat):
    """Straight to the upstream: the floor that nothing gets below."""

    rest = b""

    def ask(self) -> None:
        question = {"model": self.model, "messages": [{"role": "user", "content": "Tell me."}], "stream": True}
        body = json.dumps(question).encode()
        head = f"POST /api/chat HTTP/1.1\r\nHost: {self.base.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)

    def data_received(self, data: bytes) -> None:
        if self.answer is None:
            return
        data = self.rest + data
        reach = self.answer.take(data)
        self.rest = data[max(reach, len(data) - LONGEST) :]
        if re.search(rb'"done": ?true', data):
            self.rest = b""
            self.answer.end()


class Socket(Chat):
    """A WebSocket client that reads whole, unmasked, uncompressed text frames (RFC 6455 section 5.2)."""

    path = "/ws"

    def __init__(self, base: SplitResult, model: str) -> None:
        super().__init__(base, model)
        self.received = bytearray()
        self.hear: Callable[[bytes], None] = self.frame
        self.is_open = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        await super().open()
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"Host: {self.base.netloc}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        ]
        self.transport.write("\r\n".join([*lines, "", ""]).encode())
        await self.is_open

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.is_open.done():
            head, found, rest = bytes(self.received).partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head:
                self.is_open.set_exception(Broken(head.split(b"\r\n")[0].decode()))
                return
            self.is_open.set_result(None)
            self.received = bytearray(rest)
        self._frames()

    def _frames(self) -> None:
        buffer, at = self.received, 0
        while len(buffer) - at >= 2:
            first, size, start = buffer[at], buffer[at + 1], at + 2
            if size >= 126:
                wide = 2 if size == 126 else 8
                size, start = int.from_bytes(buffer[start : start + wide], "big"), start + wide
            if len(buffer) < start + size:
                break
            if first & 15 == 1:
                self.hear(bytes(buffer[start : start + size]))
            elif first & 15 == 9:
                self.send(bytes(buffer[start : start + size]), opcode=10)
            at = start + size
        del buffer[:at]

    def frame(self, text: bytes) -> None:
        raise NotImplementedError

    def say(self, content: object) -> None:
        self.send(json.dumps(content).encode(), opcode=1)

    def send(self, data: bytes, *, opcode: int) -> None:
        length = bytes([128 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
        # A mask of zeros leaves the text as it is, and is as valid as any other.
        self.transport.write(bytes([128 | opcode]) + length + bytes(4) + data)


class Relay(Socket):
    """bench/peers/relay.py, and floor.py, which speaks the same."""

    def ask(self) -> None:
        self.say({"model": self.model, "content": "Tell me."})

    def frame(self, text: bytes) -> None:
        if self.answer is not None and not self.answer.take(text):
            self.answer.end()


class Lumora(Socket):
    """The platform, through its public WebSocket."""

    path = "/api/chat"

    def __init__(self, base: SplitResult, model: str, key: str, agent_id: str) -> None:
        super().__init__(base, model)
        self.key = key
        self.agent_id = agent_id

    async def open(self) -> None:
        await super().open()
        welcomed = asyncio.get_running_loop().create_future()
        self.hear = welcomed.set_result
        self.say({"type": "hello", "token": self.key})
        if b'"welcome"' not in (text := await asyncio.wait_for(welcomed, 10)):
            raise Broken(text.decode())
        self.hear = self.frame

    def ask(self) -> None:
        options = {"use_knowledge": False, "model": f"ollama/{self.model}"}
        question = {"type": "message.send", "client_message_id": str(uuid.uuid4()), "agent_id": self.agent_id}
        self.say({**question, "content": "Tell me.", "options": options})

    def frame(self, text: bytes) -> None:
        if self.answer is None:
            return
        if text.startswith(b'{"type":"token"'):
            self.answer.take(text)
        elif text.startswith(b'{"type":"message.completed"'):
            is_whole = len(TOKEN.findall(text)) == len(self.answer.added)
            self.answer.end("" if is_whole else "stored text differs")
        elif not text.startswith((b'{"type":"message.accepted"', b'{"type":"message.started"')):
            self.answer.end(text[:120].decode(errors="replace"))


# ---- the run --------------------------------------------------------------------------------------------------------


def make_chats(given: argparse.Namespace) -> list[Chat]:
    base = urlsplit(given.url)
    if given.target == "lumora":
        people = json.loads(Path(given.credentials).read_text(encoding="utf-8"))
        return [Lumora(base, given.model, *people[place % len(people)]) for place in range(given.streams)]
    kind = Direct if given.target == "direct" else Relay
    return [kind(base, given.model) for _ in range(given.streams)]


async def use(chat: Chat, rounds: int, delay_s: float, answers: list[Answer], given: argparse.Namespace) -> None:
    await asyncio.sleep(delay_s)
    for _ in range(rounds):
        answers.append(answer := Answer())
        try:
            await asyncio.wait_for(chat.once(answer), given.timeout_s)
        except TimeoutError:
            answer.error = "timeout"
            return
        if not answer.error and len(answer.added) != given.tokens:
            answer.error = "tokens missing"


async def run(given: argparse.Namespace) -> dict[str, Any]:
    chats = make_chats(given)
    for chat in chats:
        await chat.open()
    warm: list[Answer] = []
    await asyncio.gather(*(use(chat, given.warmup, 0, warm, given) for chat in chats[:8]))
    await asyncio.sleep(given.settle_s)
    answers: list[Answer] = []
    before, own, begun = cost_of(given.pid), time.process_time(), time.perf_counter()
    pauses = (given.ramp_s * place / len(chats) for place in range(len(chats)))
    users = [use(chat, given.rounds, pause, answers, given) for chat, pause in zip(chats, pauses, strict=True)]
    await asyncio.gather(*users)
    wall_s, own = time.perf_counter() - begun, time.process_time() - own
    await asyncio.sleep(given.settle_s)  # what a turn leaves to be done (outbox, acknowledgements) is its cost too
    after = cost_of(given.pid)
    for chat in chats:
        chat.transport.abort()
    return {
        "target": given.target,
        "streams": given.streams,
        "answers": len(answers),
        "wall_s": wall_s,
        "tokens": sum(len(answer.added) for answer in answers),
        "errors": dict(Counter(answer.error for answer in answers if answer.error)),
        "first_ms": spread([answer.first_at - answer.asked_at for answer in answers if answer.first_at]),
        "token_ms": spread([added for answer in answers for added in answer.added]),
        "cpu_s": after.since(before),
        "rss_mib": after.rss_mib,
        "load_cpu_s": own,
    }


def spread(values_ns: list[int]) -> dict[str, float | None]:
    """Percentiles by nearest rank, in ms."""
    ordered = sorted(values_ns)
    points = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {
        name: round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1e6, 3) if ordered else None
        for name, share in points.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("target", help="direct, lumora, or the name of whatever speaks the relay's protocol")
    add("url")
    add("--model", default="fake-n200-r50")
    add("--tokens", type=int, default=200, help="of a whole answer")
    add("--streams", type=int, default=1)
    add("--rounds", type=int, default=1, help="answers one after another in each stream")
    add("--ramp-s", type=float, default=0.0, help="seconds over which the streams begin")
    add("--warmup", type=int, default=1, help="uncounted answers before, in at most 8 streams")
    add("--settle-s", type=float, default=0.5)
    add("--timeout-s", type=float, default=60.0)
    add("--pid", type=int, default=os.getpid(), help="the target's root process, whose CPU and memory are reported")
    add("--credentials", default="", help="for lumora: a file with [[api key, agent id], …]")
    report = uvloop.run(run(parser.parse_args()))
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
