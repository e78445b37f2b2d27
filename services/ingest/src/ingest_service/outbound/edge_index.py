"""The vector index in process, by Qdrant's own engine: one folder, one process, durable by its write-ahead log."""

import asyncio
import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

import qdrant_edge as edge

from contracts.ids import DocumentId, PassageId
from ingest_service.domain.passage_index import (
    EVERYTHING,
    DenseVector,
    HeldPassage,
    HeldReading,
    Hit,
    IndexedPassage,
    Narrowing,
    held_readings,
)
from ingest_service.domain.terms import SparseVector
from runtime.tenancy import TenantScope

DENSE: Final = "dense"
TERMS: Final = "terms"
SHOWN: Final = "shown_to"
"""The tenant whose searches find the passage; nothing while it waits for the rest of its reading."""
RETRY_S: Final = 0.25
BYTES_FROM_KB: Final = 2_500
"""Vectors of a segment that is given a byte for each number when the index is compacted: about 1,700 passages."""
COMPACTED_EVERY: Final = 2_000
"""Passages, or a tenth of what is there if that is more: compacting writes all of them anew, some 60 us each."""
LOG_FILE: Final = 2**20
"""Bytes of a file of the log: the one that is written is memory, and one that is full is kept on the disk."""
A_PAGE: Final = 1_000
"""Passages that are looked through at a time."""
LOOKED_AT_AGAIN: Final = 1.5
"""Of the best by bytes, so many times those asked for are ranked by their exact vectors: enough to find the same."""
T = TypeVar("T")
if TYPE_CHECKING:
    Condition = edge.ConditionType
    Vector = list[float] | edge.SparseVector | list[list[float]]


class EdgeIndex:
    """`PassageIndex` over one shard. Reads and writes have threads of their own: a search does not wait for a write."""

    def __init__(self, shard: edge.EdgeShard) -> None:
        self._shard = shard
        self._fresh = 0
        self._writes = ThreadPoolExecutor(1, thread_name_prefix="index-write")
        self._reads = ThreadPoolExecutor(2, thread_name_prefix="index-read")

    @classmethod
    def open(cls, folder: Path, dimension: int = 384) -> "EdgeIndex":
        """Open the shard in `folder`, or make it for vectors of `dimension` numbers; also after a kill.

        Raises:
            RuntimeError: Another process has the shard open, or its files are damaged.
        """
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _keep_log_small(folder / "edge_config.json")
            shard = edge.EdgeShard.load(str(folder), _config(dimension))
            _index_fields(shard)
        except Exception as error:  # the engine raises bare Exception
            raise RuntimeError(f"the vector index in {folder} cannot be opened: {error}") from error
        return cls(shard)

    @classmethod
    async def open_when_free(cls, folder: Path, dimension: int = 384, *, patience_s: float = 15.0) -> "EdgeIndex":
        """As `open`, but wait for a process that is just letting go of the folder.

        Raises:
            RuntimeError: It was not let go of in time, or its files are damaged, which is told at once.
        """
        deadline = time.monotonic() + patience_s
        while True:
            try:
                return cls.open(folder, dimension)
            except RuntimeError as error:
                if not is_held(error) or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(RETRY_S)

    async def upsert(self, scope: TenantScope, passages: Sequence[IndexedPassage]) -> None:
        points = [_point(scope, passage) for passage in passages]
        await self._write(lambda: self._shard.update(edge.UpdateOperation.upsert_points(points)))
        self._fresh += len(points)

    async def written(self, scope: TenantScope, document_id: DocumentId, generation: int) -> int:
        chosen = _reading(scope, document_id, generation)
        return await self._read(lambda: self._shard.count(edge.CountRequest(exact=True, filter=chosen)))

    async def show(self, scope: TenantScope, document_id: DocumentId, generation: int) -> None:
        shown = {SHOWN: str(scope.tenant_id)}
        update = edge.UpdateOperation.set_payload_by_filter(_reading(scope, document_id, generation), shown)
        await self._write(lambda: self._shard.update(update))
        if self._fresh >= max(COMPACTED_EVERY, await self.count_all() // 10):
            await self.compact()

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
        again = edge.QuantizationSearchParams(rescore=True, oversampling=LOOKED_AT_AGAIN)
        exact = edge.SearchParams(quantization=again)
        return await self._search(scope, edge.Query.Nearest(list(vector), using=DENSE), limit, only, exact)

    async def search_sparse(
        self, scope: TenantScope, vector: SparseVector, limit: int, only: Narrowing = EVERYTHING
    ) -> list[Hit]:
        if not vector.indices:
            return []
        terms = edge.SparseVector(list(vector.indices), list(vector.values))
        # a term's rarity is counted over the tenant's own passages: others' texts must not show in its ranking
        own = edge.SearchParams(idf=edge.IdfParams(corpus=_shown(scope)))
        return await self._search(scope, edge.Query.Nearest(terms, using=TERMS), limit, only, own)

    async def languages(self, scope: TenantScope, ids: Sequence[PassageId]) -> set[str]:
        fields = ["language", SHOWN]
        points = await self._read(lambda: self._shard.retrieve(list(ids), with_payload=fields, with_vector=False))
        told = (point.payload or {} for point in points)
        return {one["language"] for one in told if one.get(SHOWN) == str(scope.tenant_id)}

    async def count(self, scope: TenantScope, document_id: DocumentId | None = None) -> int:
        chosen = _shown(scope, Narrowing(document_ids=(document_id,) if document_id else ()))
        return await self._read(lambda: self._shard.count(edge.CountRequest(exact=True, filter=chosen)))

    async def count_all(self) -> int:
        return await self._read(lambda: self._shard.count(edge.CountRequest(exact=True)))

    async def readings(self) -> Sequence[HeldReading]:
        return await self._read(lambda: held_readings(_held(self._shard)))

    async def compact(self) -> None:
        """Drop deleted points for good, keep bytes beside new vectors, let go of what that replaced.

        The engine keeps Python's lock meanwhile: the process does nothing else for half a second at 10,000 passages.
        """
        self._fresh = 0
        await self._write(self._shard.optimize)
        await self.flush()

    async def flush(self) -> None:
        """Everything is in the folder's files when this returns, and what they make superfluous is gone."""
        await self._write(self._shard.flush)

    async def close(self) -> None:
        """Flush and release the folder."""
        await self.flush()
        self._reads.shutdown()
        await self._write(self._shard.close)
        self._writes.shutdown()

    async def _search(
        self,
        scope: TenantScope,
        query: edge.Query,
        limit: int,
        only: Narrowing,
        params: edge.SearchParams,
    ) -> list[Hit]:
        # payloads are not asked for: to read those of a hundred takes longer than to find them. That no foreign passage
        # is shown does not hang on this filter alone: texts come from rows, which their own policy binds to the tenant
        request = edge.QueryRequest(
            limit=limit, query=query, filter=_shown(scope, only), with_payload=False, params=params
        )
        return [_hit(point) for point in await self._read(lambda: self._shard.query(request))]

    async def _read(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reads, call)

    async def _write(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writes, call)


def is_held(error: RuntimeError) -> bool:
    """Whether `EdgeIndex.open` raised it because another process has the folder open."""
    return "WouldBlock" in str(error)


def _config(dimension: int) -> edge.EdgeConfig:
    # cold: not read into memory when it is opened or written. All of the bytes are looked at, of the exact vectors few
    cold = edge.Memory.Cold
    return edge.EdgeConfig(
        vectors={DENSE: edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Dot, memory=cold)},
        sparse_vectors={TERMS: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf, memory=cold)},
        quantization_config=edge.ScalarQuantizationConfig(edge.ScalarType.Int8, quantile=0.99, always_ram=True),
        # m=0, no graph: to look at all of a tenant's passages takes a millisecond, and a graph misses some of the best
        hnsw_config=edge.HnswIndexConfig(m=0, ef_construct=16, full_scan_threshold=10),
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=BYTES_FROM_KB, default_segment_number=2),
        max_search_threads=1,
    )


