"""Search the business's documents; embed texts for the other services."""

from contracts.ingest import EMBED, SEARCH, Embed, Embeddings, PassageHit, Search, SearchReply
from ingest_service.domain.index_document import Desk
from ingest_service.domain.passage_index import Narrowing
from ingest_service.domain.search import Result, results
from runtime.bus import Bus
from runtime.tenancy import TenantScope

DIGITS = 6
"""Of a vector's numbers on the wire: the model's own noise is larger, and 256 vectors stay below the broker's 1 MiB."""


def register(bus: Bus, desk: Desk) -> None:
    """Answer `rpc.ingest.search` and `rpc.ingest.embed`."""

    async def search(request: Search, scope: TenantScope) -> SearchReply:
        only = Narrowing(document_ids=request.filters.document_ids, languages=request.filters.languages)
        with desk.index.searching() as shelf:
            found = await results(
                request.query,
                request.k,
                scope,
                only,
                documents=desk.documents,
                embedder=shelf.embedder,
                index=shelf.index,
            )
        return SearchReply(items=tuple(_shown(result) for result in found))

    async def embed(request: Embed) -> Embeddings:
        embedder = desk.index.wanted.embedder
        vectors = await embedder.embed(request.texts, is_urgent=True)
        rounded = tuple(tuple(round(number, DIGITS) for number in vector) for vector in vectors)
        return Embeddings(model=embedder.model, vectors=rounded)

    bus.answer(SEARCH, search)
    bus.answer_open(EMBED, embed)


def _shown(result: Result) -> PassageHit:
    found, passage = result.found, result.passage
    return PassageHit(
        passage_id=passage.id,
        document_id=passage.document_id,
        title=passage.title,
        heading=passage.heading,
        page=passage.page,
        start=passage.start,
        end=passage.end,
        text=passage.text,
        language=passage.language,
        score=found.score,
        dense=found.dense,
        bm25=found.bm25,
    )
