"""Starts a process that does not outlive us, with one readable output."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_LAUNCH = Path(__file__).parent / "embedded" / "launch.py"
_LONGEST_LINE = 64 * 1024


@dataclass(frozen=True)
class Spawned:
    """A process that runs, and what it and everything it starts print."""

    process: asyncio.subprocess.Process
    output: asyncio.StreamReader
    _pipe: asyncio.ReadTransport

    def close(self) -> None:
        """Read no more, even if somebody still holds the other end."""
        self._pipe.close()


def launcher(*, death_signal: int) -> list[str]:
    """The words before a command that have the kernel send it `death_signal` when we die."""
    wrap = [sys.executable, "-I", "-S", str(_LAUNCH), "--parent", str(os.getpid())]
    return [*wrap, "--death-signal", str(death_signal)]


async def spawn(command: list[str], env: Mapping[str, str]) -> Spawned:
    """Start a command in a session of its own: Ctrl-C reaches us alone, and we tell the others in order.

    The pipe is ours and not asyncio's, whose `wait` would last until the last grandchild has closed it.
    """
    reading, writing = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=dict(env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            cwd="/",
            start_new_session=True,
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    output = asyncio.StreamReader(limit=_LONGEST_LINE)
    pipe = os.fdopen(reading, "rb", buffering=0)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(output), pipe)
    return Spawned(process, output, transport)


async def next_line(stream: asyncio.StreamReader) -> str:
    """The next line that is not blank, cut if it is endless; "" at the end of the stream."""
    while True:
        try:
            raw = await stream.readline()
        except ValueError:  # longer than the limit: asyncio has dropped what it had of it
            return "(a log line of more than 64 KiB was cut)"
        if not raw:
            return ""
        if text := raw.decode("utf-8", "replace").rstrip():
            return text
