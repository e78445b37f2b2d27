import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from ingest_service.domain.passage_index import ForeignHit, PassageIndex
from ingest_service.domain.terms import query_vector
from ingest_service.outbound import qdrant_index
from ingest_service.outbound.qdrant_index import QdrantIndex
from ingest_service.outbound.qdrant_server import QdrantServer
from runtime.errors import Overloaded, Unavailable
from services.ingest.tests.promises_passage_index import (
    OURS,
    STOVES,
    TENTS,
    THEIRS,
    PromisesOfPassageIndex,
    axis,
    passage,
    put,
)
from tests.support.simulated_qdrant import SimulatedQdrant

COLLECTION = "lumora_all-minilm-l6-v2-384"


@pytest.fixture
async def server() -> AsyncIterator[SimulatedQdrant]:
    async with SimulatedQdrant(api_key="the key") as server:
        yield server


def index_on(server: SimulatedQdrant, key: str = "the key", **layout) -> QdrantIndex:
    layout = {"api_key": SecretStr(key), "timeout_s": 5, **layout}
    return QdrantIndex(QdrantServer(server.url, **layout), model="all-MiniLM-L6-v2", dimension=384)


class TestQdrantIndex(PromisesOfPassageIndex):
    @pytest.fixture
    async def index(self, server) -> AsyncIterator[PassageIndex]:
        index = index_on(server)
        yield index
        await index.close()

    async def test_a_collection_holds_one_model_and_is_made_as_set(self, server):
        index = index_on(server, shards=3, replicas=2, write_replicas=2, quantization="int8")
        assert await index.count_all() == 0
        made = server.collections[COLLECTION]
        layout = made.layout
        assert (layout.shard_number, layout.replication_factor, layout.write_consistency_factor) == (3, 2, 2)
        assert layout.hnsw_config.m == 0
        assert layout.hnsw_config.payload_m == 16
        assert layout.quantization_config.scalar.type == "int8"
        assert layout.sparse_vectors["terms"].modifier == "idf"
        assert made.indexes["tenant_id"]["is_tenant"] is True
        assert set(made.indexes) == {"tenant_id", "document_id", "language", "shown_to"}
        other = QdrantIndex(QdrantServer(server.url, SecretStr("the key")), model="Other/Model v2", dimension=384)
        assert await other.count_all() == 0
        assert set(server.collections) == {COLLECTION, "lumora_other-model-v2-384"}
        await index.close()
        await other.close()

    async def test_several_processes_may_begin_at_once(self, server):
        several = [index_on(server) for _ in range(4)]
        assert await asyncio.gather(*(index.count_all() for index in several)) == [0] * 4
        assert list(server.collections) == [COLLECTION]
        for index in several:
            await index.close()

    async def test_the_collection_is_looked_for_once(self, index, server):
        await index.count_all()
        begun = len(server.asked)
        await index.count_all()
        await index.search_dense(OURS, axis(0), limit=1)
        assert [path for _, path in server.asked[begun:]] == [
            f"/collections/{COLLECTION}/points/count",
            f"/collections/{COLLECTION}/points/query",
        ]

    async def test_many_passages_travel_in_parts(self, index, server):
        await put(index, OURS, [passage(TENTS, n, "tent") for n in range(150)])
        assert await index.count(OURS) == 150
        assert server.asked.count(("PUT", f"/collections/{COLLECTION}/points")) == 3

    async def test_a_lost_collection_is_made_anew(self, index, server):
        await put(index, OURS, [passage(TENTS, 0, "tent")])
        server.drop(COLLECTION)
        with pytest.raises(Unavailable):
            await index.count(OURS)
        assert await index.count(OURS) == 0

    async def test_a_foreign_hit_is_never_returned(self, index, monkeypatch):
        await put(index, THEIRS, [passage(TENTS, 0, "tent")])
        monkeypatch.setattr(qdrant_index, "_shown", lambda *_: qdrant_index.models.Filter(must=[]))
        with pytest.raises(ForeignHit):
            await index.search_dense(OURS, axis(0), limit=1)

    @pytest.mark.parametrize("version", ["1.18.4", "1.9.2"])
    async def test_a_server_that_would_weigh_others_texts_is_refused(self, index, server, version):
        server.version = version
        with pytest.raises(Unavailable, match="too old"):
            await index.search_sparse(OURS, query_vector("tent"), limit=1)
        assert server.collections == {}
        server.version = "2.0.0"
        await index.check()

    async def test_a_broken_connection_is_tried_once_more(self, index, server):
        await put(index, OURS, [passage(TENTS, 0, "tent")])
        server.faults.append("drop")
        assert await index.count(OURS) == 1
        server.faults.extend(["drop", "drop"])
        with pytest.raises(Unavailable):
            await index.count(OURS)
        assert await index.count(OURS) == 1

    @pytest.mark.parametrize("status", [500, 503, 401, 403])
    async def test_a_server_that_fails_or_refuses_us_is_away(self, index, server, status):
        await put(index, OURS, [passage(STOVES, 0, "stove")])
        server.faults.append(status)
        with pytest.raises(Unavailable):
            await index.search_dense(OURS, axis(0), limit=1)
        assert len(await index.search_dense(OURS, axis(0), limit=1)) == 1

    async def test_a_server_that_asks_for_patience_gets_it(self, index, server):
        await index.check()
        server.faults.append(429)
        with pytest.raises(Overloaded) as caught:
            await index.count(OURS)
        assert caught.value.retry_after_s == 2

    async def test_silence_ends_with_the_timeout(self, server):
        index = index_on(server, timeout_s=1)
        await index.check()
        server.faults.append("stall")
        with pytest.raises(Unavailable):
            await index.count(OURS)
        await index.close()

    async def test_a_write_may_take_longer_than_anybody_waits_for_a_search(self, server):
        index = index_on(server, timeout_s=1)
        await index.check()
        for write in (
            index.upsert(OURS, [passage(TENTS, 0, "tent")]),
            index.show(OURS, TENTS, 1),
            index.delete_document(OURS, TENTS),
        ):
            server.faults.append(1.5)
            await write
        assert await index.count_all() == 0
        await index.close()

    async def test_a_server_that_is_not_there_yet_is_waited_for(self):
        async with SimulatedQdrant() as gone:
            pass
        index = index_on(gone)
        with pytest.raises(Unavailable):
            await index.check()
        async with SimulatedQdrant(api_key="the key", port=gone.port):
            await index.check()
        await index.close()

    async def test_the_key_is_told_to_nobody(self, server):
        index = index_on(server, key="a wrong secret")
        with pytest.raises(Unavailable) as caught:
            await index.check()
        assert "a wrong secret" not in f"{caught.value} {caught.value.__cause__} {index._server}"
        await index.close()
