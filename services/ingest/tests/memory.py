"""Memory fakes of ingest's ports: each keeps the promise that its real counterpart keeps."""

import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from contracts.ids import DocumentId, PassageId, TenantId
from ingest_service.domain.cut_settings import DEFAULT, CutSettings
from ingest_service.domain.embedding import IndexName
from ingest_service.domain.pages_read import PagesRead
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
from ingest_service.domain.ports import Embedder
from ingest_service.domain.read_document import Cut, Say, cut
from ingest_service.domain.shelves import NoEmbedder
from ingest_service.domain.terms import SparseVector
from ingest_service.outbound import readers
from runtime.tenancy import TenantScope


@dataclass
class MemoryPassageIndex:
    """Exact search over a dictionary."""

    held: dict[PassageId, tuple[TenantId, IndexedPassage]] = field(default_factory=dict)
    shown: set[PassageId] = field(default_factory=set)

    async def upsert(self, scope: TenantScope, passages: Sequence[IndexedPassage]) -> None:
        self.held.update({passage.id: (scope.tenant_id, passage) for passage in passages})
        self.shown -= {passage.id for passage in passages}

    async def written(self, scope: TenantScope, document_id: DocumentId, generation: int) -> int:
        return sum((p.document_id, p.generation) == (document_id, generation) for p in self._of(scope))

    async def show(self, scope: TenantScope, document_id: DocumentId, generation: int) -> None:
        written = [p for p in self._of(scope) if (p.document_id, p.generation) == (document_id, generation)]
        self.shown |= {passage.id for passage in written}

    async def delete_document(
        self, scope: TenantScope, document_id: DocumentId, *, but_generation: int | None = None
    ) -> None:
        gone = [p for p in self._of(scope) if p.document_id == document_id and p.generation != but_generation]
        for passage in gone:
            del self.held[passage.id]

    async def delete_tenant(self, scope: TenantScope) -> int:
        gone = self._of(scope)
        for passage in gone:
            del self.held[passage.id]
        return len(gone)

    async def search_dense(
        self, scope: TenantScope, vector: DenseVector, limit: int, only: Narrowing = EVERYTHING
    ) -> list[Hit]:
        return _best(
            [passage for passage in self._shown(scope, only) if passage.dense is not None],
            limit,
            lambda p: sum(a * b for a, b in zip(p.dense or (), vector, strict=True)),
            -math.inf,
        )

    async def search_sparse(
        self, scope: TenantScope, vector: SparseVector, limit: int, only: Narrowing = EVERYTHING
    ) -> list[Hit]:
        corpus = [dict(zip(p.sparse.indices, p.sparse.values, strict=True)) for p in self._shown(scope)]
        holding = {index: sum(index in weights for weights in corpus) for index in vector.indices}
        rarity = {i: math.log(1 + (len(corpus) - n + 0.5) / (n + 0.5)) for i, n in holding.items()}

        def score(passage: IndexedPassage) -> float:
            weights = dict(zip(passage.sparse.indices, passage.sparse.values, strict=True))
            pairs = zip(vector.indices, vector.values, strict=True)
            return sum(weights.get(index, 0.0) * value * rarity[index] for index, value in pairs)

        return _best(self._shown(scope, only), limit, score, 0.0)

    async def languages(self, scope: TenantScope, ids: Sequence[PassageId]) -> set[str]:
        return {passage.language for passage in self._shown(scope) if passage.id in ids}

    async def count(self, scope: TenantScope, document_id: DocumentId | None = None) -> int:
        return sum(document_id in {None, passage.document_id} for passage in self._shown(scope))

    async def count_all(self) -> int:
        return len(self.held)

    async def readings(self) -> Sequence[HeldReading]:
        return held_readings(
            HeldPassage(str(tenant_id), str(p.document_id), p.generation, p.id in self.shown)
            for tenant_id, p in self.held.values()
        )

    def _shown(self, scope: TenantScope, only: Narrowing = EVERYTHING) -> list[IndexedPassage]:
        return [passage for passage in self._of(scope, only) if passage.id in self.shown]

    def _of(self, scope: TenantScope, only: Narrowing = EVERYTHING) -> list[IndexedPassage]:
        return [
            passage
            for tenant_id, passage in self.held.values()
            if tenant_id == scope.tenant_id
            and (not only.document_ids or passage.document_id in only.document_ids)
            and (not only.languages or passage.language in only.languages)
            and (not only.passage_ids or passage.id in only.passage_ids)
        ]


@dataclass
class MemoryIndexes:
    """Indexes by name."""

    held: dict[IndexName, MemoryPassageIndex] = field(default_factory=dict)
    used_elsewhere: set[IndexName] = field(default_factory=set)

    async def names(self) -> Sequence[IndexName]:
        return list(self.held)

    async def open(self, name: IndexName) -> MemoryPassageIndex:
        return self.held.setdefault(name, MemoryPassageIndex())

    async def drop(self, name: IndexName) -> None:
        self.held.pop(name, None)

    async def use(self, *names: IndexName) -> None:
        pass

    async def unused(self) -> Sequence[IndexName]:
        return [name for name in self.held if name not in self.used_elsewhere]


@dataclass
class MemoryUses:
    """Implements `Uses`."""

    held: set[str] = field(default_factory=set)

    async def tell(self, collections: Collection[str]) -> None:
        self.held |= set(collections)

    async def told(self) -> Collection[str]:
        return self.held

    def forget(self) -> None:
        """A day goes by."""
        self.held.clear()


@dataclass
class MemoryEmbedders:
    """Embedders by the index that they are of."""

    held: dict[IndexName, Embedder] = field(default_factory=dict)

    async def of(self, name: IndexName) -> Embedder:
        return self.held.get(name) or NoEmbedder(name)


def _best(
    passages: Sequence[IndexedPassage], limit: int, score: Callable[[IndexedPassage], float], above: float
) -> list[Hit]:
    hits = [Hit(passage.id, score(passage)) for passage in passages]
    return sorted((hit for hit in hits if hit.score > above), key=lambda hit: hit.score, reverse=True)[:limit]


class WordCounter:
    """Counts words and marks, as a tokenizer roughly does."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]


class MemoryReader:
    """Reads in this process, and cuts by `WordCounter`."""

    async def read(self, data: bytes, say: Say, settings: CutSettings = DEFAULT) -> Cut:
        told: list[PagesRead] = []
        manuscript = readers.read(data, lambda *pages: told.append(PagesRead(*pages)))
        for pages in [*told, PagesRead(1, 1)]:
            await say(pages)
        return cut(manuscript, WordCounter(), settings)


@dataclass
class MemoryEmbedder:
    """Texts that share letters are near; enough to tell passages apart without a model."""

    model: str = "letters"
    dimension: int = 384
    asked: list[str] = field(default_factory=list)

    def check(self) -> None:
        return

    async def embed_query(self, text: str) -> DenseVector:
        self.asked.append(text)
        return _letters(text)

    async def embed(self, texts: Sequence[str], *, is_urgent: bool = False) -> list[DenseVector]:
        self.asked.extend(texts)
        return [_letters(text) for text in texts]


def _letters(text: str) -> DenseVector:
    vector = [0.0] * 384
    for letter in text.lower():
        vector[ord(letter) % 384] += 1.0
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]
