"""What the simulated servers share: what a model's name says, the faults, and what was asked.

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
    simulated-funknown                an event of an unknown type before the answer (not Ollama's: it has none)
    simulated-flate                   8 s of silence before the first byte
    simulated-freset-k10-x1           only the first request of this name meets the fault
    simulated-t5                      5 lines of thinking before the answer
    simulated-e20                     the body ends 20 ms after the last line

`GET /simulated/generations` tells what was asked and how each generation ended, `client_gone` among it.
Everything here is simulated: there is no model.
"""

import asyncio
import os
import re
import socket
import struct
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import ClassVar, Final, Literal, Self, cast

from aiohttp import web

from runtime.testing.embeddings import SimulatedEmbeddings

Fault = Literal[
    "",
    "429",
    "500",
    "503",
    "529",
    "reset",
    "stall",
    "error",
    "garbage",
    "cut",
    "drop",
    "empty",
    "nousage",
    "unknown",
    "late",
]

STATUS: Final = {
    "429": "too many requests",
    "500": "llama runner process has terminated",
    "503": "server busy",
    "529": "overloaded",
}
RETRY_LATER: Final = (429, 503, 529)
WHOLE: Final = ("", "empty", "nousage", "unknown", "late")
"""Faults with which an answer is whole all the same."""
LATE_S: Final = 8.0
NAME: Final = "simulated"
PROMPT_TOKENS: Final = 11
"""What every simulated server says that it counted."""
_PART: Final = re.compile(
    r"-(?:n(?P<words>\d+)|r(?P<rate>[\d.]+)|d(?P<first_ms>\d+)|k(?P<at>\d+)|x(?P<strikes>\d+)|t(?P<thinking>\d+)|e(?P<tail_ms>\d+)"
    r"|f(?P<fault>429|500|503|529|reset|stall|error|garbage|cut|drop|empty|nousage|unknown|late))(?=-|$)"
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
        context: tokens that the model takes, as the server tells; 0 is what the server says of any, if it does.
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
    context: int = 0

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
class ScriptedServer(ABC):
    """A server on loopback; a protocol says how each part is worded. Use it as an async context manager.

    Attributes:
        default: how a name behaves that says nothing of it.
        models: how names behave that are listed; it may be changed while the server runs.
        port: 0 takes a free one.
        keepalive_s: how long an idle connection is kept, in seconds.
        generations: what was asked.
        url: where it listens, once it does.
    """

    content_type: ClassVar[str]
    garbage: ClassVar[bytes]
    """A line that no such stream has."""

    default: Script = field(default_factory=Script)
    models: dict[str, Script] = field(default_factory=lambda: {NAME: Script()})
    port: int = 0
    keepalive_s: float = 75.0
    generations: list[Generation] = field(default_factory=list)
    embeddings: SimulatedEmbeddings = field(default_factory=SimulatedEmbeddings)
    url: str = ""
    _struck: Counter[str] = field(default_factory=Counter)
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, after a stop at the same port."""
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

    async def stop(self) -> None:
        """Break what still runs; nobody listens any more."""
        if self._runner is not None:
            await self._runner.cleanup()

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """Return the doors of the protocol."""

    @abstractmethod
    def refuse(self, status: int, message: str) -> web.Response:
        """Return an error as the protocol words it."""

    @abstractmethod
    def opening(self, generation: Generation, *, is_counted: bool, thinking: int) -> bytes:
        """Return what comes before the first piece; `thinking` is how many lines of it."""

    @abstractmethod
    def piece(self, generation: Generation, text: str) -> bytes:
        """Return one piece of the answer."""

    @abstractmethod
    def closing(self, generation: Generation, *, is_cut: bool, is_counted: bool) -> bytes:
        """Return what makes the answer whole."""

    @abstractmethod
    def failing(self, message: str) -> bytes:
        """Return an error within the stream."""

    @abstractmethod
    def unknown(self) -> bytes:
        """Return an event that a later version of the protocol might have."""

    @abstractmethod
    def limit(self, generation: Generation) -> int | None:
        """Return how many pieces the answer may have; None is any number."""

    def script(self, model: str) -> Script | None:
        """Return how this name behaves; None when there is no such model."""
        name = model.removesuffix(":latest")
        if name in self.models:
            return self.models[name]
        if not re.match(rf"{NAME}(-|$)", name):
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
            await asyncio.sleep(LATE_S if fault == "late" else script.first_ms / 1000)
            answer = await self._generate(request, generation, script, fault)
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

    async def _generate(
        self, request: web.Request, generation: Generation, script: Script, fault: Fault
    ) -> web.StreamResponse:
        """Answer, with the fault in it."""
        if fault == "drop":
            reset(request)
            return web.Response()
        if fault in STATUS:
            return self.refuse(int(fault), STATUS[fault])
        response = web.StreamResponse(headers={"Content-Type": self.content_type})
        await response.prepare(request)
        pieces = [] if fault == "empty" else script.pieces()
        allowed = pieces[: self.limit(generation)]
        is_counted, is_broken = fault != "nousage", fault not in WHOLE
        await response.write(self.opening(generation, is_counted=is_counted, thinking=script.thinking))
        if fault == "unknown":
            await response.write(self.unknown())
        await self._say(response, generation, allowed[: script.at] if is_broken else allowed, script.rate)
        if is_broken:
            await self._break(request, response, fault)
            return response
        await response.write(self.closing(generation, is_cut=len(allowed) < len(pieces), is_counted=is_counted))
        await asyncio.sleep(script.tail_ms / 1000)
        await response.write_eof()
        return response

    async def _say(self, response: web.StreamResponse, generation: Generation, texts: list[str], rate: float) -> None:
        clock, period = asyncio.get_running_loop().time, (1 / rate if rate else 0.0)
        start = clock()
        for i, text in enumerate(texts):
            await asyncio.sleep(max(0.0, start + i * period - clock()))
            await response.write(self.piece(generation, text))
            generation.sent = i + 1

    async def _break(self, request: web.Request, response: web.StreamResponse, fault: Fault) -> None:
        """Spoil a stream that has begun."""
        if fault == "stall":
            await asyncio.Event().wait()
        elif fault == "reset":
            reset(request)
            return
        elif fault == "error":
            await response.write(self.failing("an error was encountered while running the model"))
        elif fault == "garbage":
            await response.write(self.garbage)
        await response.write_eof()

    async def _generations(self, request: web.Request) -> web.Response:
        del request
        return web.json_response([asdict(generation) for generation in self.generations])


def reset(request: web.Request) -> None:
    """Close so that the peer sees a TCP reset, as from a crashed server."""
    if request.transport is None:
        return
    with socket.socket(fileno=os.dup(request.transport.get_extra_info("socket").fileno())) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
