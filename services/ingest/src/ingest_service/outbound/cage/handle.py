"""The service's side of the nursery: start it, give it documents, hear how each ended."""

import asyncio
import contextlib
import json
import os
import socket
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ingest_service.domain.cut_settings import CutSettings
from ingest_service.outbound.cage.limits import Limits
from ingest_service.outbound.cage.nursery import JOB
from runtime.errors import Unavailable

PROGRAM: Final = ("-I", "-m", "ingest_service.outbound.cage")
_ENVIRONMENT: Final[Mapping[str, str]] = {
    "LANG": "C.UTF-8",
    "DO_NOT_TRACK": "true",
    "SCARF_NO_ANALYTICS": "true",
    "UNSTRUCTURED_DISABLE_NOTICE": "1",
    # a process that forks has one thread
    "OMP_NUM_THREADS": "1",
    "OMP_THREAD_LIMIT": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""All of it: nothing of the service's own environment, which holds credentials."""
_END_WITHIN_S: Final = 5.0


class NurseryGone(Unavailable):
    """It ended, and all its children with it, whatever they were reading."""


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code, or minus the signal; what it needed at most."""

    code: int
    was_late: bool
    peak_bytes: int
    cpu_s: float


class NurseryHandle:
    """One running nursery."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        self.process = process
        self._control = control
        self._waiting: dict[int, asyncio.Future[Ended]] = {}
        self._number = 0
        self._hearing = asyncio.create_task(self._hear(), name="nursery")

    @classmethod
    async def start(cls, program: tuple[str, ...], limits: Limits) -> "NurseryHandle":
        """Start it; it takes documents at once, and works on them as soon as it is there."""
        ours, theirs = socket.socketpair()
        with theirs:
            ours.settimeout(0)
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *program,
                str(theirs.fileno()),
                *limits.to_arguments(),
                env=dict(_ENVIRONMENT),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                cwd="/",
            )
        return cls(process, ours)

    @property
    def is_alive(self) -> bool:
        return not self._hearing.done()

    @property
    def is_idle(self) -> bool:
        return not self._waiting

    def begin(self, data: int, out: int, cut_by: CutSettings) -> "tuple[int, asyncio.Future[Ended]]":
        """Give it a document; the job's number and, later, its end.

        Raises:
            NurseryGone: It is.
        """
        self._number += 1
        ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        # whoever gave up asking hears no complaint that nobody looked
        ended.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._waiting[self._number] = ended
        try:
            job = struct.pack(JOB, self._number, cut_by.passage_tokens, round(cut_by.overlap * 1_000))
            socket.send_fds(self._control, [job], [data, out])
        except OSError as error:
            del self._waiting[self._number]
            raise NurseryGone("the reader of documents is gone") from error
        return self._number, ended

    def end(self, number: int) -> None:
        """End a job whose result nobody wants any more; nothing happens when it has ended."""
        with contextlib.suppress(OSError):
            self._control.send(struct.pack(JOB, number, 0, 0))

    async def close(self) -> None:
        """End it with all its children; returns when it has."""
        self._hearing.cancel()
        await asyncio.gather(self._hearing, return_exceptions=True)
        try:
            await asyncio.wait_for(self.process.wait(), _END_WITHIN_S)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()

    async def _hear(self) -> None:
        """Until either side is gone."""
        loop, rest = asyncio.get_running_loop(), b""
        try:
            while heard := await loop.sock_recv(self._control, 65_536):
                *whole, rest = (rest + heard).split(b"\n")
                for line in whole:
                    self._settle(json.loads(line))
        except OSError:
            return
        finally:
            self._control.close()
            for ended in self._waiting.values():
                if not ended.done():
                    ended.set_exception(NurseryGone("the reader of documents is gone"))
            self._waiting.clear()

    def _settle(self, said: dict[str, float]) -> None:
        ended = self._waiting.pop(int(said["job"]), None)
        if ended is not None and not ended.done():
            ended.set_result(
                Ended(int(said["code"]), bool(said["was_late"]), int(said["peak_bytes"]), float(said["cpu_s"]))
            )


def in_memory(data: bytes) -> int:
    """An open file with these bytes that has no name; the caller closes it. Blocks for a moment when they are many."""
    if sys.platform == "linux":
        file = os.memfd_create("document", os.MFD_CLOEXEC)
        with os.fdopen(os.dup(file), "wb") as writing:
            writing.write(data)
        return file
    import tempfile  # noqa: PLC0415 - where there is no memory file

    with tempfile.TemporaryFile() as unlinked:
        unlinked.write(data)
        unlinked.flush()
        return os.dup(unlinked.fileno())
