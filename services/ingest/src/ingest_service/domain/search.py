"""The passages that fit a question best, by meaning and by words together."""

import asyncio
from typing import Final

from ingest_service.domain import language, terms
from ingest_service.domain.fuse import Found, dense_weight, fuse
from ingest_service.domain.passage_index import EVERYTHING, Hit, Narrowing, PassageIndex
from ingest_service.domain.ports import Embedder
from runtime.tenancy import TenantScope

DEPTH: Final = 100
"""How far down each leg is read: a passage that only one leg ranks deeper than this cannot come out on top."""


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
    return await index.search_dense(scope, await embedder.embed_query(query), DEPTH, only)
