"""The passages that fit a question best, by meaning and by words together."""

import asyncio
from dataclasses import dataclass
from typing import Final

from ingest_service.domain import language, terms
from ingest_service.domain.distinct import split_repeats
from ingest_service.domain.document import StoredPassage
from ingest_service.domain.embedding import EmbedderAway
from ingest_service.domain.fuse import Found, dense_weight, fuse
from ingest_service.domain.passage_index import EVERYTHING, Hit, Narrowing, PassageIndex
from ingest_service.domain.ports import Documents, Embedder
from ingest_service.domain.rerank import CONSIDERED, Reranker, reranked
from runtime.errors import Rejected
from runtime.tenancy import TenantScope

DEPTH: Final = 100
"""How far down each leg is read: a passage that only one leg ranks deeper than this cannot come out on top."""

SPARE: Final = 8
"""Rows read beyond those asked for, to take the places of repeated ones."""


@dataclass(frozen=True, slots=True)
class Result:
    """A passage as it is kept, and how it was found."""

    found: Found
    passage: StoredPassage


async def results(
    query: str,
    k: int,
    scope: TenantScope,
    only: Narrowing,
    *,
    documents: Documents,
    embedder: Embedder,
    index: PassageIndex,
    reranker: Reranker | None = None,
) -> list[Result]:
    """The best `k` passages that are kept; a near-copy of a better one only where nothing else is left.

    What is being read anew or deleted may be in the index without a row. A reranker changes the order, no score.
    """
    found = await search(query, scope, embedder=embedder, index=index, only=only)
    # usually these have their rows, and k distinct ones among them
    for depth in (max(k + SPARE, CONSIDERED if reranker else 0), len(found)):
        kept = await documents.passages(scope, [one.id for one in found[:depth]])
        ranked = [Result(one, kept[one.id]) for one in found[:depth] if one.id in kept]
        if reranker is not None:
            ranked = await reranked(query, ranked, _read, reranker)
        distinct, repeated = split_repeats(ranked, k, _read)
        if len(distinct) == k or depth >= len(found):
            break
    return (distinct + repeated)[:k]


def _read(result: Result) -> str:
    return result.passage.full_text


async def search(
    query: str, scope: TenantScope, *, embedder: Embedder, index: PassageIndex, only: Narrowing = EVERYTHING
) -> list[Found]:
    """At most twice `DEPTH` passages, best first."""
    dense, sparse = await asyncio.gather(
        _dense(query, scope, embedder, index, only),
        index.search_sparse(scope, terms.query_vector(query), DEPTH, only),
    )
    return fuse(dense, sparse, dense_weight(language.candidates(query)))


async def _dense(query: str, scope: TenantScope, embedder: Embedder, index: PassageIndex, only: Narrowing) -> list[Hit]:
    """What is near in meaning; nothing while the embedding model is away: words alone are better than no answer."""
    try:
        vector = await embedder.embed_query(query)
    except (EmbedderAway, Rejected):
        return []
    return await index.search_dense(scope, vector, DEPTH, only)
