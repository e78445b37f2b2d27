from dataclasses import replace
from itertools import pairwise

import pytest

from ingest_service.domain.document import State
from ingest_service.domain.pages_read import PagesRead, WhenRead
from runtime.clock import FrozenClock
from services.ingest.tests.memory import MemoryReader
from services.ingest.tests.room import TEXT, Room


def steps(text: int, pictures: int) -> list[PagesRead]:
    """As a reader of PDF tells them: pictures are known when all pages with text are read."""
    of = text + pictures
    return [
        *(PagesRead(done, of) for done in range(text + 1)),
        *(PagesRead(n, of, pictures) for n in range(text, of + 1)),
    ]


@pytest.mark.parametrize(("text", "pictures"), [(50, 0), (0, 50), (0, 1), (99, 1), (1, 99), (5_000, 0)])
def test_shares_grow_and_leave_room_for_what_comes_after_reading(text, pictures):
    shares = [[pages.share for pages in steps(text, pictures) if pages.pictures == known] for known in {0, pictures}]
    assert all(before <= after for part in shares for before, after in pairwise(part))
    assert max(max(part) for part in shares if part) == PagesRead(text + pictures, text + pictures, pictures).all_share


def test_a_page_of_fifty_that_ocr_reads_is_a_fiftieth_of_the_progress():
    assert PagesRead(25, 50, 50).share == pytest.approx(0.5, abs=0.02)
    assert PagesRead(50, 50, 50).share == pytest.approx(0.98, abs=0.02)
    assert PagesRead(25, 50).share == pytest.approx(0.05)


def test_what_a_reader_counts_is_not_believed_beyond_reason():
    for told in [
        PagesRead(2**31 - 1, 1, 7),
        PagesRead(0, 0, 0),
        PagesRead(1, 2**31 - 1, 2**31 - 1),
        PagesRead(3, 2, 9),
    ]:
        pages = told.believed()
        assert 0 <= pages.share <= pages.all_share < 1
        assert 0 <= pages.pictures_done <= pages.pictures <= pages.of


def test_the_end_is_known_from_the_second_picture_on_by_their_pace():
    clock, said = FrozenClock(), []
    when = WhenRead(clock)
    for pages in steps(10, 50):
        clock.advance(2)
        expected = when.after(pages)
        said.append(None if expected is None else expected.in_s)
    assert set(said[:13]) == {None}, "neither text nor the first picture tells a pace"
    assert said[-1] is None
    # two seconds each, and what is embedded after them
    assert all(2 * left <= in_s <= 2 * left + 4 for left, in_s in zip(range(48, 0, -1), said[13:-1], strict=True))


def test_a_reader_that_begins_anew_is_timed_anew():
    clock = FrozenClock()
    when = WhenRead(clock)
    for done in (1, 2, 3, 1):
        clock.advance(2)
        expected = when.after(PagesRead(done, 10, 10))
    assert expected is None
    clock.advance(4)
    expected = when.after(PagesRead(2, 10, 10))
    assert expected is not None
    assert 32 <= expected.in_s <= 33


class Scans(MemoryReader):
    """Reads a document of fifty pictures, a page in two seconds."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.seen: list[tuple[State, float, bool]] = []

    async def read(self, data, say, settings):
        for done in range(51):
            self.room.clock.advance(2)
            await say(PagesRead(done, 50, 50))
            (row,) = self.room.documents.rows.values()
            self.seen.append((row.state, row.progress, row.expected_at is not None))
        return await super().read(data, say, settings)


async def test_a_scan_is_seen_to_be_read_page_by_page_with_the_time_left():
    room = Room()
    room.reader = reader = Scans(room)
    document = await room.send(TEXT.encode())
    assert await room.work(document) is State.READY
    half = reader.seen[25]
    assert half[0] is State.PARSING
    assert half[1] == pytest.approx(0.5, abs=0.02)
    assert [is_known for *_, is_known in reader.seen] == [False, False, *[True] * 48, False]
    shares = [share for *_, share in room.documents.said]
    assert shares == sorted(shares)
    begins = next(share for _, state, share in room.documents.said if state is State.EMBEDDING)
    assert 0.97 < begins < 1


async def test_after_a_crash_the_time_left_is_told_though_the_share_stands_still():
    room = Room()
    room.reader = reader = Scans(room)
    document = await room.send(TEXT.encode())
    key = room.scope.tenant_id, document.id
    room.documents.rows[key] = replace(room.documents.rows[key], progress=0.6)
    await room.work(document)
    assert reader.seen[10] == (State.PARSING, 0.6, True)
