"""A simulated Ollama: a small server on loopback that speaks Ollama's wire protocol and says what it was told to.

    python -m runtime.testing.ollama_server --port 11434 --say "We are open from 9 to 5 [1]." --rate 50

How it behaves can also ride in the model's name, through every service between the client and here:

    simulated-n200-r50-d20            200 words, 50 a second (r0: as fast as possible), the first after 20 ms
    simulated-f429  -f500  -f503 -f529  that status; all but 500 say retry-after: 2
    simulated-freset-k10              the connection is reset after 10 words
    simulated-fstall-k10              silence after 10 words
    simulated-ferror-k10              an error line after 10 words
    simulated-fgarbage-k10            a line that is no JSON after 10 words
    simulated-fcut-k10                the stream is closed properly after 10 words, without its last line
    simulated-fdrop                   the connection is closed before any answer
    simulated-fempty                  an answer without a word, whole
    simulated-fnousage                an answer whose last line counts no tokens
    simulated-funknown                an event of an unknown type before the answer (the other protocols; not Ollama's)
    simulated-freset-k10-x1           only the first request of this name meets the fault
    simulated-t5                      5 lines of thinking before the answer
    simulated-e20                     the body ends 20 ms after the last line

Embeddings (`/api/embed`) are simulated as `runtime.testing.embeddings` says.
`GET /simulated/generations` tells what was asked and how each generation ended, `client_gone` among it.
Everything here is simulated: there is no model.
"""

import argparse
import asyncio
import json
import os
import re
import socket
import struct
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Literal, Self, cast

from aiohttp import web

from runtime.testing.embeddings import SimulatedEmbeddings

Fault = Literal[
    "", "429", "500", "503", "529", "reset", "stall", "error", "garbage", "cut", "drop", "empty", "nousage", "unknown"
]

STATUS: Final = {
    "429": "too many requests",
    "500": "llama runner process has terminated",
    "503": "server busy",
    "529": "overloaded",
}
RETRY_LATER: Final = (429, 503, 529)
WHOLE: Final = ("", "empty", "nousage", "unknown")
"""Faults with which an answer is whole all the same."""
_NAME: Final = "simulated"
_PART: Final = re.compile(
    r"-(?:n(?P<words>\d+)|r(?P<rate>[\d.]+)|d(?P<first_ms>\d+)|k(?P<at>\d+)|x(?P<strikes>\d+)|t(?P<thinking>\d+)|e(?P<tail_ms>\d+)"
    r"|f(?P<fault>429|500|503|529|reset|stall|error|garbage|cut|drop|empty|nousage|unknown))(?=-|$)"
)


@dataclass(frozen=True, slots=True)
class Script:
    """How one model answers.

    Attributes:
        say: the whole answer; empty: `words` numbered words.
        rate: pieces a second; 0 is as fast as possible.
        first_ms: silence before the first byte, in milliseconds.
        fault: what goes wrong; empty for nothing.
        at: pieces sent before the fault.
        strikes: how many requests the fault strikes before all goes well; None is every one.
        thinking: lines of thinking before the answer.
        tail_ms: silence between the last line and the end of the body, in milliseconds.
    """

    say: str = ""
    words: int = 20
    rate: float = 0.0
    first_ms: int = 0
    fault: Fault = ""
    at: int = 0
    strikes: int | None = None
    thinking: int = 0
    tail_ms: int = 0

    def pieces(self) -> list[str]:
        """Return the answer in words, white space kept, so that joining gives the text back."""
        return re.findall(r"\s*\S+(?:\s+$)?", self.say or " ".join(f"w{i}" for i in range(self.words)))


@dataclass(slots=True)
class Generation:
    """One question as it came; `outcome` is `running`, then `done`, `fault:<name>` or `client_gone`."""

    model: str
    body: dict[str, object]
    headers: dict[str, str]
    peer: str
    sent: int = 0
    outcome: str = "running"

    @property
    def is_over(self) -> bool:
        return self.outcome != "running"


