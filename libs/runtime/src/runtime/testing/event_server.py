"""What simulated servers share that answer in server-sent events; scripts and faults are those of `ollama_server`."""

import asyncio
from abc import ABC, abstractmethod
from typing import Final

from aiohttp import web

from runtime.testing.ollama_server import STATUS, WHOLE, Fault, Generation, Script, SimulatedOllama, reset

PROMPT_TOKENS: Final = 11
"""What every simulated server says that it counted."""


class SimulatedEvents(SimulatedOllama, ABC):
    """A server whose answers are events; a protocol says how each is worded."""

    @abstractmethod
    def opening(self, generation: Generation, *, is_counted: bool) -> bytes:
        """Return what comes before the first piece."""

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
        """Return how many pieces the answer may have."""

    async def generate(
        self, request: web.Request, generation: Generation, script: Script, fault: Fault
    ) -> web.StreamResponse:
        """Answer, with the fault in it."""
        if fault == "drop":
            reset(request)
            return web.Response()
        if fault in STATUS:
            return self.refuse(int(fault), STATUS[fault])
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        pieces = [] if fault == "empty" else script.pieces()
        allowed = pieces[: self.limit(generation)]
        is_counted, is_broken = fault != "nousage", fault not in WHOLE
        await response.write(self.opening(generation, is_counted=is_counted))
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
        if fault == "stall":
            await asyncio.Event().wait()
        elif fault == "reset":
            reset(request)
            return
        elif fault == "error":
            await response.write(self.failing("an error was encountered while running the model"))
        elif fault == "garbage":
            await response.write(b"data: <html>502 Bad Gateway</html>\n\n")
        await response.write_eof()
