"""The index that is searched, and beside it the one of another embedding model that is to replace it.

An index is of one model: vectors of two cannot be compared. When the model is changed, the new index is filled while
the old one goes on to be searched with its own model; only when every passage is in the new one is it searched. What is
uploaded or deleted meanwhile is written to both.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from contracts.ids import DocumentId
from ingest_service.domain import language, terms
from ingest_service.domain.document import StoredPassage
from ingest_service.domain.embedding import EmbedderAway, IndexName
from ingest_service.domain.passage_index import DenseVector, IndexedPassage, PassageIndex
from ingest_service.domain.ports import Embedder
from runtime.errors import Rejected, Retryable
from runtime.tenancy import TenantScope


class Indexes(Protocol):
    """Where indexes are kept, one for each embedding model."""

    async def names(self) -> Sequence[IndexName]:
        """Those that are there, whole or not."""
        ...

    async def open(self, name: IndexName) -> PassageIndex:
        """The index of this name; an empty one is made where there is none."""
        ...

    async def drop(self, name: IndexName) -> None:
        """Close it and remove all of it; nothing happens when it is gone."""
        ...

    async def use(self, *names: IndexName) -> None:
        """Tell the other processes, if there can be any, that this one needs these; it holds for a day."""
        ...

    async def unused(self) -> Sequence[IndexName]:
        """Those that are there and that no process, this one neither, has told of within a day.

        Where there is one process at a time, that is all of them: it knows itself what it needs.
        """
        ...


@dataclass(eq=False)
class Shelf:
    """An index with the embedder whose vectors it holds."""

    name: IndexName
    index: PassageIndex
    embedder: Embedder
    _users: int = 0
    _is_free: asyncio.Event = field(default_factory=asyncio.Event)

    @contextlib.contextmanager
    def used(self) -> Iterator["Shelf"]:
        """It is not dropped as long as somebody uses it."""
        self._users += 1
        self._is_free.clear()
        try:
            yield self
        finally:
            self._users -= 1
            if not self._users:
                self._is_free.set()

    async def until_unused(self) -> None:
        if self._users:
            await self._is_free.wait()

    async def write(
        self, scope: TenantScope, passages: Sequence[StoredPassage], generation: int, *, may_lack_vectors: bool = False
    ) -> None:
        """Embed and write, hidden until they are shown; doing it twice changes nothing.

        `may_lack_vectors`: where the embedder fails they are written to be found by their words alone.
        """
        texts = [passage.full_text for passage in passages]
        dense = await self._dense(texts, may_lack=may_lack_vectors)
        # one by one: Python lets nobody else compute meanwhile, and a batch at once takes 11 to 18 ms
        sparse = [await asyncio.to_thread(terms.passage_vector, text) for text in texts]
        written = [
            IndexedPassage(
                id=passage.id,
                document_id=passage.document_id,
                generation=generation,
                language=passage.language or language.UNDETERMINED,
                dense=vector,
                sparse=weights,
            )
            for passage, vector, weights in zip(passages, dense, sparse, strict=True)
        ]
        await self.index.upsert(scope, written)

    async def _dense(self, texts: Sequence[str], *, may_lack: bool) -> Sequence[DenseVector | None]:
        try:
            return await self.embedder.embed(texts)
        except (Retryable, Rejected):
            if not may_lack:
                raise
            return [None] * len(texts)


class Embedders(Protocol):
    """Makes the embedder of an index."""

    async def of(self, name: IndexName) -> Embedder:
        """The embedder whose vectors this index holds; one that is away for ever when its model cannot be had."""
        ...


class Shelves:
    """Writes and deletes on every shelf, searches on one."""

    def __init__(self, wanted: Shelf, indexes: Indexes, embedders: Embedders) -> None:
        self._indexes = indexes
        self._embedders = embedders
        self._has_looked = False
        self._searched = wanted
        self.wanted: Final = wanted

    async def look(self) -> None:
        """Choose what is searched, once: the fullest index, for that was searched before; others hold less, or nothing.

        Two full ones mean that the last process ended between the switch and the drop: the wanted one is as good.

        Raises:
            Unavailable: The indexes cannot be reached; call it again.
        """
        if self._has_looked:
            return
        await self.keep()  # before it is made: nobody else knows it
        best, held = self.wanted, await self.wanted.index.count_all()
        for name in await self._indexes.names():
            index = await self._indexes.open(name)
            if name != self.wanted.name and (found := await index.count_all()) > held:
                best, held = Shelf(name, index, await self._embedders.of(name)), found
        self._searched, self._has_looked = best, True

    async def keep(self) -> None:
        """Tell other processes what is written and searched here, so that they leave it alone for a day.

        Raises:
            Unavailable: It could not be told.
        """
        await self._indexes.use(self.wanted.name, self._searched.name)

    @property
    def is_settled(self) -> bool:
        """The wanted index is the one that is searched."""
        return self._searched is self.wanted

    def searching(self) -> contextlib.AbstractContextManager[Shelf]:
        """The shelf to search, for as long as one search takes."""
        return self._searched.used()

    def check(self) -> None:
        """Raises EmbedderAway when it is known that nothing can be written."""
        self.wanted.embedder.check()

    async def write(self, scope: TenantScope, passages: Sequence[StoredPassage], generation: int) -> None:
        """Write passages, hidden until `show`. What the old model cannot embed any more is found by its words.

        Raises:
            EmbedderAway: The wanted model cannot embed them for the time being.
        """
        await self.wanted.write(scope, passages, generation)
        with self._old() as old:
            if old:
                await old.write(scope, passages, generation, may_lack_vectors=True)

    async def written(self, scope: TenantScope, document_id: DocumentId, generation: int) -> int:
        """How many passages of this reading are on every shelf, hidden ones too."""
        with self._all() as shelves:
            return min([await shelf.index.written(scope, document_id, generation) for shelf in shelves])

    async def show(self, scope: TenantScope, document_id: DocumentId, generation: int) -> None:
        """From now on every written passage of this reading is found."""
        with self._all() as shelves:
            for shelf in shelves:
                await shelf.index.show(scope, document_id, generation)

    async def delete_document(
        self, scope: TenantScope, document_id: DocumentId, *, but_generation: int | None = None
    ) -> None:
        """Remove a document's passages, except those of one reading."""
        with self._all() as shelves:
            for shelf in shelves:
                await shelf.index.delete_document(scope, document_id, but_generation=but_generation)

    async def settle(self) -> None:
        """Search the wanted index from now on, and drop what nobody uses; call it whenever the wanted one is whole.

        What other processes may need, those of another build or model among them, is dropped by a call a day later.
        """
        self._searched, old = self.wanted, self._searched
        if old is not self.wanted:
            await old.until_unused()
        for name in await self._indexes.unused():
            if name != self.wanted.name:
                await self._indexes.drop(name)

    @contextlib.contextmanager
    def _old(self) -> Iterator[Shelf | None]:
        if self.is_settled:
            yield None
            return
        with self._searched.used() as old:
            yield old

    @contextlib.contextmanager
    def _all(self) -> Iterator[list[Shelf]]:
        with self._old() as old:
            yield [self.wanted] if old is None else [self.wanted, old]


class NoEmbedder:
    """Implements `Embedder` for an index whose model cannot be asked any more: it is searched by words alone."""

    def __init__(self, name: IndexName) -> None:
        self.model = name.model
        self.dimension = name.dimension

    def check(self) -> None:
        raise EmbedderAway("this embedding model is not there any more")

    async def embed_query(self, _text: str) -> DenseVector:
        raise EmbedderAway("this embedding model is not there any more")

    async def embed(self, _texts: Sequence[str], *, is_urgent: bool = False) -> Sequence[DenseVector]:
        del is_urgent
        raise EmbedderAway("this embedding model is not there any more")
