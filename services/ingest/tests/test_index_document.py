from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from contracts.ids import DocumentId, uuid7
from ingest_service.domain import index_document
from ingest_service.domain.document import Failure, State
from ingest_service.domain.errors import EmptyDocument, UnsupportedType
from ingest_service.domain.index_document import give_up_on, work_on
from ingest_service.domain.rebuild_index import ReadyDocument, Rebuilding, rebuild_index
from ingest_service.domain.register_document import Arrival, examine
from runtime.errors import NotFound, NotNow
from services.ingest.tests.room import TEXT, Died, Room


@pytest.fixture
def room() -> Room:
    return Room()


async def test_a_document_is_read_and_found(room):
    document = await room.send(TEXT.encode())
    assert document.title == "returns"
    assert await room.work(document) is State.READY
    row = await room.row(document)
    assert (row.title, row.passages, row.language) == ("Returns", 2, "en")
    assert (await room.find("money back on my card"))[0] == "Returns > Refunds"
    assert [state for _, state, _ in room.documents.said] == [
        State.RECEIVED,
        State.PARSING,
        State.CHUNKING,
        State.EMBEDDING,
        State.READY,
    ]


async def test_a_job_that_comes_twice_changes_nothing(room):
    document = await room.send(TEXT.encode())
    await room.work(document)
    before = dict(room.index.held)
    assert await room.work(document) is None
    assert room.index.held == before
    assert await work_on(DocumentId(uuid7()), room.scope, room.desk) is None


async def test_a_crash_in_the_middle_is_taken_up_again(room):
    document = await room.send(("# Part\n\nSome words are here.\n\n" * 400).encode())

    def crash() -> None:
        if len(room.index.held) >= 16:
            raise Died

    room.index.before = crash
    with pytest.raises(Died):
        await room.work(document)
    assert len(room.index.held) == 16
    room.index.before = lambda: None
    room.embedder.asked.clear()
    assert await room.work(document) is State.READY
    row = await room.row(document)
    assert await room.index.count(room.scope, document.id) == row.passages > 16
    assert len(room.embedder.asked) == row.passages - 16, "what was written is not embedded again"
    assert row.attempt == 2


async def test_progress_is_said_every_half_second(room):
    document = await room.send(("# Part\n\nSome words are here.\n\n" * 200).encode())
    room.index.before = lambda: room.clock.advance(0.2)
    await room.work(document)
    shares = [share for _, state, share in room.documents.said if state is State.EMBEDDING]
    passages = (await room.row(document)).passages
    steps = -(-passages // 16)
    assert shares == sorted(shares)
    assert len(shares) == 1 + steps // 3
    assert all(0.1 <= share <= 1 for share in shares)


async def test_when_it_will_be_ready_is_known_from_the_second_batch_on(room):
    document = await room.send(("# Part\n\nSome words are here.\n\n" * 200).encode())
    expected = []

    def pass_time() -> None:
        row = room.documents.rows[room.scope.tenant_id, document.id]
        expected.append(row.expected_at)
        room.clock.advance(1)

    room.index.before = pass_time
    await room.work(document)
    assert len(expected) > 3
    assert expected[:2] == [None, None]
    ready_at = room.clock.now()
    # the last batch is not a full one, but took as long
    assert all(ready_at - timedelta(seconds=1) <= at <= ready_at for at in expected[2:])
    assert (await room.row(document)).expected_at is None


async def test_another_worker_is_left_in_peace(room):
    document = await room.send(TEXT.encode())
    await room.documents.claim(room.scope, document.id)
    with pytest.raises(NotNow):
        await room.work(document)


async def test_deleting_removes_every_trace(room):
    document = await room.send(TEXT.encode())
    await room.work(document)
    await room.documents.begin_deleting(room.scope, document.id)
    assert await room.find("money") == []
    assert await room.work(document) is State.DELETING
    assert room.index.held == {}
    assert room.files.held == {}
    assert room.documents.rows == {}
    assert await room.work(document) is None


async def test_a_document_deleted_while_it_is_read_does_not_come_back(room):
    document = await room.send(TEXT.encode())

    def delete() -> None:
        key = room.scope.tenant_id, document.id
        row = room.documents.rows[key]
        room.documents.rows[key] = replace(row, state=State.DELETING, attempt=row.attempt + 1)

    room.index.before = delete
    assert await room.work(document) is None
    room.index.before = lambda: None
    assert (await room.row(document)).state is State.DELETING
    assert await room.work(document) is State.DELETING
    assert room.index.held == {}


async def test_a_document_that_went_meanwhile_leaves_no_vectors(room):
    document = await room.send(TEXT.encode())
    room.index.before = room.documents.rows.clear
    assert await room.work(document) is None
    assert room.index.held == {}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xef\xbb\xbf\xff\xff", "unreadable_document"),
        (b" \n \n", "empty_document"),
        (b"<!-- **nothing** to see -->\n", "empty_document"),
        (b"text \x00\x01\x02 binary", "unsupported_type"),
    ],
)
async def test_what_cannot_be_read_fails_with_the_reason(room, data, code):
    document = await room.send(data)
    assert await room.work(document) is State.FAILED
    row = await room.row(document)
    assert row.failure is not None
    assert row.failure.code == code
    assert row.failure.detail.endswith(".")
    assert await room.work(document) is None


