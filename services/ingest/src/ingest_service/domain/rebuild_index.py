"""A vector index that lost passages is filled again from those that are kept; what it has too much is taken out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.ids import DocumentId, TenantId
from ingest_service.domain.document import StoredPassage
from ingest_service.domain.index_document import A_BATCH, Desk
from ingest_service.domain.passage_index import HeldReading
from ingest_service.domain.shelves import Shelf
from runtime.errors import Rejected
from runtime.tenancy import TenantScope


@dataclass(frozen=True, slots=True)
class ReadyDocument:
    """A document that should be in the index with so many passages of one reading: none if it failed.

    `is_read_anew`: they are those of an earlier reading, and are replaced when the work that goes on is done.
    """

    scope: TenantScope
    id: DocumentId
    generation: int | None
    passages: int
    is_read_anew: bool = False


class ReadyDocuments(Protocol):
    """Every tenant's documents that are found, ready or read anew, and those that failed, of which nothing is."""

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
    """Write the passages that the wanted index lacks; searching goes on meanwhile. When it is whole, it is searched."""
    await desk.index.look()
    shelf = desk.index.wanted
    lost = await _lost(ready, desk, shelf)
    progress.missing = _passages(lost)
    for document in lost:
        # one that is read anew is written by whoever reads it: until then the index is not whole
        if not document.is_read_anew:
            await _rebuild(document, desk, shelf)
            progress.missing -= document.passages
    if lost and progress.is_done and not desk.index.is_settled:
        # what we wrote may have been taken back, because its document was read anew
        progress.missing = _passages(await _lost(ready, desk, shelf))
    if progress.is_done:
        await desk.index.settle()


async def _lost(ready: ReadyDocuments, desk: Desk, shelf: Shelf) -> list[ReadyDocument]:
    """Documents that are not found as their rows say; what no row speaks of is taken out.

    The index is read before the rows: a document has its row before its first passage is written.
    """
    held: dict[tuple[TenantId, DocumentId], list[HeldReading]] = {}
    for reading in await shelf.index.readings():
        held.setdefault((reading.tenant_id, reading.document_id), []).append(reading)
    lost = []
    for document in await ready.all():
        readings = held.pop((document.scope.tenant_id, document.id), [])
        if sum(one.shown for one in readings if one.generation == document.generation) < document.passages:
            lost.append(document)
        elif any(one.generation != document.generation for one in readings) and not document.is_read_anew:
            await _take_out_rest(document, desk, shelf)
    for tenant_id, document_id in held:
        scope = TenantScope(tenant_id, "service:ingest")
        if await desk.documents.get(scope, document_id) is None:
            await shelf.index.delete_document(scope, document_id)
    return lost


async def _take_out_rest(document: ReadyDocument, desk: Desk, shelf: Shelf) -> None:
    """Take out other readings: what a crash after the last commit left, or an older snapshot has brought back.

    They have no rows, so that nobody is shown them, but they take the places of others in the ranks.
    """
    current = await desk.documents.get(document.scope, document.id)
    if current is None or not current.state.is_at_rest:
        return
    found = await desk.documents.found_generation(document.scope, document.id)
    if found == document.generation:
        await shelf.index.delete_document(document.scope, document.id, but_generation=found)


def _passages(documents: Sequence[ReadyDocument]) -> int:
    return sum(document.passages for document in documents)


async def _rebuild(document: ReadyDocument, desk: Desk, shelf: Shelf) -> None:
    if document.generation is None:
        return
    passages = await desk.documents.passages_of(document.scope, document.id, document.generation)
    for start in range(0, len(passages), A_BATCH):
        await _write(document.scope, passages[start : start + A_BATCH], document.generation, shelf)
    await shelf.index.show(document.scope, document.id, document.generation)
    # deleted or replaced while we wrote: what we wrote must not stay
    found = await desk.documents.found_generation(document.scope, document.id)
    if found != document.generation:
        await shelf.index.delete_document(document.scope, document.id, but_generation=found)
    else:
        await _take_out_rest(document, desk, shelf)


async def _write(scope: TenantScope, passages: Sequence[StoredPassage], generation: int, shelf: Shelf) -> None:
    """What the model's server refuses is found by its words alone: it must not keep all others from being found."""
    try:
        await shelf.write(scope, passages, generation)
    except Rejected:
        await shelf.write(scope, passages, generation, may_lack_vectors=True)
