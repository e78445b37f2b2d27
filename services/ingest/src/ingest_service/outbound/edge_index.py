"""The vector index in process, by Qdrant's own engine: one folder, one process, durable by its write-ahead log."""

import asyncio
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
from ingest_service.outbound import edge_folders
from ingest_service.outbound.edge_compaction import Compaction, compaction
from ingest_service.outbound.edge_shard import DENSE, SHOWN, TERMS, is_held, open_shard
from runtime import logs
from runtime.tenancy import TenantScope

RETRY_S: Final = 0.25
COMPACTED_EVERY: Final = 2_000
"""Passages, or a tenth of what is there if that is more: compacting writes all of them anew, some 60 us each."""
A_PAGE: Final = 1_000
"""Passages that are looked through at a time."""
LOOKED_AT_AGAIN: Final = 1.5
"""Of the best by bytes, so many times those asked for are ranked by their exact vectors: enough to find the same."""
T = TypeVar("T")
if TYPE_CHECKING:
    Condition = edge.ConditionType
    Vector = list[float] | edge.SparseVector | list[list[float]]

_log = logs.get_logger()


class EdgeIndex:
    """`PassageIndex` over one shard. Reads and writes have threads of their own: a search does not wait for a write.

    Compacting replaces the shard. It is replaced, and written to, in the thread of the writes alone.
    """

    def __init__(self, folder: Path, dimension: int) -> None:
        self._folder = folder
        self._dimension = dimension
        self._path = edge_folders.current(folder)
        self._is_changed = self._path.exists()
        self._shard = open_shard(self._path, dimension)
        self._fresh = 0
        self._missed: list[edge.UpdateOperation] | None = None
        self._compacting = asyncio.Lock()
        self._beside: asyncio.Task[None] | None = None
        self._writes = ThreadPoolExecutor(1, thread_name_prefix="index-write")
        self._reads = _readers()

    @classmethod
    def open(cls, folder: Path, dimension: int = 384) -> "EdgeIndex":
        """Open the index whose first folder is `folder`, or make it for vectors of `dimension` numbers.

        Raises:
            RuntimeError: Another process has it open (`is_held`), or its files are damaged.
        """
        while True:
            index = cls(folder, dimension)
            if index._path == edge_folders.current(folder):
                edge_folders.remove_others(index._path, folder)
                return index
            # whoever had it open has just replaced it
            index._shard.close()

    @property
    def folder(self) -> Path:
        """Where its files are until it is compacted the next time."""
        return self._path

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
        await self._update(edge.UpdateOperation.upsert_points(points))
        self._fresh += len(points)

    async def written(self, scope: TenantScope, document_id: DocumentId, generation: int) -> int:
        chosen = _reading(scope, document_id, generation)
        return await self._read(lambda: self._shard.count(edge.CountRequest(exact=True, filter=chosen)))

    async def show(self, scope: TenantScope, document_id: DocumentId, generation: int) -> None:
        shown = {SHOWN: str(scope.tenant_id)}
        update = edge.UpdateOperation.set_payload_by_filter(_reading(scope, document_id, generation), shown)
        await self._update(update)
        held = await self.count_all() if self._fresh >= COMPACTED_EVERY else 0
        # nothing is awaited from here on: of two documents that are shown at once one begins it
        if not self._compacting.locked() and self._fresh >= max(COMPACTED_EVERY, held // 10):
            self._fresh = 0
            self._beside = asyncio.create_task(self.compact(), name="compaction")

    async def delete_document(
        self, scope: TenantScope, document_id: DocumentId, *, but_generation: int | None = None
    ) -> None:
        chosen = _of(scope, Narrowing(document_ids=(document_id,)), but_generation)
        await self._update(edge.UpdateOperation.delete_points_by_filter(chosen))

    async def delete_tenant(self, scope: TenantScope) -> int:
        held = await self.count(scope)
        await self._update(edge.UpdateOperation.delete_points_by_filter(_of(scope)))
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

        Searches go on meanwhile, and writes too but while the folder is copied. Where it fails the index is as it was.
        """
        async with self._compacting:
            if not self._is_changed:
                return
            self._fresh = 0
            try:
                await self._compact(edge_folders.following(self._folder))
            except Exception as error:  # noqa: BLE001 - the engine raises it; the index is searched and written on
                _log.warning("index.not_compacted", reason=str(error))

    async def flush(self) -> None:
        """Everything is in the folder's files when this returns, and what they make superfluous is gone."""
        async with self._compacting:
            await self._write(self._shard.flush)

    async def close(self) -> None:
        """Flush and release the folder; a compaction that it began by itself is given up."""
        if self._beside is not None:
            self._beside.cancel()
        async with self._compacting:
            await self._write(self._shard.flush)
            self._reads.shutdown()
            await self._write(self._shard.close)
            self._writes.shutdown()

    async def _compact(self, copy: Path) -> None:
        try:
            async with compaction(self._path, copy, self._dimension) as process:
                await process.until_ready()
                loop = asyncio.get_running_loop()
                await self._write(lambda: self._be_copied(process, loop))
                await process.until_compacted()
            replaced = await self._write(lambda: self._take(copy))
            reads, self._reads = self._reads, _readers()
            # those that search in it are waited for
            await asyncio.to_thread(reads.shutdown)
            await self._write(replaced.close)
        finally:
            # in turn: whatever nobody waits for any more has ended then
            await self._write(lambda: self._let_go(copy))

    def _be_copied(self, process: Compaction, loop: asyncio.AbstractEventLoop) -> None:
        """Here, so that writes wait."""
        asyncio.run_coroutine_threadsafe(process.copy(), loop).result()
        self._missed, self._is_changed = [], False

    def _take(self, copy: Path) -> edge.EdgeShard:
        """Make up for what was written since the copy was made, and use it from now on; returns what it replaces."""
        shard = open_shard(copy, self._dimension)
        try:
            for update in self._missed or ():
                shard.update(update)
            edge_folders.mark_whole(copy)
        except BaseException:
            shard.close()
            raise
        self._path, replaced, self._shard = copy, self._shard, shard
        return replaced

    def _let_go(self, copy: Path) -> None:
        """Of what the copy has replaced, or else of the copy."""
        self._missed = None
        self._is_changed |= self._path != copy
        edge_folders.remove_others(self._path, self._folder)

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

    async def _update(self, update: edge.UpdateOperation) -> None:
        await self._write(lambda: self._apply(update))

    def _apply(self, update: edge.UpdateOperation) -> None:
        self._is_changed = True
        if self._missed is not None:
            self._missed.append(update)
        self._shard.update(update)

    async def _read(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reads, call)

    async def _write(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writes, call)


def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, thread_name_prefix="index-read")


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
