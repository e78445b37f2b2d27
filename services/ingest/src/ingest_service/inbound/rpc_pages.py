"""Pages of the web become documents, and are looked at again."""

from prometheus_client import Counter

from contracts.ingest import REGISTER_PAGE, DocumentReply, RegisterPage
from ingest_service.domain.fetch_page import Fetching
from ingest_service.domain.look_again import Looks
from ingest_service.domain.web_page import DuePages
from ingest_service.inbound.rpc_documents import shown
from runtime import logs
from runtime.db import Database
from runtime.idempotency import once
from runtime.service import Service
from runtime.tenancy import TenantScope

ROUND_S = 30.0
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

    looks = Looks(
        due,
        fetching,
        round_s=round_s,
        tell=lambda outcome: LOOKED.labels(outcome).inc(),
        wait=lambda code: _log.warning("pages.waiting", reason=code),
        wonder=lambda fault: _log.error("pages.not_looked_at", exc_info=fault),
    )
    service.bus.answer(REGISTER_PAGE, register_page)
    service.loop("pages", looks.run)
