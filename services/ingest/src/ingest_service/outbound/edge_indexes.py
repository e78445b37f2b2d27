"""The embedded engine's indexes: a folder for each embedding model and dimension, below one folder."""

import asyncio
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from ingest_service.domain.embedding import IndexName
from ingest_service.outbound import edge_folders
from ingest_service.outbound.edge_index import EdgeIndex
from ingest_service.outbound.edge_shard import is_held

_FOLDER: Final = re.compile(r"(?P<model>[^.].*)-(?P<dimension>\d+)(?:\.\d+)?")
ARRIVING: Final = ".arriving-"
"""Before the name of a folder into which a copy is being unpacked: half of it is no index."""
RESTORED: Final = ".restored-"
"""Before the name of a folder that is whole, and takes the place of the index when that is opened the next time."""


class EdgeIndexes:
    """Implements `Indexes`; one process at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._open: dict[IndexName, EdgeIndex] = {}

    async def names(self) -> Sequence[IndexName]:
        return await asyncio.to_thread(self._names)

    async def open(self, name: IndexName) -> EdgeIndex:
        """Wait for a process that is just letting go of the folder.

        Raises:
            RuntimeError: It was not let go of in time, or its files are damaged.
        """
        if name not in self._open:
            await self._take_restored(name)
            self._open[name] = await EdgeIndex.open_when_free(self._folder(name), name.dimension)
        return self._open[name]

    async def drop(self, name: IndexName) -> None:
        index = self._open.pop(name, None)
        if index is not None:
            await index.close()
        await asyncio.to_thread(edge_folders.remove_all, self._folder(name))

    async def use(self, *names: IndexName) -> None:
        """Nothing: no other process can drop them."""

    async def unused(self) -> Sequence[IndexName]:
        return await self.names()

    async def compact(self) -> None:
        """Drop deleted points for good, wherever something was written or deleted."""
        for index in list(self._open.values()):
            await index.compact()

    async def close(self) -> None:
        """Flush and release every folder."""
        while self._open:
            _, index = self._open.popitem()
            await index.close()

    def _folder(self, name: IndexName) -> Path:
        return self._root / folder_name(name)

    async def _take_restored(self, name: IndexName) -> None:
        """Put what was restored in the place of the index. Killed in between, the next start goes on with it."""
        folder = self._folder(name)
        restored = folder.with_name(f"{RESTORED}{folder.name}")
        if not restored.exists():
            return
        if edge_folders.current(folder).exists():
            try:  # whoever has it open may still write: that must not be lost with it
                old = await EdgeIndex.open_when_free(folder, name.dimension)
            except RuntimeError as error:
                if is_held(error):
                    raise
            else:
                await old.close()
        following = edge_folders.following(folder)
        edge_folders.remove(following)
        edge_folders.mark_whole(restored)
        restored.rename(following)

    def _names(self) -> list[IndexName]:
        self._root.mkdir(parents=True, exist_ok=True)
        for left in self._root.glob(f"{edge_folders.LEAVING}*"):
            shutil.rmtree(left, ignore_errors=True)
        found = (_FOLDER.fullmatch(path.name) for path in sorted(self._root.iterdir()) if path.is_dir())
        named = (IndexName(unquote(match["model"]), int(match["dimension"])) for match in found if match)
        return list(dict.fromkeys(named))


def folder_name(name: IndexName) -> str:
    """The folder of an index, below the root."""
    return f"{quote(name.model, safe='')}-{name.dimension}"
