"""The passages that fit a question best, by meaning and by words together."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contracts.ids import PassageId
from ingest_service.domain import language, terms
from ingest_service.domain.distinct import split_repeats
from ingest_service.domain.document import StoredPassage
from ingest_service.domain.embedding import EmbedderAway
from ingest_service.domain.fuse import FOREIGN_DENSE, Found, dense_weight, fuse, may_be_foreign
from ingest_service.domain.passage_index import EVERYTHING, DenseVector, Hit, Narrowing, PassageIndex
from ingest_service.domain.ports import Documents, Embedder
from ingest_service.domain.rerank import CONSIDERED, Reranker, reranked
from runtime.errors import Rejected
from runtime.tenancy import TenantScope

DEPTH: Final = 100
"""How far down each leg is read at least."""
DEEPER: Final = 2
"""Each leg is read at least so many times as deep as passages are asked for: of the best of both many are in one."""
TOLD_BY: Final = 5
"""Best passages of each leg that tell which language the documents are in."""

SPARE: Final = 8
"""Rows read beyond those asked for, to take the places of repeated ones."""
MOST_SEARCHES: Final = 3
"""How often a search begins again because a version was swapped while it ran, or what it found is being deleted."""
CROWDED: Final = 8
"""Each leg is read so many times as deep where what has no row has taken the places of the rest."""


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

    What is being read anew or deleted may be in the index without a row: the job that takes a large document out of it
    may wait behind thousands of uploads. A reranker changes the order, no score.
    """
    depth = max(DEPTH, DEEPER * k)
    thoroughly = depth > DEPTH
    gone = frozenset[PassageId]()
    for _ in range(MOST_SEARCHES):
        found = await search(
            query, scope, embedder=embedder, index=index, only=only, depth=depth, thoroughly=thoroughly
        )
        best, missing = await _best(query, k, scope, found, documents=documents, reranker=reranker)
        is_crowded = bool(missing) and len(best) < k and len(found) >= depth
        if missing <= gone and not is_crowded:
            break
        depth *= CROWDED if is_crowded else 1
        # a new version is in the index before the rows of the old one go: one that was swapped in since is found now
        gone |= missing
    return best


async def _best(
    query: str, k: int, scope: TenantScope, found: Sequence[Found], *, documents: Documents, reranker: Reranker | None
) -> tuple[list[Result], frozenset[PassageId]]:
    """The best of what was found, and those that were looked at and have no row."""
    # usually these have their rows, and k distinct ones among them
    for depth in (max(k + SPARE, CONSIDERED if reranker else 0), len(found)):
        kept = await documents.passages(scope, [one.id for one in found[:depth]])
        ranked = [Result(one, kept[one.id]) for one in found[:depth] if one.id in kept]
        if reranker is not None:
            ranked = await reranked(query, ranked, _read, reranker)
        distinct, repeated = split_repeats(ranked, k, _read)
        if len(distinct) == k or depth >= len(found):
            break
    return (distinct + repeated)[:k], frozenset(one.id for one in found[:depth] if one.id not in kept)


def _read(result: Result) -> str:
    return result.passage.full_text


async def search(
    query: str,
    scope: TenantScope,
    *,
    embedder: Embedder,
    index: PassageIndex,
    only: Narrowing = EVERYTHING,
    depth: int = DEPTH,
    thoroughly: bool = False,
) -> list[Found]:
    """At most twice `depth` passages, best first.

    Thoroughly: each leg is also asked for what only the other one found, which is otherwise taken for as good as the
    last that it did find. It costs 1.5 ms, changes little among the best and decides who is among the best hundred.
    """
    words = terms.query_vector(query)
    (meaning, dense), sparse = await asyncio.gather(
        _dense(query, scope, embedder, index, only, depth), index.search_sparse(scope, words, depth, only)
    )
    spoken = language.candidates(query)
    weight = dense_weight(spoken)
    if may_be_foreign(spoken) and await _is_foreign(spoken[0], scope, index, (dense, sparse)):
        weight = FOREIGN_DENSE
    if not thoroughly:
        return fuse(dense, sparse, weight, depth)
    by_words, by_meaning = _beyond(dense, sparse), _beyond(sparse, dense)
    if by_words and meaning is not None:
        dense += await index.search_dense(scope, meaning, len(by_words), Narrowing(passage_ids=by_words))
    if by_meaning:
        sparse += await index.search_sparse(scope, words, len(by_meaning), Narrowing(passage_ids=by_meaning))
    return fuse(dense, sparse, weight, depth=None)


async def _dense(
    query: str, scope: TenantScope, embedder: Embedder, index: PassageIndex, only: Narrowing, depth: int
) -> tuple[DenseVector | None, list[Hit]]:
    """What is near in meaning; nothing while the embedding model is away: words alone are better than no answer."""
    try:
        vector = await embedder.embed_query(query)
    except (EmbedderAway, Rejected):
        return None, []
    return vector, await index.search_dense(scope, vector, depth, only)


def _beyond(leg: Sequence[Hit], other: Sequence[Hit]) -> tuple[PassageId, ...]:
    """What only the other leg found."""
    held = {hit.id for hit in leg}
    return tuple(hit.id for hit in other if hit.id not in held)


async def _is_foreign(spoken: str, scope: TenantScope, index: PassageIndex, legs: Sequence[Sequence[Hit]]) -> bool:
    """Whether what was found is in other languages than the query, as far as it can be told."""
    best = dict.fromkeys(hit.id for leg in legs for hit in leg[:TOLD_BY])
    held = await index.languages(scope, list(best)) - {language.UNDETERMINED}
    return bool(held) and spoken not in held
