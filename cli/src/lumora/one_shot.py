"""Work that is done once at start, in a process of its own: what it imports leaves the supervisor small."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping

from lumora.log_view import Line, parse
from lumora.refused import StartFailed
from lumora.spawn import launcher, next_line, spawn


class OneShot:
    """A process that runs to its end; its lines go into the log."""

    def __init__(self, name: str, argv: list[str], env: Mapping[str, str], say: Callable[[Line], None]) -> None:
        self.name = name
        self._argv = argv
        self._env = dict(env)
        self._say = say
        self._waiting: dict[str, asyncio.Event] = {}
        self._why: str | None = None

    def event(self, name: str) -> asyncio.Event:
        """Set when the process logs an event of this name."""
        return self._waiting.setdefault(name, asyncio.Event())

    async def run(self) -> None:
        """Run it; cancelling kills it.

        Raises:
            StartFailed: it ended with an error; says why when the process itself did.
        """
        running = await spawn([*launcher(death_signal=signal.SIGKILL), "--", *self._argv], self._env)
        process = running.process
        try:
            await self._read(running.output)
            code = await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
            running.close()
        if code != 0:
            raise StartFailed(f"{self.name} failed with exit code {code}; {self._why or 'the lines above say why.'}")

    async def _read(self, output: asyncio.StreamReader) -> None:
        while text := await next_line(output):
            line = parse(self.name, text)
            self._why = line.fields.get("sentence", self._why)
            if line.event in self._waiting:
                self._waiting[line.event].set()
            self._say(line)
