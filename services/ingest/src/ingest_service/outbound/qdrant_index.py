"""The vector index on a Qdrant server or cluster, through its official client (REST, client and server 1.19 or newer).

Importing the client takes 55 MB: import this module only where a server is used.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from qdrant_client import models
from qdrant_client.http.exceptions import UnexpectedResponse

from contracts.ids import DocumentId, PassageId
from ingest_service.domain.passage_index import (
    EVERYTHING,
    DenseVector,
    ForeignHit,
    HeldPassage,
    HeldReading,
    Hit,
    IndexedPassage,
    Narrowing,
    held_readings,
)
from ingest_service.domain.terms import SparseVector
from ingest_service.outbound.qdrant_server import (
    CONFLICT,
    NOT_FOUND,
    QdrantServer,
    answered,
    collection_name,
    connected,
)
from runtime import logs
from runtime.errors import Unavailable
from runtime.tenancy import TenantScope

DENSE: Final = "dense"
TERMS: Final = "terms"
SHOWN: Final = "shown_to"
OLDEST_SERVER: Final = (1, 19)
"""The first that counts a term's rarity over one tenant's passages; an older one ignores the wish without a word."""
A_WRITE: Final = 64
"""Points of one request: some 300 KB, where a server takes 32 MB."""
A_PAGE: Final = 1_000
"""Points that are looked through at a time."""
T = TypeVar("T")

_log = logs.get_logger()


class QdrantIndex:
    """`PassageIndex` over one collection, which is made when it is first needed: servers may start in any order."""

    def __init__(self, server: QdrantServer, *, model: str, dimension: int) -> None:
        self._server = server
        self._write_s = server.write_timeout_s
        self._dimension = dimension
        self.collection = collection_name(server.prefix, model, dimension)
        self._client = connected(server)
        self._is_made = False
        self._making = asyncio.Lock()

    async def check(self) -> None:
        """For health.

        Raises:
            Unavailable: The server is away or too old.
        """
        await self._made()

    async def upsert(self, scope: TenantScope, passages: Sequence[IndexedPassage]) -> None:
        points = [_point(scope, passage) for passage in passages]
        for start in range(0, len(points), A_WRITE):
            await self._write(points[start : start + A_WRITE])

    async def written(self, scope: TenantScope, document_id: DocumentId, generation: int) -> int:
        return await self._count(_reading(scope, document_id, generation))

    async def show(self, scope: TenantScope, document_id: DocumentId, generation: int) -> None:
        chosen = _reading(scope, document_id, generation)
        shown = {SHOWN: str(scope.tenant_id)}
        await self._ask(
            lambda: self._client.set_payload(self.collection, shown, points=chosen, wait=True, timeout=self._write_s)
        )

    async def delete_document(
        self, scope: TenantScope, document_id: DocumentId, *, but_generation: int | None = None
    ) -> None:
        await self._delete(_of(scope, Narrowing(document_ids=(document_id,)), but_generation))

    async def delete_tenant(self, scope: TenantScope) -> int:
        held = await self.count(scope)
        await self._delete(_of(scope))
        return held

    async def search_dense(
        self, scope: TenantScope, vector: DenseVector, limit: int, only: Narrowing = EVERYTHING
    ) -> list[Hit]:
        return await self._search(scope, list(vector), DENSE, limit, only)

    async def search_sparse(
        self, scope: TenantScope, vector: SparseVector, limit: int, only: Narrowing = EVERYTHING
    ) -> list[Hit]:
        if not vector.indices:
            return []
        terms = models.SparseVector(indices=list(vector.indices), values=list(vector.values))
        # a term's rarity is counted over the tenant's own passages: others' texts must not show in its ranking
        own = models.SearchParams(idf=models.IdfCorpusParams(corpus=_shown(scope)))
        return await self._search(scope, terms, TERMS, limit, only, own)

    async def languages(self, scope: TenantScope, ids: Sequence[PassageId]) -> set[str]:
        points = await self._ask(
            lambda: self._client.retrieve(self.collection, list(ids), with_payload=["language", "tenant_id"])
        )
        told = (point.payload or {} for point in points)
        return {one["language"] for one in told if one["tenant_id"] == str(scope.tenant_id)}

    async def count(self, scope: TenantScope, document_id: DocumentId | None = None) -> int:
        return await self._count(_shown(scope, Narrowing(document_ids=(document_id,) if document_id else ())))

    async def count_all(self) -> int:
        return await self._count(None)

    async def readings(self) -> Sequence[HeldReading]:
        found: list[HeldPassage] = []
        fields, start = ["tenant_id", "document_id", "generation", SHOWN], None
        while True:
            points, start = await self._page(fields, start)
            found += [
                HeldPassage(told["tenant_id"], told["document_id"], told["generation"], SHOWN in told)
                for told in (point.payload or {} for point in points)
            ]
            if start is None:
                return held_readings(found)

    async def compact(self) -> None:
        """Nothing: the server drops deleted points by itself."""

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    async def _search(
        self,
        scope: TenantScope,
        query: list[float] | models.SparseVector,
        using: str,
        limit: int,
        only: Narrowing,
        params: models.SearchParams | None = None,
    ) -> list[Hit]:
        found = await self._ask(
            lambda: self._client.query_points(
                self.collection,
                query=query,
                using=using,
                query_filter=_shown(scope, only),
                search_params=params,
                limit=limit,
                with_payload=["tenant_id"],
            )
        )
        return [_hit(scope, point) for point in found.points]

    async def _write(self, points: Sequence[models.PointStruct]) -> None:
        await self._ask(lambda: self._client.upsert(self.collection, points, wait=True, timeout=self._write_s))

    async def _page(self, fields: list[str], start: Any) -> tuple[list[models.Record], Any]:
        return await self._ask(
            lambda: self._client.scroll(
                self.collection, offset=start, limit=A_PAGE, with_payload=fields, with_vectors=False
            )
        )

    async def _count(self, chosen: models.Filter | None) -> int:
        counted = await self._ask(lambda: self._client.count(self.collection, count_filter=chosen, exact=True))
        return counted.count

    async def _delete(self, chosen: models.Filter) -> None:
        selected = models.FilterSelector(filter=chosen)
        await self._ask(lambda: self._client.delete(self.collection, selected, wait=True, timeout=self._write_s))

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        await self._made()
        try:
            return await answered(call)
        except UnexpectedResponse as error:
            if error.status_code != NOT_FOUND:
                raise
            # somebody removed the collection: the next call makes it anew, upkeep fills it
            self._is_made = False
            raise Unavailable("the vector index is being made") from error

    async def _made(self) -> None:
        if self._is_made:
            return
        async with self._making:
            if self._is_made:
                return
            version = (await answered(self._client.info)).version
            if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST_SERVER:
                _log.error("index.server_too_old", version=version, needed=".".join(map(str, OLDEST_SERVER)))
                raise Unavailable("the vector index is kept by a server that is too old")
            await self._make()
            self._is_made = True

    async def _make(self) -> None:
        """Collection and payload indexes; another process may be doing the same."""
        if not await answered(lambda: self._client.collection_exists(self.collection)):
            try:
                await answered(self._create)
            except UnexpectedResponse as error:
                if error.status_code != CONFLICT:
                    raise
        for field, schema in _fields().items():
            await self._make_field(field, schema)
        _log.info("index.collection", name=self.collection)

    async def _create(self) -> bool:
        """As Qdrant advises for many tenants in one collection: graphs within a tenant, none over all."""
        server = self._server
        int8 = models.ScalarQuantization(
            scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
        )
        return await self._client.create_collection(
            self.collection,
            vectors_config={DENSE: models.VectorParams(size=self._dimension, distance=models.Distance.DOT)},
            sparse_vectors_config={TERMS: models.SparseVectorParams(modifier=models.Modifier.IDF)},
            hnsw_config=models.HnswConfigDiff(m=0, payload_m=16),
            quantization_config=int8 if server.quantization == "int8" else None,
            shard_number=server.shards,
            replication_factor=server.replicas,
            write_consistency_factor=server.write_replicas,
        )

    async def _make_field(self, field: str, schema: models.PayloadSchemaParams) -> None:
        await answered(
            lambda: self._client.create_payload_index(
                self.collection, field, field_schema=schema, wait=True, timeout=self._write_s
            )
        )


def _fields() -> dict[str, models.PayloadSchemaParams]:
    word = models.KeywordIndexType.KEYWORD
    return {
        "tenant_id": models.KeywordIndexParams(type=word, is_tenant=True),
        "document_id": models.KeywordIndexParams(type=word),
        "language": models.KeywordIndexParams(type=word),
        SHOWN: models.KeywordIndexParams(type=word, is_tenant=True),
    }


def _point(scope: TenantScope, passage: IndexedPassage) -> models.PointStruct:
    sparse = models.SparseVector(indices=list(passage.sparse.indices), values=list(passage.sparse.values))
    payload = {
        "tenant_id": str(scope.tenant_id),
        "document_id": str(passage.document_id),
        "generation": passage.generation,
        "language": passage.language,
    }
    vectors: dict[str, models.Vector] = {TERMS: sparse}
    if passage.dense is not None:
        vectors[DENSE] = list(passage.dense)
    return models.PointStruct(id=str(passage.id), vector=vectors, payload=payload)


def _equal(key: str, value: str | int) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def _of(scope: TenantScope, only: Narrowing = EVERYTHING, but_generation: int | None = None) -> models.Filter:
    """Every filter starts with the tenant; there is no other way to make one but `_shown`, which does too."""
    kept: list[models.Condition] = [] if but_generation is None else [_equal("generation", but_generation)]
    return models.Filter(must=[_equal("tenant_id", str(scope.tenant_id)), *_narrowed(only)], must_not=kept)


def _narrowed(only: Narrowing) -> list[models.Condition]:
    must: list[models.Condition] = []
    if only.document_ids:
        documents = [str(document_id) for document_id in only.document_ids]
        must.append(models.FieldCondition(key="document_id", match=models.MatchAny(any=documents)))
    if only.languages:
        must.append(models.FieldCondition(key="language", match=models.MatchAny(any=list(only.languages))))
    if only.passage_ids:
        must.append(models.HasIdCondition(has_id=[str(passage_id) for passage_id in only.passage_ids]))
    return must


def _reading(scope: TenantScope, document_id: DocumentId, generation: int) -> models.Filter:
    return models.Filter(must=[_of(scope, Narrowing(document_ids=(document_id,))), _equal("generation", generation)])


def _shown(scope: TenantScope, only: Narrowing = EVERYTHING) -> models.Filter:
    # one condition says both whose it is and that it is shown: a second one costs more than the search itself
    return models.Filter(must=[_equal(SHOWN, str(scope.tenant_id)), *_narrowed(only)])


def _hit(scope: TenantScope, point: models.ScoredPoint) -> Hit:
    if (point.payload or {}).get("tenant_id") != str(scope.tenant_id):
        raise ForeignHit
    return Hit(id=PassageId(UUID(str(point.id))), score=point.score)