async def test_a_lost_file_fails_with_the_reason(room):
    document = await room.send(TEXT.encode())
    room.files.held.clear()
    assert await room.work(document) is State.FAILED


async def test_a_document_that_kills_its_reader_is_given_up(room):
    document = await room.send(TEXT.encode())
    key = room.scope.tenant_id, document.id
    room.documents.rows[key] = replace(room.documents.rows[key], attempt=index_document.MOST_ATTEMPTS)
    assert await room.work(document) is State.FAILED


async def test_giving_up_closes_what_is_open_and_nothing_else(room):
    failure = Failure("internal", "No.")
    document = await room.send(TEXT.encode())
    await give_up_on(document.id, room.scope, room.desk, failure)
    assert (await room.row(document)).failure == failure
    deleting = await room.send(b"Other text.")
    await room.documents.begin_deleting(room.scope, deleting.id)
    await give_up_on(deleting.id, room.scope, room.desk, failure)
    assert (await room.row(deleting)).state is State.DELETING
    assert await room.work(deleting) is State.DELETING


async def test_a_new_reading_replaces_the_old_one(room):
    document = await room.send(TEXT.encode())
    await room.work(document)
    old = set(room.index.held)
    await room.documents.read_again(room.scope, document.id)
    assert await room.find("money back") != []
    assert await room.work(document) is State.READY
    assert old.isdisjoint(room.index.held)
    assert len(room.index.held) == len(old)


async def test_a_search_that_a_new_version_overtakes_finds_one_of_both(room, monkeypatch):
    document = await room.send(TEXT.encode())
    await room.work(document)
    rows, days = room.documents.passages, iter((45, 60, 75, 90))
    read: list[int] = []

    async def overtaken(scope, ids):
        """The index was asked; before the rows are, another version has taken their place."""
        if len(read) < 2:
            await room.replace(document, f"# Returns\n\nWithin {next(days)} days.".encode())
            assert await room.work(document) is State.READY
        read.append(len(ids))
        return await rows(scope, ids)

    monkeypatch.setattr(room.documents, "passages", overtaken)
    assert await room.find("How many days do I have?") == ["Returns"]
    assert len(read) == 3
    read.clear()
    monkeypatch.setattr("ingest_service.domain.search.MOST_SEARCHES", 2)
    assert await room.find("How many days do I have?") == [], "a search does not begin again for ever"


