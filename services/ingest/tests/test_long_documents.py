import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ingest_service.domain import long_documents
from ingest_service.domain.cut_settings import DEFAULT, CutSettings
from ingest_service.domain.document import Document, State
from ingest_service.domain.long_documents import LongDocuments
from ingest_service.domain.read_document import Cut, Say
from services.ingest.tests.memory import MemoryReader
from services.ingest.tests.promises_documents import new_scope
from services.ingest.tests.room import TEXT, Died, Room

LONG_TEXT = "# Part\n\nSome words are here.\n\n" * 30


@contextlib.contextmanager
def at_work(room: Room, document: Document) -> Iterator[None]:
    """Long, and being read or embedded."""
    with room.long.turn(room.scope, document) as turn:
        turn.take()
        yield


@pytest.fixture
def room() -> Room:
    return Room()


async def test_a_long_document_waits_for_the_one_before_it_and_a_short_one_does_not(room):
    first, second = [await room.send(f"{LONG_TEXT}{number}".encode()) for number in range(2)]
    short = await room.send(TEXT.encode())
    with at_work(room, first):
        assert await room.work(second) is State.RECEIVED
        waiting = await room.row(second)
        assert (waiting.state, waiting.attempt) == (State.RECEIVED, 0), "waiting is no attempt"
        assert room.index.held == {}
        assert await room.work(short) is State.READY
    assert await room.work(second) is State.READY


async def test_a_document_that_is_known_to_be_long_is_not_read_again_while_it_waits(room):
    first, second = [await room.send(f"{LONG_TEXT}{number}".encode()) for number in range(2)]
    with at_work(room, first):
        for _ in range(3):
            assert await room.work(second) is State.RECEIVED
    told = [state for told, state, _ in room.documents.said if told == second.id]
    assert told == [State.RECEIVED, State.PARSING, State.CHUNKING, State.RECEIVED], "that it waits is said once"


async def test_of_those_that_wait_no_more_are_known_than_needed(room, monkeypatch):
    monkeypatch.setattr(long_documents, "MOST_KNOWN", 2)
    first, *others = [await room.send(f"{LONG_TEXT}{number}".encode()) for number in range(5)]
    with at_work(room, first):
        for other in others:
            assert await room.work(other) is State.RECEIVED
        assert len(room.long._waiting) == 2


async def test_a_new_version_is_not_known_to_be_long(room):
    first, second = [await room.send(f"{LONG_TEXT}{number}".encode()) for number in range(2)]
    with at_work(room, first):
        assert await room.work(second) is State.RECEIVED
        key = room.scope.tenant_id, second.id
        room.documents.rows[key] = replace(room.documents.rows[key], state=State.FAILED)
        await room.replace(second, TEXT.encode())
        assert await room.work(second) is State.READY


async def test_one_business_takes_one_place_for_long_documents(room):
    first, second = [await room.send(f"{LONG_TEXT}{number}".encode()) for number in range(2)]
    other = replace(room, scope=new_scope())
    others = await other.send(LONG_TEXT.encode())
    with at_work(room, first):
        assert await other.work(others) is State.READY
        with at_work(other, others):
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
    with at_work(room, other):
        assert await room.work(document) is State.READY


async def test_a_long_document_that_waits_is_deleted_at_once(room):
    first, second = [await room.send(f"{LONG_TEXT}{number}".encode()) for number in range(2)]
    with at_work(room, first):
        assert await room.work(second) is State.RECEIVED
        await room.documents.begin_deleting(room.scope, second.id)
        assert await room.work(second) is State.DELETING


class Slow(MemoryReader):
    """Reads on when it may."""

    def __init__(self) -> None:
        self.begun, self.broken_off = 0, 0
        self.has_begun, self.goes_on = asyncio.Event(), asyncio.Event()

    async def read(self, data: bytes, say: Say, settings: CutSettings = DEFAULT) -> Cut:
        self.begun += 1
        self.has_begun.set()
        try:
            await self.goes_on.wait()
        except asyncio.CancelledError:
            self.broken_off += 1
            raise
        return await super().read(data, say, settings)


@pytest.fixture
def slow(room: Room) -> Slow:
    room.reader = slow = Slow()
    return slow


async def test_what_is_read_for_long_is_long_whatever_comes_of_it(room, slow):
    room.long = LongDocuments(2, from_s=0.01)
    first, second = [await room.send(f"{TEXT}{number}".encode()) for number in range(2)]
    reading = asyncio.create_task(room.work(first))
    await slow.has_begun.wait()
    assert await room.work(second) is State.RECEIVED
    assert (slow.begun, slow.broken_off) == (2, 1)
    for _ in range(3):
        assert await room.work(second) is State.RECEIVED
    assert slow.begun == 2, "it is known, and not begun again for nothing"
    slow.goes_on.set()
    assert await reading is State.READY
    assert await room.work(second) is State.READY


async def test_a_worker_that_is_stopped_leaves_no_reading_behind(room, slow):
    document = await room.send(TEXT.encode())
    reading = asyncio.create_task(room.work(document))
    await slow.has_begun.wait()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert slow.broken_off == 1
