"""A room to work on documents in: every port in memory, and a moment before each write to the index."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from contracts.ids import DocumentId, uuid7
from ingest_service.domain.document import Document, State
from ingest_service.domain.embedding import IndexName
from ingest_service.domain.index_document import Desk, TellTrouble, work_on
from ingest_service.domain.long_documents import LongDocuments
from ingest_service.domain.passage_index import EVERYTHING, IndexedPassage
from ingest_service.domain.register_document import Arrival, examine, register_document, replace_document
from ingest_service.domain.search import results
from ingest_service.domain.shelves import Shelf, Shelves
from runtime.clock import FrozenClock
from runtime.tenancy import TenantScope
from services.ingest.tests.memory import (
    MemoryEmbedder,
    MemoryEmbedders,
    MemoryIndexes,
    MemoryPassageIndex,
    MemoryReader,
)
from services.ingest.tests.memory_documents import MemoryDocuments, MemoryFiles
from services.ingest.tests.memory_members import MemoryMembers
from services.ingest.tests.promises_documents import new_scope

TEXT = "# Returns\n\nWithin 30 days.\n\n## Refunds\n\nThe money goes back to your card."


class Died(BaseException):
    """The worker's process ends."""


@dataclass
class Watched(MemoryPassageIndex):
    """Calls back before each write: the moment at which something else happens."""

    before: Callable[[], None] = field(default=lambda: None)
    is_crashing: bool = False

    async def delete_document(
        self, scope: TenantScope, document_id: DocumentId, *, but_generation: int | None = None
    ) -> None:
        if self.is_crashing:
            raise Died
        await super().delete_document(scope, document_id, but_generation=but_generation)

    async def upsert(self, scope: TenantScope, passages: Sequence[IndexedPassage]) -> None:
        self.before()
        await super().upsert(scope, passages)


@dataclass
class Room:
    scope: TenantScope = field(default_factory=new_scope)
    documents: MemoryDocuments = field(default_factory=MemoryDocuments)
    files: MemoryFiles = field(default_factory=MemoryFiles)
    index: Watched = field(default_factory=Watched)
    embedder: MemoryEmbedder = field(default_factory=MemoryEmbedder)
    clock: FrozenClock = field(default_factory=FrozenClock)
    long: LongDocuments = field(default_factory=lambda: LongDocuments(places=2, from_passages=20))
    reader: MemoryReader = field(default_factory=MemoryReader)
    tell_trouble: TellTrouble = field(default=lambda *_, **_named: None)

    @property
    def shelves(self) -> Shelves:
        shelf = Shelf(IndexName("letters", 384), self.index, self.embedder)
        return Shelves(shelf, MemoryIndexes(), MemoryEmbedders())

    @property
    def desk(self) -> Desk:
        members = MemoryMembers(self.documents)
        ports = self.documents, members, self.files, self.shelves, self.reader, self.clock
        return Desk(*ports, tell_trouble=self.tell_trouble, long=self.long)

    async def send(self, data: bytes, filename: str = "returns.md") -> Document:
        name = str(uuid7())
        self.files.upload(self.scope, name, data)
        arrival = Arrival(DocumentId(uuid7()), name, filename)
        upload = await examine(arrival, self.scope, files=self.files)
        document = await register_document(
            arrival, upload, self.scope, documents=self.documents, files=self.files, clock=self.clock
        )
        await self.files.discard(self.scope, name)
        return document

    async def replace(self, document: Document, data: bytes) -> None:
        name = str(uuid7())
        self.files.upload(self.scope, name, data)
        upload = await self.files.inspect(self.scope, name)
        assert upload is not None
        arrival = Arrival(DocumentId(uuid7()), name, document.filename)
        await replace_document(document.id, arrival, upload, self.scope, documents=self.documents, files=self.files)

    async def work(self, document: Document) -> State | None:
        """A pause that it was put off for is over."""
        key = self.scope.tenant_id, document.id
        if key in self.documents.rows:
            self.documents.rows[key] = replace(self.documents.rows[key], try_again_at=None)
        return await work_on(document.id, self.scope, self.desk)

    async def row(self, document: Document) -> Document:
        found = await self.documents.get(self.scope, document.id)
        assert found is not None
        return found

    async def find(self, query: str) -> list[str]:
        found = await results(
            query, 5, self.scope, EVERYTHING, documents=self.documents, embedder=self.embedder, index=self.index
        )
        return [result.passage.heading for result in found]
