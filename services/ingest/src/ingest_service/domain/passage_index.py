"""The port to the vectors of every tenant's passages."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID, uuid5

from contracts.ids import DocumentId, PassageId, TenantId
from ingest_service.domain.terms import SparseVector
from runtime.tenancy import TenantScope

DenseVector = Sequence[float]
"""Numbers of unit length, as many as the embedder's `dimension`."""


def passage_id(document_id: DocumentId, generation: int, n: int) -> PassageId:
    """The same passage of the same reading always has the same id, so that indexing twice changes nothing."""
    return PassageId(uuid5(document_id, f"{generation}/{n}"))


@dataclass(frozen=True, slots=True)
class IndexedPassage:
    """One passage as the index keeps it. `generation` tells the readings of one document apart.

    `dense` is None where the index's model could not be asked: such a passage is found by its words alone.
    """

    id: PassageId
    document_id: DocumentId
    generation: int
    language: str
    dense: DenseVector | None
    sparse: SparseVector


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Search within these documents, languages or passages only; empty means all."""

    document_ids: tuple[DocumentId, ...] = ()
    languages: tuple[str, ...] = ()
    passage_ids: tuple[PassageId, ...] = ()


EVERYTHING = Narrowing()


class Hit(NamedTuple):
    """A passage that one leg found, with that leg's own score (cosine, or BM25)."""

    id: PassageId
    score: float


class HeldReading(NamedTuple):
    """What an index holds of one reading of a document: `shown` passages are found, `hidden` ones wait for the rest."""

    tenant_id: TenantId
    document_id: DocumentId
    generation: int
    shown: int
    hidden: int


class HeldPassage(NamedTuple):
    """What `held_readings` needs of a passage."""

    tenant_id: str
    document_id: str
    generation: int
    is_shown: bool


def held_readings(passages: Iterable[HeldPassage]) -> list[HeldReading]:
    """Count passages by the reading that they belong to."""
    counts = Counter(passages)
    return [
        HeldReading(
            TenantId(UUID(tenant_id)),
            DocumentId(UUID(document_id)),
            generation,
            shown=counts[HeldPassage(tenant_id, document_id, generation, is_shown=True)],
            hidden=counts[HeldPassage(tenant_id, document_id, generation, is_shown=False)],
        )
        for tenant_id, document_id, generation in {passage[:3] for passage in counts}
    ]


class ForeignHit(RuntimeError):
    """An index returned another tenant's passage although the filter forbade it: nothing of it may be used."""


class PassageIndex(Protocol):
    """Vectors of passages; whatever is read or changed is bound to one tenant."""

    async def upsert(self, scope: TenantScope, passages: Sequence[IndexedPassage]) -> None:
        """Write passages, hidden until `show`; one with the same id replaces the earlier one."""
        ...

    async def written(self, scope: TenantScope, document_id: DocumentId, generation: int) -> int:
        """How many passages of this reading are there, hidden ones too."""
        ...

    async def show(self, scope: TenantScope, document_id: DocumentId, generation: int) -> None:
        """From now on every written passage of this reading is found.

        Half a document must not fill the ranks: its passages have no row yet, and would crowd out others that do.
        """
        ...

    async def delete_document(
        self, scope: TenantScope, document_id: DocumentId, *, but_generation: int | None = None
    ) -> None:
        """Remove a document's passages, except those of one reading; nothing happens when there is none."""
        ...

    async def delete_tenant(self, scope: TenantScope) -> int:
        """Remove every passage of the tenant; how many there were."""
        ...

    async def search_dense(
        self, scope: TenantScope, vector: DenseVector, limit: int, only: Narrowing = EVERYTHING
    ) -> list[Hit]:
        """The passages nearest in meaning, best first, scored by cosine."""
        ...

    async def search_sparse(
        self, scope: TenantScope, vector: SparseVector, limit: int, only: Narrowing = EVERYTHING
    ) -> list[Hit]:
        """The passages that share terms, best first, scored by BM25 over this tenant's passages alone."""
        ...

    async def languages(self, scope: TenantScope, ids: Sequence[PassageId]) -> set[str]:
        """What those of these passages that are the tenant's are written in; `und` where it could not be told."""
        ...

    async def count(self, scope: TenantScope, document_id: DocumentId | None = None) -> int:
        """Passages of the tenant, or of one of its documents, that are found."""
        ...

    async def count_all(self) -> int:
        """Passages of all tenants, hidden ones too: a figure for operators."""
        ...

    async def readings(self) -> Sequence[HeldReading]:
        """All that is held of all tenants, for whoever compares it with the rows; a scan of some 5 us a passage."""
        ...
