"""Runs the platform's processes: starts them, merges what they say, starts again what dies, drains them at the end."""

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from lumora.log_view import Line, now, parse
from lumora.spawn import launcher, next_line, spawn

_KEPT_LINES = 30
_OUTPUT_ENDS_WITHIN_S = 1.0
_NOT_STARTED = 1000  # no exit code and no signal has this number

Say = Callable[[Line], None]


@dataclass(frozen=True)
class ChildSpec:
    """One process of the platform."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    #: Asked with the pid of the life that runs.
    is_ready: Callable[[int], Awaitable[bool]]
    stop_signal: signal.Signals = signal.SIGTERM
    kill_signal: signal.Signals = signal.SIGKILL
    stop_within_s: float = 60.0
    #: What it gets when this process dies without a chance to stop it.
    death_signal: signal.Signals = signal.SIGKILL
    before: Callable[[], None] | None = None
    launcher: Callable[[list[str]], list[str]] | None = None


@dataclass
class RestartDelay:
    """How long to wait before a process that died is started again: 0.5 s, doubled each time, 10 s at most.

    A process that lived for a minute starts anew at 0.5 s.
    """

    first_s: float = 0.5
    most_s: float = 10.0
    forgotten_after_s: float = 60.0
    _next_s: float = field(default=0.0, init=False)

    def after(self, lived_s: float) -> float:
        """The delay after a life of `lived_s` seconds."""
        if self._next_s == 0.0 or lived_s >= self.forgotten_after_s:
            self._next_s = self.first_s
        delay, self._next_s = self._next_s, min(self._next_s * 2, self.most_s)
        return delay


class Child:
    """One supervised process, through all its lives."""

    def __init__(self, spec: ChildSpec, say: Say, changed: Callable[[], None]) -> None:
        self.spec = spec
        self.deaths_before_ready = 0
        self.last_lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._say = say
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self.was_ready = False

    @property
    def pid(self) -> int | None:
        """Of the life that runs now."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def live(self) -> None:
        """Run, and run again after each death, until `stop`."""
        delay = RestartDelay()
        while not self._stopping.is_set():
            started = time.monotonic()
            code = await self._one_life()
            if self._stopping.is_set():
                return
            lived_s = time.monotonic() - started
            self._count_death()
            wait_s = delay.after(lived_s)
            self._report_death(code, wait_s)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait_s)

    async def _one_life(self) -> int:
        try:
            if self.spec.before is not None:
                self.spec.before()
            running = await spawn(self._command(), self.spec.env)
        except OSError as error:
            self._tell("error", "process.not_started", f"{self.spec.name} cannot be started: {error}.")
            return _NOT_STARTED
        self._process = running.process
        self._changed()
        reading = asyncio.create_task(self._read(running.output))
        code = await running.process.wait()
        # What it started ends with it, so that nothing holds its output or its port.
        self._signal_group(running.process.pid, self.spec.kill_signal)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reading, _OUTPUT_ENDS_WITHIN_S)
        running.close()
        self._changed()
        return code

    def _command(self) -> list[str]:
        command = list(self.spec.argv)
        if self.spec.launcher is not None:
            return self.spec.launcher(command)
        return [*launcher(death_signal=self.spec.death_signal), "--", *command]

    async def _read(self, output: asyncio.StreamReader) -> None:
        while text := await next_line(output):
            self.last_lines.append(text)
            self._say(parse(self.spec.name, text))

    def _count_death(self) -> None:
        if not self.was_ready:
            self.deaths_before_ready += 1

    def _report_death(self, code: int, wait_s: float) -> None:
        how = f"was killed by {signal_name(-code)}" if code < 0 else f"ended with exit code {code}"
        how = "did not start" if code == _NOT_STARTED else how
        sentence = f"{self.spec.name} {how}; it starts again in {wait_s:g} s."
        self._tell("error", "process.died", sentence, code=code, restart_in_s=wait_s)

    def _tell(self, level: str, event: str, sentence: str, **fields: object) -> None:
        self._say(own_line(level, event, sentence, process=self.spec.name, **fields))

    async def ready(self) -> bool:
        """Ask the process whether it can work now."""
        pid = self.pid
        if pid is None:
            return False
        is_ready = await self.spec.is_ready(pid)
        if is_ready:
            self.was_ready = True
        return is_ready

    async def stop(self) -> None:
        """Ask it to finish, wait as long as it may take, then kill it."""
        self._stopping.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        self._signal(process, self.spec.stop_signal)
        try:
            await asyncio.wait_for(process.wait(), self.spec.stop_within_s)
        except TimeoutError:
            sentence = f"{self.spec.name} did not finish within {self.spec.stop_within_s:g} s and is killed."
            self._tell("warning", "process.killed", sentence)
            self.kill()
            await process.wait()

    def kill(self) -> None:
        """End it now, with all it started."""
        self._stopping.set()
        if self._process is not None and self._process.returncode is None:
            self._signal_group(self._process.pid, self.spec.kill_signal)
            self._signal(self._process, self.spec.kill_signal)

    @staticmethod
    def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)

    @staticmethod
    def _signal_group(pid: int, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)


class Supervisor:
    """The children of one `up`, in tiers: the servers below, the services above them."""

    def __init__(self, say: Say, changed: Callable[[list[Child]], None]) -> None:
        self._say = say
        self._changed = changed
        self._tiers: dict[int, list[Child]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def children(self) -> list[Child]:
        """All of them, the lowest tier first."""
        return [child for tier in sorted(self._tiers) for child in self._tiers[tier]]

    def start(self, specs: list[ChildSpec], *, tier: int) -> list[Child]:
        """Start processes; those of a higher tier are stopped first."""
        started = [Child(spec, self._say, lambda: self._changed(self.children)) for spec in specs]
        self._tiers.setdefault(tier, []).extend(started)
        self._tasks += [asyncio.create_task(child.live(), name=child.spec.name) for child in started]
        return started

    async def stop(self) -> None:
        """Drain: the highest tier first, all of a tier at once."""
        for tier in sorted(self._tiers, reverse=True):
            await asyncio.gather(*(child.stop() for child in self._tiers[tier]))
        await asyncio.gather(*self._tasks)

    def kill(self) -> None:
        """End everything now."""
        for child in self.children:
            child.kill()


def own_line(level: str, event: str, sentence: str, **fields: object) -> Line:
    """A log line of the supervisor itself."""
    return Line("lumora", level, event, now(), {"sentence": sentence, **fields})


def signal_name(number: int) -> str:
    """SIGKILL for 9; the number where it has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