@dataclass
class SimulatedOllama:
    """The server. Use it as an async context manager; `url` is then where it listens."""

    default: Script = field(default_factory=Script)
    models: dict[str, Script] = field(default_factory=lambda: {_NAME: Script()})
    port: int = 0
    keepalive_s: float = 75.0
    generations: list[Generation] = field(default_factory=list)
    embeddings: SimulatedEmbeddings = field(default_factory=SimulatedEmbeddings)
    url: str = ""
    _struck: Counter[str] = field(default_factory=Counter)
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes([*self.routes(), web.get("/simulated/generations", self._generations)])
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1, keepalive_timeout=self.keepalive_s
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = cast("int", self._runner.addresses[0][1])
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def routes(self) -> list[web.RouteDef]:
        """Return the doors of the protocol."""
        return [
            web.get("/", _root),
            web.get("/api/version", _version),
            web.get("/api/tags", self._tags),
            web.post("/api/show", self._show),
            web.post("/api/chat", self.chat),
            web.post("/api/embed", self._embed),
        ]

    def refuse(self, status: int, message: str) -> web.Response:
        """Return an error as the protocol words it."""
        return _refuse(status, message)

    async def generate(
        self, request: web.Request, generation: Generation, script: Script, fault: Fault
    ) -> web.StreamResponse:
        """Answer as the protocol does, with the fault in it."""
        return await _generate(request, generation, script, fault)

    def script(self, model: str) -> Script | None:
        """Return how this name behaves; None when there is no such model."""
        name = model.removesuffix(":latest")
        if name in self.models:
            return self.models[name]
        if not re.match(rf"{_NAME}(-|$)", name):
            return None
        given = {key: value for part in _PART.finditer(name) for key, value in part.groupdict().items() if value}
        usual = self.default
        strikes = given.get("strikes")
        return Script(
            say="" if "words" in given else usual.say,
            words=int(given.get("words", usual.words)),
            rate=float(given.get("rate", usual.rate)),
            first_ms=int(given.get("first_ms", usual.first_ms)),
            fault=cast("Fault", given.get("fault", usual.fault)),
            at=int(given.get("at", usual.at)),
            strikes=int(strikes) if strikes else usual.strikes,
            thinking=int(given.get("thinking", usual.thinking)),
            tail_ms=int(given.get("tail_ms", usual.tail_ms)),
        )

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer one question."""
        body = await request.json()
        model = str(body.get("model", ""))
        script = self.script(model)
        if script is None:
            return self.refuse(404, f"model '{model}' not found")
        peer = request.transport.get_extra_info("peername") if request.transport else None
        generation = Generation(model, body, dict(request.headers), str(peer))
        self.generations.append(generation)
        fault = self._fault(model, script)
        try:
            await asyncio.sleep(script.first_ms / 1000)
            answer = await self.generate(request, generation, script, fault)
        except (ConnectionError, asyncio.CancelledError):
            generation.outcome = "client_gone"
            raise
        generation.outcome = f"fault:{fault}" if fault else "done"
        return answer

    def _fault(self, model: str, script: Script) -> Fault:
        if script.strikes is not None and self._struck[model] >= script.strikes:
            return ""
        self._struck[model] += 1
        return script.fault

    async def _tags(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"models": [{"name": f"{name}:latest", "model": name} for name in self.models]})

    async def _show(self, request: web.Request) -> web.Response:
        model = str((await request.json()).get("model", ""))
        if self.script(model) is None:
            return _refuse(404, f"model '{model}' not found")
        info = {"general.architecture": _NAME, f"{_NAME}.context_length": 8192}
        return web.json_response({"model_info": info, "capabilities": ["completion"], "details": {"family": _NAME}})

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        found = await self.embeddings.answer(request, refuse=self.refuse, reset=reset)
        if not isinstance(found, list):
            return found
        return web.json_response({"model": "simulated", "embeddings": found, "total_duration": 1, "load_duration": 1})

    async def _generations(self, request: web.Request) -> web.Response:
        del request
        return web.json_response([asdict(generation) for generation in self.generations])


async def _generate(request: web.Request, generation: Generation, script: Script, fault: Fault) -> web.StreamResponse:
    if fault == "drop":
        reset(request)
        return web.Response()
    if fault in STATUS:
        return _refuse(int(fault), STATUS[fault])
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    pieces = [] if fault == "empty" else script.pieces()
    options = cast("dict[str, int]", generation.body.get("options") or {})
    limit = options.get("num_predict", -1)
    allowed = pieces[:limit] if 0 <= limit < len(pieces) else pieces
    breaks = fault not in WHOLE
    for _ in range(script.thinking):
        await response.write(_line(generation.model, {"content": "", "thinking": "hm"}))
    clock, period = asyncio.get_running_loop().time, (1 / script.rate if script.rate else 0.0)
    start = clock()
    for i, piece in enumerate(allowed[: script.at] if breaks else allowed):
        await asyncio.sleep(max(0.0, start + i * period - clock()))
        await response.write(_line(generation.model, {"content": piece}))
        generation.sent = i + 1
    if breaks:
        await _break(request, response, fault)
        return response
    usage = {} if fault == "nousage" else {"prompt_eval_count": 11, "eval_count": len(allowed)}
    reason = "length" if len(allowed) < len(pieces) else "stop"
    await response.write(_line(generation.model, {"content": ""}, done=True, done_reason=reason, **usage))
    await asyncio.sleep(script.tail_ms / 1000)
    await response.write_eof()
    return response


async def _break(request: web.Request, response: web.StreamResponse, fault: Fault) -> None:
    """Spoil a stream that has begun."""
    if fault == "stall":
        await asyncio.Event().wait()
    elif fault == "reset":
        reset(request)
        return
    elif fault == "error":
        await response.write(b'{"error":"an error was encountered while running the model"}\n')
    elif fault == "garbage":
        await response.write(b"<html>502 Bad Gateway</html>\n")
    await response.write_eof()


def _line(model: str, message: dict[str, str], *, done: bool = False, **more: object) -> bytes:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    value = {"model": model, "created_at": now, "message": {"role": "assistant", **message}, "done": done, **more}
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def reset(request: web.Request) -> None:
    """Close so that the peer sees a TCP reset, as from a crashed server."""
    if request.transport is None:
        return
    with socket.socket(fileno=os.dup(request.transport.get_extra_info("socket").fileno())) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


def _refuse(status: int, message: str) -> web.Response:
    headers = {"Retry-After": "2"} if status in RETRY_LATER else {}
    return web.json_response({"error": message}, status=status, headers=headers)


async def _root(request: web.Request) -> web.Response:
    del request
    return web.Response(text="Ollama is running")


async def _version(request: web.Request) -> web.Response:
    del request
    return web.json_response({"version": "0.0.0-simulated"})


async def serve(server: SimulatedOllama) -> None:
    """Run until cancelled; prints the address once it listens."""
    async with server:
        print(f"simulated ollama listening on {server.url}", flush=True)  # noqa: T201 - a command's output
        await asyncio.Event().wait()


def main() -> None:
    """Run the server from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=11434, help="0 takes a free one")
    parser.add_argument("--model", action="append", default=[], help="a further name to list and to answer as")
    parser.add_argument("--say", default="", help="the answer")
    parser.add_argument("--words", type=int, default=20, help="numbered words, when there is nothing to say")
    parser.add_argument("--rate", type=float, default=0.0, help="pieces a second, 0 is as fast as possible")
    parser.add_argument("--first-ms", type=int, default=0)
    parser.add_argument("--keepalive-s", type=float, default=75.0)
    args = parser.parse_args()
    script = Script(say=args.say, words=args.words, rate=args.rate, first_ms=args.first_ms)
    models = dict.fromkeys([_NAME, *args.model], script)
    try:
        asyncio.run(serve(SimulatedOllama(script, models, args.port, args.keepalive_s)))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