async def test_a_large_document_that_waits_for_its_deletion_takes_no_place_of_others(room):
    catalogue = await room.send("".join(f"## Tent {n}\n\nThis tent weighs {n} kg.\n\n" for n in range(300)).encode())
    await room.work(catalogue)
    other = await room.send(b"# Our shop\n\nSpoons, knives, lamps, ropes and, who knows, a tent.", "shop.md")
    await room.work(other)
    assert "Our shop" not in await room.find("tent weighs kg")
    await room.documents.begin_deleting(room.scope, catalogue.id)
    assert await room.find("tent weighs kg") == ["Our shop"]


async def test_what_has_no_row_is_looked_for_once_more_and_no_oftener(room, monkeypatch):
    document = await room.send(TEXT.encode())
    await room.work(document)
    left = await room.send(b"# Vouchers\n\nMoney back in vouchers.")
    await room.work(left)
    del room.documents.cut[room.scope.tenant_id, left.id]
    words, searches = room.index.search_sparse, list[int]()

    async def counted(scope, vector, limit, only):
        searches.append(limit)
        return await words(scope, vector, limit, only)

    monkeypatch.setattr(room.index, "search_sparse", counted)
    assert "Returns > Refunds" in await room.find("money back")
    assert len(searches) == 2


async def test_a_new_version_that_cannot_be_read_leaves_the_old_one_found(room):
    document = await room.send(TEXT.encode())
    await room.work(document)
    old = set(room.index.held)
    await room.replace(document, b"\xef\xbb\xbf\xff\xff")
    assert await room.work(document) is State.READY
    row = await room.row(document)
    assert (row.failure.code, row.passages, row.progress) == ("unreadable_document", len(old), 1.0)
    assert room.documents.said[-1] == (document.id, State.READY, 1.0)
    assert set(room.index.held) == old
    assert (await room.find("money back on my card"))[0] == "Returns > Refunds"

    await room.documents.read_again(room.scope, document.id)
    assert await room.work(document) is State.READY
    assert (await room.row(document)).failure is not None
    await room.replace(document, b"# Returns\n\nWithin 45 days.")
    assert await room.work(document) is State.READY
    assert (await room.row(document)).failure is None
    assert old.isdisjoint(room.index.held)


async def test_a_reading_anew_that_crashes_until_it_is_given_up_leaves_the_old_one_found(room):
    document = await room.send(TEXT.encode())
    await room.work(document)
    old = dict(room.index.held)
    await room.replace(document, ("# Part\n\nSome words are here.\n\n" * 400).encode())

    def crash() -> None:
        if len(room.index.held) >= len(old) + 16:
            raise Died

    room.index.before = crash
    for _ in range(2):
        with pytest.raises(Died):
            await room.work(document)
        assert (await room.find("money back on my card"))[0] == "Returns > Refunds"
    await give_up_on(document.id, room.scope, room.desk, Failure("internal", "No."))
    row = await room.row(document)
    assert (row.state, row.failure) == (State.READY, Failure("internal", "No."))
    assert room.index.held == old

    # the index loses it: what is found is older than the newest reading
    room.index.before = lambda: None
    room.index.held.clear()
    found = await room.documents.found_generation(room.scope, document.id)
    assert found == row.generation - 1
    await rebuild_index(Ready([ReadyDocument(room.scope, document.id, found, row.passages)]), room.desk, Rebuilding())
    assert room.index.held == old
    await room.documents.read_again(room.scope, document.id)
    assert await room.work(document) is State.READY
    assert old.keys().isdisjoint(room.index.held)


@pytest.mark.parametrize(
    ("data", "error"), [(b"", EmptyDocument), (b"\x7fELF\x02", UnsupportedType), (b"GIF89a\x01\x00", UnsupportedType)]
)
async def test_what_is_refused_leaves_no_trace(room, data, error):
    with pytest.raises(error):
        await room.send(data)
    assert room.files.held == {}
    assert room.documents.rows == {}


async def test_an_upload_that_is_not_there_is_not_found(room):
    arrival = Arrival(DocumentId(uuid7()), str(uuid7()), "a.txt")
    with pytest.raises(NotFound):
        await examine(arrival, room.scope, files=room.files)


