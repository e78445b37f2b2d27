"""Compacting the engine's shard beside the service: a copy of its folder, in a process of its own that gives way.

A copy can be made at any moment in which nothing is written: it is what a kill would leave. What is written after that
moment is missing in it.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from ingest_service.outbound import edge_folders
from ingest_service.outbound.disk import sync, write_sparse
from ingest_service.outbound.edge_shard import compact
from ingest_service.outbound.giving_way import give_way
from ingest_service.outbound.parent import end_with_parent

COPIED_WITHIN_S: Final = 60.0
"""Writes wait for it."""
COMPACTED_WITHIN_S: Final = 600.0
"""50,000 passages take seconds; one that finds no memory for a thread may stand still for ever."""
_READY, _COPIED, _COMPACTED = "ready", "copied", "compacted"


class CompactionFailed(RuntimeError):
    """It could not be done, for want of memory or room on the disk most likely; nothing of the index has changed."""


class Compaction:
    """One copy that is made and compacted."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def copy(self) -> None:
        """Have the folder copied as it is; nothing may be written until this returns.

        Raises:
            CompactionFailed: The process ended, or takes too long.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        await self._until(_COPIED, COPIED_WITHIN_S)

    async def until_ready(self) -> None:
        """Wait until it could copy at once.

        Raises:
            CompactionFailed: The process ended, or takes too long.
        """
        await self._until(_READY, COMPACTED_WITHIN_S)

    async def until_compacted(self) -> None:
        """Wait until the copy is compacted, and on the disk.

        Raises:
            CompactionFailed: The process ended, or takes too long.
        """
        await self._until(_COMPACTED, COMPACTED_WITHIN_S)

    async def _until(self, word: str, within_s: float) -> None:
        assert self._process.stdout is not None
        try:
            # not by `wait_for`, which may forget that it was cancelled: a service that stops would wait for the end
            async with asyncio.timeout(within_s):
                said = (await self._process.stdout.readline()).decode().strip()
        except TimeoutError:
            raise CompactionFailed(f"it was not {word} in time") from None
        if said != word:
            raise CompactionFailed(said or f"the process ended with {await self._process.wait()}")


@contextlib.asynccontextmanager
async def compaction(folder: Path, copy: Path, dimension: int) -> AsyncIterator[Compaction]:
    """The process that is to copy `folder` and to compact the copy; at the end it is gone, whatever it was doing."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", __name__, str(folder), str(copy), str(dimension)),
        # nothing of the service's own environment, which holds credentials
        env={"LANG": "C.UTF-8"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Compaction(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


# ---- the process ----------------------------------------------------------------------------------------------------


def main() -> None:
    """Copy when told so, compact the copy, and say how far it is, or why it goes no further."""
    end_with_parent()
    folder, copy, dimension = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    try:
        _tell(_READY)
        if not sys.stdin.readline():
            return
        _copy(folder, copy)
        _tell(_COPIED)
        give_way()
        compact(copy, dimension)
        # what the engine did not touch was only copied
        for path in (copy, *copy.rglob("*")):
            sync(path)
        _tell(_COMPACTED)
    except Exception as error:  # noqa: BLE001 - the engine raises it, and the service shall hear why
        _tell(f"{error}".replace("\n", " "))
        sys.exit(1)


def _tell(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _copy(folder: Path, copy: Path) -> None:
    for file in folder.rglob("*"):
        place = copy / file.relative_to(folder)
        if file.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif file.name != edge_folders.WHOLE:
            with file.open("rb") as source:
                write_sparse(source, file.stat().st_size, place)


if __name__ == "__main__":
    main()
