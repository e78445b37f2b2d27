"""Search the business's documents; embed texts for the other services."""

import asyncio

from contracts.ingest import EMBED, SEARCH, Embed, Embeddings, PageStart, PassageHit, Search, SearchFilters, SearchReply
from ingest_service.domain.index_document import Desk
from ingest_service.domain.passage_index import Narrowing
from ingest_service.domain.ports import Embedder, TokenCounter
from ingest_service.domain.rerank import Reranker
from ingest_service.domain.search import Result, results
from ingest_service.domain.select_documents import Selection, Span, narrowed
from ingest_service.inbound.fitting import that_fit
from runtime.bus import Bus
from runtime.errors import NotFound, Rejected
from runtime.tenancy import TenantScope

DIGITS = 6
"""Of a vector's numbers on the wire: the model's own noise is larger."""


NUMBERS_A_REPLY = 100_000
"""Ten characters each: some 1 MB, where the broker takes 1 MiB."""


def register(bus: Bus, desk: Desk, counter: TokenCounter, reranker: Reranker | None = None) -> None:
    """Answer `rpc.ingest.search` and `rpc.ingest.embed`."""

    async def search(request: Search, scope: TenantScope) -> SearchReply:
        filters = request.filters
        only = await narrowed(scope, _selection(filters), _narrowing(filters), desk.documents)
        if only is None:
            return SearchReply(items=())
        with desk.index.searching() as shelf:
            found = await results(
                request.query,
                request.k,
                scope,
                only,
                documents=desk.documents,
                embedder=shelf.embedder,
                index=shelf.index,
                reranker=reranker,
            )
        return SearchReply(items=that_fit([_shown(result) for result in found]))

    async def embed(request: Embed) -> Embeddings:
        embedder = desk.index.wanted.embedder
        _refuse(request, embedder)
        vectors = await embedder.embed(request.texts, is_urgent=request.is_urgent)
        rounded = tuple(tuple(round(number, DIGITS) for number in vector) for vector in vectors)
        tokens = sum(await asyncio.to_thread(counter.count_tokens, request.texts))
        return Embeddings(model=embedder.model, vectors=rounded, tokens=tokens)

    bus.answer(SEARCH, search)
    bus.answer_open(EMBED, embed)


def _narrowing(filters: SearchFilters) -> Narrowing:
    return Narrowing(document_ids=filters.document_ids, languages=filters.languages)


def _selection(filters: SearchFilters) -> Selection:
    return Selection(
        tags=filters.tags,
        created=Span(filters.created_since, filters.created_until),
        updated=Span(filters.updated_since, filters.updated_until),
    )


def _refuse(request: Embed, embedder: Embedder) -> None:
    """Vectors of another model would mislead whoever asked; a reply beyond the broker's limit never arrives."""
    if request.model not in {None, embedder.model}:
        raise NotFound(f"texts are embedded with {embedder.model} here")
    most = NUMBERS_A_REPLY // embedder.dimension
    if len(request.texts) > most:
        raise Rejected(f"at most {most} texts at a time with {embedder.model}", code="too_large")


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
        above=passage.above,
        pages=tuple(PageStart(start=start, page=page) for start, page in passage.pages),
        score=found.score,
        dense=found.dense,
        bm25=found.bm25,
    )
