"""Knowledge and embeddings, asked of ingest."""

from contracts.ingest import SEARCH, PassageHit, Search
from runtime.bus import Bus
from runtime.tenancy import TenantScope


class IngestKnowledge:
    """Implements `Knowledge`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def search(self, scope: TenantScope, question: str, k: int) -> tuple[PassageHit, ...]:
        return (await self._bus.request(SEARCH, Search(query=question[:4_000], k=k), scope)).items
