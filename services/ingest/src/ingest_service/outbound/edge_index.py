"""The vector index in process, by Qdrant's own engine: one folder, one process, durable by its write-ahead log."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

import qdrant_edge as edge

from contracts.ids import DocumentId, PassageId
from ingest_service.domain.passage_index import EVERYTHING, DenseVector, ForeignHit, Hit, IndexedPassage, Narrowing
from ingest_service.domain.terms import SparseVector
from runtime.tenancy import TenantScope

DENSE: Final = "dense"
TERMS: Final = "terms"
SHOWN: Final = "shown_to"
"""The tenant whose searches find the passage; nothing while it waits for the rest of its reading."""
RETRY_S: Final = 0.25
NO_GRAPH_BELOW_KB: Final = 1_000_000
"""Vectors of a segment: about 600,000 passages."""
T = TypeVar("T")
if TYPE_CHECKING:
    Condition = edge.ConditionType
    Vector = list[float] | edge.SparseVector | list[list[float]]


class EdgeIndex:
    """`PassageIndex` over one shard. Reads and writes have threads of their own: a search does not wait for a write."""

    def __init__(self, shard: edge.EdgeShard) -> None:
        self._shard = shard
        self._writes = ThreadPoolExecutor(1, thread_name_prefix="index-write")
        self._reads = ThreadPoolExecutor(2, thread_name_prefix="index-read")

    @classmethod
    def open(cls, folder: Path, dimension: int = 384) -> "EdgeIndex":
        """Open the shard in `folder`, or make it for vectors of `dimension` numbers; also after a kill.

        Raises:
            RuntimeError: Another process has the shard open, or its files are damaged.
        """
        folder.mkdir(parents=True, exist_ok=True)
        has_shard = (folder / "edge_config.json").exists()
        try:
            return cls(
                edge.EdgeShard.load(str(folder), _config(dimension)) if has_shard else _create(folder, dimension)
            )
        except Exception as error:  # the engine raises bare Exception
            raise RuntimeError(f"the vector index in {folder} cannot be opened: {error}") from error

    @classmethod
    async def open_when_free(cls, folder: Path, dimension: int = 384, *, patience_s: float = 15.0) -> "EdgeIndex":
        """As `open`, but wait for a process that is just letting go of the folder.

        Raises:
            RuntimeError: It could not be opened in time.
        """
        deadline = time.monotonic() + patience_s
        while True:
            try:
                return cls.open(folder, dimension)
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(RETRY_S)

    async def upsert(self, scope: TenantScope, passages: Sequence[IndexedPassage]) -> None:
        points = [_point(scope, passage) for passage in passages]
        await self._write(lambda: self._shard.update(edge.UpdateOperation.upsert_points(points)))

    async def written(self, scope: TenantScope, document_id: DocumentId, generation: int) -> int:
        chosen = _reading(scope, document_id, generation)
        return await self._read(lambda: self._shard.count(edge.CountRequest(exact=True, filter=chosen)))

    async def show(self, scope: TenantScope, document_id: DocumentId, generation: int) -> None:
        shown = {SHOWN: str(scope.tenant_id)}
        update = edge.UpdateOperation.set_payload_by_filter(_reading(scope, document_id, generation), shown)
        await self._write(lambda: self._shard.update(update))

    async def delete_document(
        self, scope: TenantScope, document_id: DocumentId, *, but_generation: int | None = None
    ) -> None:
        chosen = _of(scope, Narrowing(document_ids=(document_id,)), but_generation)
        await self._write(lambda: self._shard.update(edge.UpdateOperation.delete_points_by_filter(chosen)))

    async def delete_tenant(self, scope: TenantScope) -> int:
        held = await self.count(scope)
        await self._write(lambda: self._shard.update(edge.UpdateOperation.delete_points_by_filter(_of(scope))))
        return held

    async def search_dense(
        self, scope: TenantScope, vector: DenseVector, limit: int, only: Narrowing = EVERYTHING
    ) -> list[Hit]:
        return await self._search(scope, edge.Query.Nearest(list(vector), using=DENSE), limit, only, None)

    async def search_sparse(
        self, scope: TenantScope, vector: SparseVector, limit: int, only: Narrowing = EVERYTHING
    ) -> list[Hit]:
        if not vector.indices:
            return []
        terms = edge.SparseVector(list(vector.indices), list(vector.values))
        # a term's rarity is counted over the tenant's own passages: others' texts must not show in its ranking
        own = edge.SearchParams(idf=edge.IdfParams(corpus=_shown(scope)))
        return await self._search(scope, edge.Query.Nearest(terms, using=TERMS), limit, only, own)

    async def count(self, scope: TenantScope, document_id: DocumentId | None = None) -> int:
        chosen = _shown(scope, Narrowing(document_ids=(document_id,) if document_id else ()))
        return await self._read(lambda: self._shard.count(edge.CountRequest(exact=True, filter=chosen)))

    async def count_all(self) -> int:
        return await self._read(lambda: self._shard.count(edge.CountRequest(exact=True)))

    async def compact(self) -> None:
        """Drop deleted points for good; seconds for thousands of them, searching goes on."""
        await self._write(self._shard.optimize)

    async def close(self) -> None:
        """Flush and release the folder."""
        await self._write(self._shard.flush)
        self._reads.shutdown()
        await self._write(self._shard.close)
        self._writes.shutdown()

    async def _search(
        self,
        scope: TenantScope,
        query: edge.Query,
        limit: int,
        only: Narrowing,
        params: edge.SearchParams | None,
    ) -> list[Hit]:
        request = edge.QueryRequest(
            limit=limit, query=query, filter=_shown(scope, only), with_payload=["tenant_id"], params=params
        )
        found = await self._read(lambda: self._shard.query(request))
        return [_hit(scope, point) for point in found]

    async def _read(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reads, call)

    async def _write(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writes, call)


def _config(dimension: int) -> edge.EdgeConfig:
    return edge.EdgeConfig(
        vectors={DENSE: edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Dot)},
        sparse_vectors={TERMS: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        # exact search over a tenant's passages takes milliseconds; a graph over all of them takes minutes of every core
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=NO_GRAPH_BELOW_KB),
        max_search_threads=1,
    )


def _create(folder: Path, dimension: int) -> edge.EdgeShard:
    shard = edge.EdgeShard.create(str(folder), _config(dimension))
    fields = (
        ("tenant_id", edge.KeywordIndexParams(is_tenant=True)),
        ("document_id", edge.KeywordIndexParams()),
        ("language", edge.KeywordIndexParams()),
        (SHOWN, edge.KeywordIndexParams(is_tenant=True)),
    )
    for field, parameters in fields:
        shard.update(edge.UpdateOperation.create_field_index(field, parameters))
    return shard


def _point(scope: TenantScope, passage: IndexedPassage) -> edge.Point:
    sparse = edge.SparseVector(list(passage.sparse.indices), list(passage.sparse.values))
    payload = {
        "tenant_id": str(scope.tenant_id),
        "document_id": str(passage.document_id),
        "generation": passage.generation,
        "language": passage.language,
    }
    vectors: dict[str, Vector] = {TERMS: sparse}
    if passage.dense is not None:
        vectors[DENSE] = list(passage.dense)
    return edge.Point(passage.id, vectors, payload)


def _of(scope: TenantScope, only: Narrowing = EVERYTHING, but_generation: int | None = None) -> edge.Filter:
    """Every filter starts with the tenant; there is no other way to make one but `_shown`, which does too."""
    must = [edge.FieldCondition("tenant_id", match=edge.MatchValue(str(scope.tenant_id))), *_narrowed(only)]
    kept: list[Condition] = []
    if but_generation is not None:
        kept.append(edge.FieldCondition("generation", match=edge.MatchValue(but_generation)))
    return edge.Filter(must=must, must_not=kept)


def _narrowed(only: Narrowing) -> "list[Condition]":
    must: list[Condition] = []
    if only.document_ids:
        documents = [str(document_id) for document_id in only.document_ids]
        must.append(edge.FieldCondition("document_id", match=edge.MatchAny(documents)))
    if only.languages:
        must.append(edge.FieldCondition("language", match=edge.MatchAny(list(only.languages))))
    return must


def _reading(scope: TenantScope, document_id: DocumentId, generation: int) -> edge.Filter:
    of_generation = edge.FieldCondition("generation", match=edge.MatchValue(generation))
    return edge.Filter(must=[_of(scope, Narrowing(document_ids=(document_id,))), of_generation])


def _shown(scope: TenantScope, only: Narrowing = EVERYTHING) -> edge.Filter:
    # one condition says both whose it is and that it is shown: a second one takes longer than the search itself
    own = edge.FieldCondition(SHOWN, match=edge.MatchValue(str(scope.tenant_id)))
    return edge.Filter(must=[own, *_narrowed(only)])


def _hit(scope: TenantScope, point: edge.ScoredPoint) -> Hit:
    if (point.payload or {}).get("tenant_id") != str(scope.tenant_id):
        raise ForeignHit
    return Hit(id=PassageId(UUID(str(point.id))), score=point.score)
