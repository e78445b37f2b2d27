"""Files sent by a process of their own, which gives way: what a client's program costs must not be what answers, nor
who measures.

    python -m tests.support.sender URL AUTHORIZATION       # the files come on standard input, each after its length
"""

import asyncio
import os
import struct
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import httpx

from tests.support.business import Business
from tests.support.children import bound

NICENESS: Final = 10
PATIENCE_S: Final = 600.0
_LENGTH: Final = "!I"
_READY, _GO = b"ready\n", b"go\n"


class Sender:
    """A process that has the files and waits for a word."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def send(self) -> None:
        """Send all of them, one after the other, as fast as they are taken.

        Raises:
            SystemExit: One was refused.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(_GO)
        self._process.stdin.close()
        if await self._process.wait():
            raise SystemExit("the documents could not be sent")


@asynccontextmanager
async def sender(business: Business, files: Sequence[bytes]) -> AsyncIterator[Sender]:
    """One that is there with its PDF files: its start, a second of a processor, is nobody's upload."""
    command = bound("-m", "tests.support.sender", business.urls[0], business.bearer["Authorization"])
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(struct.pack(_LENGTH, len(files)))
        for data in files:
            process.stdin.write(struct.pack(_LENGTH, len(data)) + data)
            await process.stdin.drain()
        if await process.stdout.readline() != _READY:
            raise SystemExit("the sender of documents did not start")
        yield Sender(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _send(url: str, authorization: str) -> None:
    os.nice(NICENESS)
    files = [_read(_read_number()) for _ in range(_read_number())]
    with httpx.Client(base_url=url, headers={"Authorization": authorization}, timeout=PATIENCE_S) as rest:
        rest.get("/api/documents").raise_for_status()
        sys.stdout.buffer.write(_READY)
        sys.stdout.buffer.flush()
        if sys.stdin.buffer.readline() != _GO:
            return
        for number, data in enumerate(files):
            sent = {"file": (f"{number}.pdf", data, "application/pdf")}
            rest.post("/api/documents", files=sent).raise_for_status()


def _read_number() -> int:
    number: int = struct.unpack(_LENGTH, _read(struct.calcsize(_LENGTH)))[0]
    return number


def _read(size: int) -> bytes:
    return sys.stdin.buffer.read(size)


if __name__ == "__main__":
    _send(*sys.argv[1:])
