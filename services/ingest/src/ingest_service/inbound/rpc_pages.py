"""Pages of the web become documents, and are looked at again."""

import asyncio

from prometheus_client import Counter

from contracts.ids import DocumentId
from contracts.ingest import REGISTER_PAGE, DocumentReply, RegisterPage
from ingest_service.domain.fetch_page import Fetching
from ingest_service.domain.web_page import DuePages
from ingest_service.inbound.rpc_documents import shown
from runtime import logs
from runtime.db import Database
from runtime.errors import Rejected, Retryable
from runtime.idempotency import once
from runtime.service import Service
from runtime.tenancy import TenantScope

ROUND_S = 30.0
AT_ONCE = 8
LOOKED = Counter("ingest_pages_looked_at_total", "Pages of the web that were looked at again, by outcome.", ["outcome"])

_log = logs.get_logger()


def register(service: Service, database: Database, fetching: Fetching, *, due: DuePages) -> None:
    """Answer `rpc.ingest.register_page`, and look at pages again when their time has come."""

    async def register_page(request: RegisterPage, scope: TenantScope) -> DocumentReply:
        async def make() -> DocumentReply:
            document = await fetching.register(
                request.document_id, request.url, request.depth, scope, tags=request.tags
            )
            return DocumentReply(document=shown(document, fetching.clock.now()))

        async with database.tenant_tx(scope) as tx:
            return await once(tx, request.idempotency, DocumentReply, make)

    round_s = min(ROUND_S, fetching.look_again.total_seconds()) if fetching.look_again else ROUND_S

    async def look_again() -> None:
        while True:
            try:
                pages = await due.due(AT_ONCE)
                await asyncio.gather(*(_look(fetching, scope, document_id) for scope, document_id in pages))
            except Retryable as error:
                _log.warning("pages.waiting", reason=error.code)
                pages = []
            await asyncio.sleep(0 if pages else round_s)

    service.bus.answer(REGISTER_PAGE, register_page)
    service.loop("pages", look_again)


async def _look(fetching: Fetching, scope: TenantScope, document_id: DocumentId) -> None:
    """One look; a page that cannot be had is looked at again in an hour, and what is known of it stays."""
    try:
        outcome = "changed" if await fetching.look(document_id, scope) else "unchanged"
    except Rejected as refused:
        outcome = refused.code
    except Retryable as error:
        outcome = error.code
    LOOKED.labels(outcome).inc()