def _keep_log_small(config: Path) -> None:
    """Say so where the engine looks for what `EdgeConfig` leaves open: its Python has no word for the log's options.

    Nothing is said where another process has the index open, which the engine finds out next.
    """
    with _locked(config.with_name("wal")) as is_ours:
        kept = json.loads(config.read_bytes()) if config.exists() else {}
        options = {"segment_capacity": LOG_FILE, "segment_queue_len": 0, "retain_closed": 1}
        if is_ours and kept.get("wal_options") != options:
            half = config.with_name(config.name + ".part")
            half.write_text(json.dumps({**kept, "wal_options": options}), encoding="utf-8")
            half.replace(config)


@contextlib.contextmanager
def _locked(log: Path) -> Iterator[bool]:
    """The lock that the engine holds while it has an index open; where there is no log yet, there is no index."""
    if not log.exists():
        yield True
        return
    folder = os.open(log, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(folder)


def _index_fields(shard: edge.EdgeShard) -> None:
    """Those that are not yet indexed: of a new shard, all."""
    fields = (
        ("tenant_id", edge.KeywordIndexParams(is_tenant=True)),
        ("document_id", edge.KeywordIndexParams()),
        ("language", edge.KeywordIndexParams()),
        (SHOWN, edge.KeywordIndexParams(is_tenant=True)),
    )
    indexed = shard.info().payload_schema
    for field, parameters in fields:
        if field not in indexed:
            shard.update(edge.UpdateOperation.create_field_index(field, parameters))


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
    if only.passage_ids:
        must.append(edge.HasIdCondition(set(only.passage_ids)))
    return must


def _reading(scope: TenantScope, document_id: DocumentId, generation: int) -> edge.Filter:
    of_generation = edge.FieldCondition("generation", match=edge.MatchValue(generation))
    return edge.Filter(must=[_of(scope, Narrowing(document_ids=(document_id,))), of_generation])


def _shown(scope: TenantScope, only: Narrowing = EVERYTHING) -> edge.Filter:
    # one condition says both whose it is and that it is shown: a second one takes longer than the search itself
    own = edge.FieldCondition(SHOWN, match=edge.MatchValue(str(scope.tenant_id)))
    return edge.Filter(must=[own, *_narrowed(only)])


def _held(shard: edge.EdgeShard) -> Iterator[HeldPassage]:
    fields, start = ["tenant_id", "document_id", "generation", SHOWN], None
    while True:
        request = edge.ScrollRequest(offset=start, limit=A_PAGE, with_payload=fields, with_vector=False)
        points, start = shard.scroll(request)
        for point in points:
            told = point.payload or {}
            yield HeldPassage(told["tenant_id"], told["document_id"], told["generation"], SHOWN in told)
        if start is None:
            return


def _hit(point: edge.ScoredPoint) -> Hit:
    # the engine gives an id back as the kind it was given: ours are UUIDs, and making another takes microseconds
    key = point.id if isinstance(point.id, UUID) else UUID(str(point.id))
    return Hit(id=PassageId(key), score=point.score)
