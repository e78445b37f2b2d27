"""A fake Ollama server whose tokens say when they were sent.

    uv run python bench/fake_upstream.py --port 21500        # GET /api/tags, /api/version; POST /api/chat, /api/show

Every token is `t<number>:<nanoseconds> `, with the clock of `time.perf_counter_ns`: one clock for all processes of a
Linux machine, so whoever receives a token knows how old it is. The model's name says what it does, so that it gets
through anything in between: fake-n200-r50-d20 is 200 tokens, 50 a second (r0: as fast as they are taken), the first
after 20 ms. Bare protocols on sockets: it shares the machine with what is measured.
"""

import argparse
import asyncio
import json
import re
import time
from dataclasses import dataclass
from typing import cast

import uvloop

NAME = re.compile(r"fake(?:-n(?P<count>\d+))?(?:-r(?P<rate>[\d.]+))?(?:-d(?P<delay_ms>[\d.]+))?(?::latest)?")
MODELS = ("fake-n200-r50", "fake-n200-r0", "fake-n1-r0")
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True)
class Behaviour:
    """Tokens, tokens a second (0: no pause), seconds before the first."""

    count: int = 200
    rate: float = 50.0
    delay_s: float = 0.0


def behaviour_of(model: str) -> Behaviour | None:
    """What a name asks for; None when there is no such model."""
    told = NAME.fullmatch(model)
    if told is None:
        return None
    default = Behaviour()
    return Behaviour(
        int(told["count"] or default.count),
        float(told["rate"]) if told["rate"] else default.rate,
        float(told["delay_ms"] or 0) / 1000,
    )


class Generation:
    """One answer on its way out."""

    def __init__(self, connection: "Connection", model: str, behaviour: Behaviour) -> None:
        self._connection = connection
        self._behaviour = behaviour
        self._loop = asyncio.get_running_loop()
        self._number = 0
        self._start = self._loop.time() + behaviour.delay_s
        clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._last = {"model": model, "created_at": clock, "done": True, "done_reason": "stop"}
        self._before = json.dumps({"model": model, "created_at": clock})[:-1].encode()
        self._before += b', "message": {"role": "assistant", "content": "'
        self._next = self._loop.call_at(self._start, self.step)

    def step(self) -> None:
        """Send one token and plan the next; those that are late go out at once."""
        if self._number == self._behaviour.count:
            self._end()
            return
        stamp = b"t%d:%d " % (self._number, time.perf_counter_ns())
        self._connection.chunk(b'%b%b"}, "done": false}\n' % (self._before, stamp))
        self._number += 1
        if self._behaviour.rate:
            when = self._start + min(self._number, self._behaviour.count - 1) / self._behaviour.rate
            self._next = self._loop.call_at(when, self.step)
        elif not self._connection.is_full:
            # One token a turn of the loop, so that all streams run beside each other.
            self._next = self._loop.call_later(0, self.step)

    def go_on(self) -> None:
        """The connection takes bytes again."""
        if not self._behaviour.rate:
            self.step()

    def stop(self) -> None:
        self._next.cancel()

    def _end(self) -> None:
        spent = int((self._loop.time() - self._start) * 1e9)
        told = {"message": {"role": "assistant", "content": ""}, "prompt_eval_count": 10, "total_duration": spent}
        last = {**self._last, **told, "eval_count": self._number, "eval_duration": spent}
        self._connection.chunk(json.dumps(last).encode() + b"\n")
        self._connection.finish()


class Connection(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._received = bytearray()
        self._generation: Generation | None = None
        self.is_full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if self._generation is not None:
            self._generation.stop()

    def pause_writing(self) -> None:
        self.is_full = True

    def resume_writing(self) -> None:
        self.is_full = False
        if self._generation is not None:
            self._generation.go_on()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = bytes(self._received).partition(b"\r\n\r\n")
        if not found:
            return
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        size = int(length[1]) if length else 0
        if len(body) < size:
            return
        self._received = bytearray(body[size:])
        method, path, _ = head.split(b"\r\n", 1)[0].split(b" ")
        self._answer(method.decode(), path.decode(), body[:size])

    def chunk(self, data: bytes) -> None:
        self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))

    def finish(self) -> None:
        self._generation = None
        self._transport.write(b"0\r\n\r\n")

    def _answer(self, method: str, path: str, body: bytes) -> None:
        match method, path:
            case "POST", "/api/chat":
                self._chat(json.loads(body))
            case "GET", "/api/tags":
                details = {"format": "gguf", "family": "fake", "parameter_size": "8B", "quantization_level": "Q4_K_M"}
                self._say({"models": [{"name": name, "model": name, "details": details} for name in MODELS]})
            case "POST", "/api/show":
                self._say({"details": {}, "model_info": {}, "capabilities": ["completion"]})
            case "GET", "/api/version":
                self._say({"version": "0.0.0"})
            case "GET" | "HEAD", "/":
                self._say({"status": "running"})
            case _:
                self._say({"error": "not found"}, "404 Not Found")

    def _chat(self, asked: dict[str, str]) -> None:
        behaviour = behaviour_of(asked["model"])
        if behaviour is None:
            self._say({"error": f"model '{asked['model']}' not found"}, "404 Not Found")
            return
        self._transport.write(STREAM_HEAD)
        self._generation = Generation(self, asked["model"], behaviour)

    def _say(self, content: object, status: str = "200 OK") -> None:
        body = json.dumps(content).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; the first line printed is the address")
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
