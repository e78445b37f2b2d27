"""A change of the embedding model: the old index is searched until the new one is whole."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from contracts.ids import DocumentId, PassageId, uuid7
from ingest_service.domain import terms
from ingest_service.domain.document import State, StoredPassage
from ingest_service.domain.embedding import EmbedderAway, IndexName
from ingest_service.domain.index_document import Desk, work_on
from ingest_service.domain.passage_index import EVERYTHING, DenseVector
from ingest_service.domain.ports import Embedder
from ingest_service.domain.rebuild_index import ReadyDocument, Rebuilding, rebuild_index
from ingest_service.domain.search import results
from ingest_service.domain.shelves import Indexes, Shelf, Shelves
from ingest_service.domain.terms import SparseVector
from ingest_service.outbound.edge_indexes import EdgeIndexes
from ingest_service.outbound.qdrant_indexes import QdrantIndexes
from ingest_service.outbound.qdrant_server import QdrantServer
from runtime.clock import FrozenClock
from runtime.errors import Rejected
from runtime.tenancy import TenantScope
from services.ingest.tests.memory import MemoryEmbedder, MemoryEmbedders, MemoryIndexes, MemoryReader, MemoryUses
from services.ingest.tests.memory_documents import MemoryDocuments, MemoryFiles
from services.ingest.tests.memory_members import MemoryMembers
from services.ingest.tests.promises_documents import new_scope
from services.ingest.tests.room import Room
from tests.support.platform import eventually
from tests.support.simulated_qdrant import SimulatedQdrant

OLD, NEW = IndexName("letters", 384), IndexName("ollama/other:v1", 64)


@dataclass
class OtherEmbedder(MemoryEmbedder):
    """Vectors of another length; `is_away` as a server may be."""

    model: str = NEW.model
    dimension: int = NEW.dimension
    is_away: bool = False
    refuses: str = "nothing"

    def check(self) -> None:
        if self.is_away:
            raise EmbedderAway

    async def embed_query(self, text: str) -> DenseVector:
        self.check()
        return _folded(await super().embed_query(text))

    async def embed(self, texts: Sequence[str], *, is_urgent: bool = False) -> list[DenseVector]:
        self.check()
        if any(self.refuses in text for text in texts):
            raise Rejected
        return [_folded(vector) for vector in await super().embed(texts)]


def _folded(vector: DenseVector) -> DenseVector:
    return [1.0 if n == max(range(384), key=vector.__getitem__) % 64 else 0.0 for n in range(64)]


@dataclass
class House:
    """Documents over kept indexes; `start` is a start of the process with a model."""

    indexes: Indexes
    uses: MemoryUses | None = None
    old: MemoryEmbedder = field(default_factory=MemoryEmbedder)
    new: OtherEmbedder = field(default_factory=OtherEmbedder)
    is_old_gone: bool = False
    scope: TenantScope = field(default_factory=new_scope)
    documents: MemoryDocuments = field(default_factory=MemoryDocuments)
    files: MemoryFiles = field(default_factory=MemoryFiles)
    progress: Rebuilding = field(default_factory=Rebuilding)

    async def start(self, embedder: Embedder) -> None:
        name = IndexName(embedder.model, embedder.dimension)
        known = MemoryEmbedders({NEW: self.new} if self.is_old_gone else {OLD: self.old, NEW: self.new})
        shelves = Shelves(Shelf(name, await self.indexes.open(name), embedder), self.indexes, known)
        await shelves.look()
        self.progress = Rebuilding()
        members = MemoryMembers(self.documents)
        self.desk = Desk(self.documents, members, self.files, shelves, MemoryReader(), FrozenClock())

    async def upload(self, n: int) -> DocumentId:
        room = Room(scope=self.scope, documents=self.documents, files=self.files)
        return (await room.send(f"# Part {n}\n\nThing{n} is described here.".encode())).id

    async def add(self, n: int) -> DocumentId:
        document_id = await self.upload(n)
        assert await work_on(document_id, self.scope, self.desk) is State.READY
        return document_id

    async def all(self) -> list[ReadyDocument]:
        return [
            ReadyDocument(self.scope, row.id, row.generation, row.passages, row.state is not State.READY)
            for row in self.documents.rows.values()
            if row.passages and row.state not in {State.FAILED, State.DELETING}
        ]

    async def upkeep(self) -> None:
        """What it does at once; and, where it leaves something for a day later, that too."""
        await rebuild_index(self, self.desk, self.progress)
        if self.uses:
            self.uses.forget()
            await self.desk.index.keep()
            if self.desk.index.is_settled:
                await rebuild_index(self, self.desk, self.progress)

    async def find(self, query: str) -> list[str]:
        with self.desk.index.searching() as shelf:
            found = await results(
                query, 5, self.scope, EVERYTHING, documents=self.documents, embedder=shelf.embedder, index=shelf.index
            )
        return [result.passage.heading for result in found]


class PromisesOfIndexes:
    """What every place of indexes keeps."""

    @pytest.fixture
    def indexes(self) -> Indexes:
        raise NotImplementedError

    @pytest.fixture
    def uses(self) -> MemoryUses | None:
        """Where processes tell each other what they use, if they can share indexes."""
        return None

    @pytest.fixture
    async def house(self, indexes: Indexes, uses: MemoryUses | None) -> House:
        house = House(indexes, uses)
        await house.start(house.old)
        for n in range(3):
            await house.add(n)
        await house.upkeep()
        return house

    async def names(self, house: House) -> list[IndexName]:
        return sorted(await house.indexes.names(), key=lambda name: name.model)

    async def test_an_index_is_there_from_its_first_opening_to_its_drop(self, indexes):
        assert list(await indexes.names()) == []
        assert await (await indexes.open(NEW)).count_all() == 0
        assert await (await indexes.open(NEW)).count_all() == 0
        await (await indexes.open(OLD)).count_all()
        assert sorted(await indexes.names(), key=lambda name: name.model) == [OLD, NEW]
        for _ in range(2):
            await indexes.drop(NEW)
        assert list(await indexes.names()) == [OLD]

    async def test_the_old_one_is_searched_until_the_new_one_is_whole(self, house):
        await house.start(house.new)
        assert not house.desk.index.is_settled
        assert (await house.find("thing1"))[0] == "Part 1"
        added = await house.add(7)
        gone = await house.add(8)
        assert (await house.find("thing7"))[0] == "Part 7"
        await house.documents.begin_deleting(house.scope, gone)
        await work_on(gone, house.scope, house.desk)
        await house.upkeep()
        assert house.desk.index.is_settled
        assert await self.names(house) == [NEW]
        for n in (0, 1, 2, 7):
            assert (await house.find(f"thing{n}"))[0] == f"Part {n}"
        index = house.desk.index.wanted.index
        assert (await index.count_all(), await index.count(house.scope, added)) == (4, 1)

    async def test_what_the_new_model_refuses_is_found_by_words_and_keeps_no_other_from_being_found(self, house):
        house.new.refuses = "Thing0"
        await house.start(house.new)
        await house.upkeep()
        assert house.desk.index.is_settled
        for n in (0, 1, 2):
            assert (await house.find(f"thing{n}"))[0] == f"Part {n}"

    async def test_a_start_goes_on_with_what_is_there(self, house):
        await house.start(house.new)
        shelf = house.desk.index.wanted
        one, *_ = await house.all()
        await shelf.write(house.scope, await house.documents.passages_of(house.scope, one.id, 1), 1)
        await shelf.index.show(house.scope, one.id, 1)
        await house.start(house.new)
        assert not house.desk.index.is_settled
        asked = len(house.new.asked)
        await house.upkeep()
        assert len(house.new.asked) == asked + 2
        assert await self.names(house) == [NEW]

    async def test_an_index_left_between_switch_and_drop_goes_at_the_next_start(self, house):
        await house.start(house.new)
        await house.upkeep()
        left = await house.indexes.open(OLD)
        await left.count_all()
        assert await self.names(house) == [OLD, NEW]
        await house.start(house.new)
        assert house.desk.index.is_settled
        await house.upkeep()
        assert await self.names(house) == [NEW]

    async def test_going_back_halfway_searches_what_is_whole(self, house):
        await house.start(house.new)
        await house.add(7)
        await house.start(house.old)
        assert house.desk.index.is_settled
        await house.upkeep()
        assert await self.names(house) == [OLD]
        assert (await house.find("thing7"))[0] == "Part 7"

    async def test_without_its_model_the_old_one_is_searched_by_words(self, house):
        house.is_old_gone = True
        await house.start(house.new)
        await house.add(7)
        assert (await house.find("thing7"))[0] == "Part 7"
        assert (await house.find("thing1"))[0] == "Part 1"
        await house.upkeep()
        assert await self.names(house) == [NEW]
        assert (await house.find("thing7"))[0] == "Part 7"

    async def test_a_document_that_is_read_anew_is_never_lost_from_sight(self, house):
        one, *_ = await house.all()
        await house.start(house.new)
        await house.documents.read_again(house.scope, one.id)
        await house.upkeep()
        assert not house.desk.index.is_settled
        assert (await house.find("thing0"))[0] == "Part 0"
        await work_on(one.id, house.scope, house.desk)
        await house.upkeep()
        assert house.desk.index.is_settled
        assert (await house.find("thing0"))[0] == "Part 0"


class TestMemoryIndexes(PromisesOfIndexes):
    @pytest.fixture
    def indexes(self) -> Indexes:
        return MemoryIndexes()


class TestEdgeIndexes(PromisesOfIndexes):
    @pytest.fixture
    async def indexes(self, tmp_path: Path) -> AsyncIterator[Indexes]:
        indexes = EdgeIndexes(tmp_path)
        yield indexes
        await indexes.close()

    async def test_half_removed_folders_are_swept(self, tmp_path, indexes):
        await indexes.open(NEW)
        (tmp_path / ".leaving-letters-384").mkdir()
        (tmp_path / "notes.txt").touch()
        assert list(await indexes.names()) == [NEW]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "ollama%2Fother%3Av1-64"]


class TestQdrantIndexes(PromisesOfIndexes):
    @pytest.fixture
    def uses(self) -> MemoryUses:
        return MemoryUses()

    @pytest.fixture
    async def server(self) -> AsyncIterator[QdrantServer]:
        async with SimulatedQdrant() as server:
            yield QdrantServer(server.url)

    @pytest.fixture
    async def indexes(self, server: QdrantServer, uses: MemoryUses) -> AsyncIterator[Indexes]:
        indexes = QdrantIndexes(server, uses, (OLD, NEW))
        yield indexes
        await indexes.close()

    async def test_processes_of_two_models_drop_nothing_of_each_other(self, house, server, uses):
        theirs = QdrantIndexes(server, uses, (OLD, NEW))
        other = House(theirs, uses, scope=house.scope, documents=house.documents, files=house.files)
        await other.start(other.new)
        await rebuild_index(other, other.desk, other.progress)
        for one in (house, other, house):
            await rebuild_index(one, one.desk, one.progress)
            assert one.desk.index.is_settled
        assert await self.names(house) == [OLD, NEW]
        assert [(await each.find("thing1"))[0] for each in (house, other)] == ["Part 1", "Part 1"]
        uses.forget()  # the old one has ended
        await other.desk.index.keep()
        await rebuild_index(other, other.desk, other.progress)
        assert await self.names(other) == [NEW]
        await theirs.close()

    async def test_what_is_only_being_filled_is_not_dropped_by_others(self, house, server, uses):
        theirs = QdrantIndexes(server, uses, (OLD, NEW))
        other = House(theirs, uses, scope=house.scope, documents=house.documents, files=house.files)
        await other.start(other.new)
        assert await self.names(house) == [OLD, NEW]
        await rebuild_index(house, house.desk, house.progress)
        assert await self.names(house) == [OLD, NEW]
        await theirs.close()

    async def test_another_platforms_collections_are_left_alone(self):
        async with SimulatedQdrant() as server:
            theirs = QdrantIndexes(QdrantServer(server.url, prefix="lumora-test"), MemoryUses())
            await (await theirs.open(OLD)).count_all()
            ours = QdrantIndexes(QdrantServer(server.url, prefix="lumora"), MemoryUses())
            assert list(await ours.names()) == []
            await ours.close()
            await theirs.close()


async def test_documents_wait_for_a_model_that_is_away_and_lose_nothing():
    house = House(MemoryIndexes())
    await house.start(house.new)
    house.new.is_away = True
    document_id = await house.upload(1)
    key = house.scope.tenant_id, document_id
    for _ in range(20):
        assert await work_on(document_id, house.scope, house.desk) is State.RECEIVED
        house.documents.rows[key] = replace(house.documents.rows[key], try_again_at=None)
    row = await house.documents.get(house.scope, document_id)
    assert row is not None
    assert (row.state, row.attempt) == (State.RECEIVED, 0)
    house.new.is_away = False
    assert await work_on(document_id, house.scope, house.desk) is State.READY
    assert (await house.find("thing1")) == ["Part 1"]


async def test_a_search_that_runs_keeps_the_old_index_until_its_end():
    house = House(indexes := MemoryIndexes())
    await house.start(house.old)
    await house.add(1)
    await house.start(house.new)
    with house.desk.index.searching() as shelf:
        assert shelf.name == OLD
        upkeep = asyncio.create_task(house.upkeep())
        await eventually(lambda: house.desk.index.is_settled)
        assert OLD in indexes.held
    await upkeep
    assert OLD not in indexes.held


async def test_what_other_processes_may_still_search_is_dropped_later():
    house = House(indexes := MemoryIndexes(used_elsewhere={OLD}))
    await house.start(house.old)
    await house.add(1)
    await house.start(house.new)
    for _ in range(2):
        await rebuild_index(house, house.desk, house.progress)
        assert (house.desk.index.is_settled, set(indexes.held)) == (True, {OLD, NEW})
    indexes.used_elsewhere.clear()
    await rebuild_index(house, house.desk, house.progress)
    assert set(indexes.held) == {NEW}


async def test_what_failed_in_the_new_model_is_tried_again_whole():
    house = House(MemoryIndexes())
    await house.start(house.old)
    await house.add(1)
    await house.start(house.new)
    house.new.is_away = True
    with pytest.raises(EmbedderAway):
        await house.upkeep()
    assert not house.desk.index.is_settled
    assert (await house.find("thing1")) == ["Part 1"]
    house.new.is_away = False
    await house.upkeep()
    assert house.desk.index.is_settled


async def test_a_write_lets_others_on_after_each_passage(monkeypatch):
    turns, seen = 0, []

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def counted(text: str) -> SparseVector:
        seen.append(turns)
        return SparseVector((len(text),), (1.0,))

    monkeypatch.setattr(terms, "passage_vector", counted)
    house = House(MemoryIndexes())
    await house.start(house.old)
    running = asyncio.create_task(others())
    read = StoredPassage(PassageId(uuid7()), DocumentId(uuid7()), "Tents", 0, 0, 4, "", "", "dry", None, "en")
    await house.desk.index.write(house.scope, [replace(read, id=PassageId(uuid7()), n=n) for n in range(8)], 1)
    running.cancel()
    assert len(set(seen)) == len(seen) == 8
