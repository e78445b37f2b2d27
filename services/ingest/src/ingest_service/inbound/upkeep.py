"""What nobody asks for: the index is kept whole, the inbox is swept."""

import asyncio
from typing import Protocol

from prometheus_client import Gauge

from ingest_service.domain.index_document import Desk
from ingest_service.domain.rebuild_index import ReadyDocuments, Rebuilding, rebuild_index
from runtime import logs
from runtime.errors import Retryable, Unavailable
from runtime.service import Service

ROUND_S = 3_600.0
RETRY_S = 2.0
MISSING = Gauge(
    "ingest_index_missing_passages", "Passages that the vector index lost and that are being written again."
)

_log = logs.get_logger()


class Inbox(Protocol):
    """Uploads that wait to be registered."""

    async def sweep(self) -> int:
        """Remove those that were forgotten; how many."""
        ...


def register(service: Service, ready: ReadyDocuments, desk: Desk, inbox: Inbox) -> None:
    """Look after index and inbox at the start and every hour."""
    progress = Rebuilding()
    MISSING.set_function(lambda: progress.missing or 0)

    async def index_is_whole() -> None:
        if not progress.is_done:
            raise Unavailable("the index is being rebuilt")

    async def keep_index() -> None:
        while True:
            try:
                await rebuild_index(ready, desk, progress)
            except Retryable as error:
                _log.warning("index.waiting", reason=error.code)
                await asyncio.sleep(RETRY_S)
            else:
                _log.info("index.whole")
                await asyncio.sleep(ROUND_S)

    async def sweep_inbox() -> None:
        while True:
            count = await inbox.sweep()
            if count:
                _log.info("inbox.swept", uploads=count)
            await asyncio.sleep(ROUND_S)

    # searching works meanwhile with what is there: shown, but no reason to take the service away
    service.health.informational("index", index_is_whole)
    service.loop("index", keep_index)
    service.loop("sweep", sweep_inbox)
