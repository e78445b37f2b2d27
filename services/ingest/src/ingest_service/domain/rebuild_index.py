"""A lost or incomplete vector index, filled again from the passages that are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.ids import DocumentId
from ingest_service.domain.index_document import A_BATCH, Desk, index_passages
from runtime.tenancy import TenantScope


@dataclass(frozen=True, slots=True)
class ReadyDocument:
    """A document that should be in the index with so many passages."""

    scope: TenantScope
    id: DocumentId
    generation: int
    passages: int


class ReadyDocuments(Protocol):
    """Every tenant's documents that are ready."""

    async def all(self) -> Sequence[ReadyDocument]:
        """All of them; without content."""
        ...


@dataclass
class Rebuilding:
    """How far the index is: the figures behind readiness and metrics. `missing` is None until it was counted."""

    missing: int | None = None

    @property
    def is_done(self) -> bool:
        return self.missing == 0


async def rebuild_index(ready: ReadyDocuments, desk: Desk, progress: Rebuilding) -> None:
    """Write the passages of documents that the index holds in part or not at all; searching goes on meanwhile."""
    lost = [
        document
        for document in await ready.all()
        if await desk.index.count(document.scope, document.id) < document.passages
    ]
    progress.missing = sum(document.passages for document in lost)
    for document in lost:
        passages = await desk.documents.passages_of(document.scope, document.id, document.generation)
        for start in range(0, len(passages), A_BATCH):
            await index_passages(passages[start : start + A_BATCH], document.generation, document.scope, desk)
        await desk.index.show(document.scope, document.id, document.generation)
        # deleted or read anew while we wrote: what we wrote must not stay
        current = await desk.documents.get(document.scope, document.id)
        if current is None or current.generation != document.generation:
            keep = None if current is None else current.generation
            await desk.index.delete_document(document.scope, document.id, but_generation=keep)
        progress.missing -= document.passages
