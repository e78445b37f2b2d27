"""Every tenant's ready documents, by the relay role, which sees no content."""

from collections.abc import Sequence

from contracts.ids import DocumentId, TenantId
from ingest_service.domain.rebuild_index import ReadyDocument
from runtime.outbox import OutboxRelay
from runtime.tenancy import TenantScope

_READY = "SELECT tenant_id, id, generation, passages FROM document WHERE state = 'ready' ORDER BY tenant_id, id"


class RelayDocuments:
    """Implements `ReadyDocuments`."""

    def __init__(self, relay: OutboxRelay) -> None:
        self._relay = relay

    async def all(self) -> Sequence[ReadyDocument]:
        rows = await self._relay.pool.fetch(_READY)
        return [
            ReadyDocument(
                TenantScope(TenantId(row["tenant_id"]), "service:ingest"),
                DocumentId(row["id"]),
                row["generation"],
                row["passages"],
            )
            for row in rows
        ]
