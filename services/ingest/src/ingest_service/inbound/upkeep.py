"""What nobody asks for: the index is kept whole, files that nobody needs are swept out."""

import asyncio
from typing import Protocol

from prometheus_client import Gauge

from ingest_service.domain import originals
from ingest_service.domain.index_document import Desk
from ingest_service.domain.rebuild_index import ReadyDocuments, Rebuilding, rebuild_index
from runtime import logs
from runtime.errors import Retryable, Unavailable
from runtime.service import Service

ROUND_S = 3_600.0
RETRY_S = 2.0
KEEP_ROUND_S = 600.0
MEMORY_ROUND_S = 30.0
MISSING = Gauge(
    "ingest_index_missing_passages", "Passages that the vector index lost and that are being written again."
)

_log = logs.get_logger()


class Inbox(Protocol):
    """Uploads that wait to be registered."""

    async def sweep(self) -> int:
        """Remove those that were forgotten; how many."""
        ...


class Compactable(Protocol):
    """Indexes that keep deleted points until they are told to drop them."""

    async def compact(self) -> None:
        """Drop them."""
        ...


class Memory(Protocol):
    """The process's own."""

    def give_back(self) -> None:
        """Return what is not in use."""
        ...


def register(
    service: Service, ready: ReadyDocuments, desk: Desk, *, indexes: Compactable, inbox: Inbox, memory: Memory
) -> None:
    """Look after index and files at the start and every hour, after memory every half minute."""
    upkeep = _Upkeep(ready, desk, indexes, inbox, memory)
    MISSING.set_function(lambda: upkeep.progress.missing or 0)
    # searching works meanwhile with what is there: shown, but no reason to take the service away
    service.health.informational("index", upkeep.index_is_whole)
    service.loop("index", upkeep.keep_index)
    service.loop("shelves", upkeep.keep_shelves)
    service.loop("sweep", upkeep.sweep_files)
    service.loop("memory", upkeep.keep_memory_small)


class _Upkeep:
    def __init__(self, ready: ReadyDocuments, desk: Desk, indexes: Compactable, inbox: Inbox, memory: Memory) -> None:
        self._ready = ready
        self._desk = desk
        self._indexes = indexes
        self._waits_for = ""
        self._inbox = inbox
        self._memory = memory
        self.progress = Rebuilding()

    async def index_is_whole(self) -> None:
        if not self.progress.is_done:
            raise Unavailable("the index is being rebuilt")

    async def keep_index(self) -> None:
        while True:
            try:
                await rebuild_index(self._ready, self._desk, self.progress)
                await self._indexes.compact()
            except Retryable as error:
                await self._wait(error.code)
            else:
                await self._rest()

    async def keep_shelves(self) -> None:
        """Filling an index may take longer than others would leave it alone."""
        while True:
            try:
                await self._desk.index.keep()
            except Retryable as error:
                _log.warning("shelves.waiting", reason=error.code)
                await asyncio.sleep(RETRY_S)
            else:
                await asyncio.sleep(KEEP_ROUND_S)

    async def _rest(self) -> None:
        if not self.progress.is_done:
            await self._wait("documents are read anew")
            return
        _log.info("index.whole", model=self._desk.index.wanted.name.model)
        self._waits_for = ""
        await asyncio.sleep(ROUND_S)

    async def _wait(self, reason: str) -> None:
        if reason != self._waits_for:
            self._waits_for = reason
            _log.warning("index.waiting", reason=reason)
        await asyncio.sleep(RETRY_S)

    async def sweep_files(self) -> None:
        while True:
            try:
                uploads = await self._inbox.sweep()
                orphans = await originals.sweep(documents=self._desk.documents, files=self._desk.files)
            except Retryable as error:
                _log.warning("files.waiting", reason=error.code)
                await asyncio.sleep(RETRY_S)
                continue
            if uploads or orphans:
                _log.info("files.swept", uploads=uploads, originals=orphans)
            await asyncio.sleep(ROUND_S)

    async def keep_memory_small(self) -> None:
        while True:
            await asyncio.sleep(MEMORY_ROUND_S)
            await asyncio.to_thread(self._memory.give_back)
