from collections.abc import Sequence

import pytest

from contracts.ids import DocumentId
from ingest_service.domain.cut_settings import DEFAULT, CutSettings
from ingest_service.domain.document import State
from ingest_service.domain.recut import recut
from runtime.tenancy import TenantScope
from services.ingest.tests.memory_documents import MemoryDocuments
from services.ingest.tests.room import Died, Room, Watched

SHORT = CutSettings(64, 0.0)
TEXT = "# Tents\n\n" + " ".join(f"Tent number {n} stands in the wind and in the rain." for n in range(60))


class AllOf:
    """Whatever its rows say: what a stale answer of the database may hold."""

    def __init__(self, documents: MemoryDocuments, scope: TenantScope) -> None:
        self._documents = documents
        self._scope = scope

    async def next(self) -> Sequence[tuple[TenantScope, DocumentId]]:
        return [(self._scope, document_id) for _, document_id in self._documents.rows]


@pytest.fixture
def room() -> Room:
    return Room()


async def test_what_is_cut_otherwise_is_read_anew_once(room: Room):
    document = await room.send(TEXT.encode())
    await room.work(document)
    before = await room.row(document)
    assert await recut(AllOf(room.documents, room.scope), room.documents) == 0

    await room.documents.set_cut_settings(room.scope, SHORT)
    assert [await recut(AllOf(room.documents, room.scope), room.documents) for _ in range(2)] == [1, 0]
    assert await room.find("Tent number 7")
    assert await room.work(document) is State.READY
    after = await room.row(document)
    assert (after.generation, after.cut_by) == (before.generation + 1, SHORT)
    assert after.passages > before.passages
    assert await recut(AllOf(room.documents, room.scope), room.documents) == 0


async def test_a_document_that_was_read_when_there_was_no_choice_is_cut_by_the_default(room: Room):
    document = await room.send(TEXT.encode())
    await room.work(document)
    key = room.scope.tenant_id, document.id
    row = room.documents.rows[key]
    room.documents.rows[key] = type(row)(**{name: getattr(row, name) for name in row.__slots__} | {"cut_by": None})
    await room.documents.set_cut_settings(room.scope, DEFAULT)
    assert await recut(AllOf(room.documents, room.scope), room.documents) == 0
    await room.documents.set_cut_settings(room.scope, SHORT)
    assert await recut(AllOf(room.documents, room.scope), room.documents) == 1


async def test_settings_that_change_in_an_attempt_do_not_mix_in_one_generation():
    text = TEXT * 12

    def crash() -> None:
        if len(index.held) >= 32:
            raise Died

    index = Watched(before=crash)
    room = Room(index=index)
    document = await room.send(text.encode())
    with pytest.raises(Died):
        await room.work(document)
    await room.documents.set_cut_settings(room.scope, SHORT)
    index.before = lambda: None
    assert await room.work(document) is State.READY
    kept = await room.documents.passages_of(room.scope, document.id, 1)
    assert {passage.id for passage in kept} == set(index.held)
    assert (await room.row(document)).cut_by == DEFAULT
    assert await recut(AllOf(room.documents, room.scope), room.documents) == 1