@dataclass
class Ready:
    documents: list[ReadyDocument]

    async def all(self) -> list[ReadyDocument]:
        return self.documents


async def test_a_lost_index_is_filled_from_the_passages(room):
    document = await room.send(TEXT.encode())
    await room.work(document)
    whole = dict(room.index.held)
    row = await room.row(document)
    ready = Ready([ReadyDocument(room.scope, document.id, row.generation, row.passages)])
    progress = Rebuilding()
    assert not progress.is_done
    room.embedder.asked.clear()
    await rebuild_index(ready, room.desk, progress)
    assert progress.is_done
    assert room.embedder.asked == []

    room.index.held.pop(next(iter(whole)))
    await rebuild_index(ready, room.desk, progress)
    assert room.index.held == whole
    assert progress.is_done


async def test_what_is_deleted_while_the_index_is_filled_stays_deleted(room):
    document = await room.send(TEXT.encode())
    await room.work(document)
    row = await room.row(document)
    room.index.held.clear()
    room.index.before = room.documents.rows.clear
    progress = Rebuilding()
    await rebuild_index(Ready([ReadyDocument(room.scope, row.id, row.generation, row.passages)]), room.desk, progress)
    assert room.index.held == {}


async def test_what_a_crash_left_of_an_earlier_reading_is_taken_out(room):
    document = await room.send(TEXT.encode())
    await room.work(document)
    old = set(room.index.held)
    await room.documents.read_again(room.scope, document.id)
    key = f"files/{room.scope.tenant_id}/{document.sha256}"
    room.files.held[key] = b"# Returns\n\nWithin 45 days."
    room.index.is_crashing = True
    with pytest.raises(Died):
        await room.work(document)
    room.index.is_crashing = False
    row = await room.row(document)
    assert row.state is State.READY
    assert old < set(room.index.held)
    ready = Ready([ReadyDocument(room.scope, document.id, row.generation, row.passages)])
    progress = Rebuilding()
    await rebuild_index(ready, room.desk, progress)
    assert progress.is_done
    assert old.isdisjoint(room.index.held)
    assert await room.index.count(room.scope, document.id) == row.passages == len(room.index.held)


async def test_a_reading_that_began_meanwhile_keeps_its_passages(room):
    document = await room.send(TEXT.encode())
    await room.work(document)
    row = await room.row(document)
    ready = Ready([ReadyDocument(room.scope, document.id, row.generation, row.passages - 1)])
    await room.documents.read_again(room.scope, document.id)
    before = dict(room.index.held)
    await rebuild_index(ready, room.desk, Rebuilding())
    assert room.index.held == before


async def test_an_index_that_is_older_than_the_rows_is_brought_to_them(room):
    kept, changed, gone = [await room.send(f"# Returns\n\nText {n}.".encode()) for n in range(3)]
    for document in (kept, changed, gone):
        await room.work(document)
    older, shown = dict(room.index.held), set(room.index.shown)
    await room.replace(changed, b"# Returns\n\nAnother text.")
    await room.work(changed)
    await room.documents.begin_deleting(room.scope, gone.id)
    await room.work(gone)
    added = await room.send(b"# Tents\n\nA tent.")
    await room.work(added)
    newest, waiting = dict(room.index.held), await room.send(b"# Stoves\n\nA stove.")

    room.index.held, room.index.shown = older, shown
    rows = [await room.row(document) for document in (kept, changed, added)]
    ready = Ready([ReadyDocument(room.scope, row.id, row.generation, row.passages) for row in rows])
    progress = Rebuilding()
    await rebuild_index(ready, room.desk, progress)
    assert progress.is_done
    assert room.index.held == newest

    # what is just being written has a row, and stays
    room.index.before = lambda: None
    await room.work(waiting)
    await rebuild_index(ready, room.desk, Rebuilding())
    assert newest.items() < room.index.held.items()
