from dataclasses import replace

import pytest

from ingest_service.domain import long_documents
from ingest_service.domain.document import State
from services.ingest.tests.promises_documents import new_scope
from services.ingest.tests.room import TEXT, Died, Room

LONG_TEXT = "# Part\n\nSome words are here.\n\n" * 30


@pytest.fixture
def room() -> Room:
    return Room()


async def test_a_long_document_waits_for_the_one_before_it_and_a_short_one_does_not(room):
    first, second = [await room.send(f"{LONG_TEXT}{number}".encode()) for number in range(2)]
    short = await room.send(TEXT.encode())
    with room.long.place(room.scope, first, 30):
        assert await room.work(second) is State.RECEIVED
        waiting = await room.row(second)
        assert (waiting.state, waiting.attempt) == (State.RECEIVED, 0), "waiting is no attempt"
        assert room.index.held == {}
        assert await room.work(short) is State.READY
    assert await room.work(second) is State.READY


async def test_a_document_that_is_known_to_be_long_is_not_read_again_while_it_waits(room):
    first, second = [await room.send(f"{LONG_TEXT}{number}".encode()) for number in range(2)]
    with room.long.place(room.scope, first, 30):
        for _ in range(3):
            assert await room.work(second) is State.RECEIVED
    told = [state for told, state, _ in room.documents.said if told == second.id]
    assert told == [State.RECEIVED, State.PARSING, State.CHUNKING, State.RECEIVED], "that it waits is said once"


async def test_of_those_that_wait_no_more_are_known_than_needed(room, monkeypatch):
    monkeypatch.setattr(long_documents, "MOST_KNOWN", 2)
    first, *others = [await room.send(f"{LONG_TEXT}{number}".encode()) for number in range(5)]
    with room.long.place(room.scope, first, 30):
        for other in others:
            assert await room.work(other) is State.RECEIVED
        assert len(room.long._waiting) == 2


async def test_a_new_version_is_not_known_to_be_long(room):
    first, second = [await room.send(f"{LONG_TEXT}{number}".encode()) for number in range(2)]
    with room.long.place(room.scope, first, 30):
        assert await room.work(second) is State.RECEIVED
        key = room.scope.tenant_id, second.id
        room.documents.rows[key] = replace(room.documents.rows[key], state=State.FAILED)
        await room.replace(second, TEXT.encode())
        assert await room.work(second) is State.READY


async def test_one_business_takes_one_place_for_long_documents(room):
    first, second = [await room.send(f"{LONG_TEXT}{number}".encode()) for number in range(2)]
    other = replace(room, scope=new_scope())
    others = await other.send(LONG_TEXT.encode())
    with room.long.place(room.scope, first, 30):
        assert await other.work(others) is State.READY
        with other.long.place(other.scope, others, 30):
            third = replace(room, scope=new_scope())
            assert await third.work(await third.send(LONG_TEXT.encode())) is State.RECEIVED
    assert await room.work(second) is State.READY


async def test_a_long_document_gives_its_place_back_however_it_ends(room):
    document = await room.send(LONG_TEXT.encode())

    def crash() -> None:
        raise Died

    room.index.before = crash
    with pytest.raises(Died):
        await room.work(document)
    room.index.before = lambda: None
    assert await room.work(document) is State.READY


async def test_what_is_left_of_a_long_document_may_be_short(room):
    document, other = [await room.send(f"{LONG_TEXT}{number}".encode()) for number in range(2)]

    def crash_at_the_second_batch() -> None:
        if room.index.held:
            raise Died

    room.index.before = crash_at_the_second_batch
    with pytest.raises(Died):
        await room.work(document)
    room.index.before = lambda: None
    with room.long.place(room.scope, other, 30):
        assert await room.work(document) is State.READY


async def test_a_long_document_that_waits_is_deleted_at_once(room):
    first, second = [await room.send(f"{LONG_TEXT}{number}".encode()) for number in range(2)]
    with room.long.place(room.scope, first, 30):
        assert await room.work(second) is State.RECEIVED
        await room.documents.begin_deleting(room.scope, second.id)
        assert await room.work(second) is State.DELETING
