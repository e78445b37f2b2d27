"""Knowledge and embeddings, asked of ingest."""

from collections.abc import Sequence

from contracts.ingest import EMBED, EMBED_AT_ONCE, SEARCH, Embed, PassageHit, Search
from inference_service.domain.errors import EmbedderFailed
from runtime.bus import Bus
from runtime.errors import LumoraError
from runtime.tenancy import TenantScope

QUERY_CHARS = 4_000


class IngestKnowledge:
    """Implements `Knowledge`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def search(self, scope: TenantScope, question: str, k: int) -> tuple[PassageHit, ...]:
        return (await self._bus.request(SEARCH, Search(query=question[:QUERY_CHARS], k=k), scope)).items


class IngestEmbedder:
    """Implements `Embedder` with the one model that ingest holds in memory."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        vectors: list[Sequence[float]] = []
        try:
            for start in range(0, len(texts), EMBED_AT_ONCE):
                part = Embed(texts=tuple(texts[start : start + EMBED_AT_ONCE]))
                vectors += (await self._bus.request(EMBED, part)).vectors
        except LumoraError as error:
            raise EmbedderFailed(error.detail) from error
        return vectors
