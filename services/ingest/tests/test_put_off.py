from dataclasses import replace
from datetime import timedelta
from unittest.mock import AsyncMock, Mock

import pytest

from ingest_service.domain import put_off
from ingest_service.domain.document import Document, State
from ingest_service.domain.embedding import EmbedderAway
from ingest_service.domain.web_page import LeftAlone, SiteAway, VisitorLeaves
from runtime.errors import Rejected, Unavailable
from services.ingest.tests.room import TEXT, Room


@pytest.fixture
def room() -> Room:
    return Room()


async def put_off_as(room, document, error: Exception) -> tuple[State | None, Document]:
    """What becomes of a document when its index fails so; its pause is over at once."""

    def fail() -> None:
        raise error

    room.index.before = fail
    state = await room.work(document)
    row = await room.row(document)
    room.documents.rows[room.scope.tenant_id, document.id] = replace(row, try_again_at=None)
    return state, row


async def test_what_fails_for_now_says_so_and_is_tried_again(room):
    document = await room.send(TEXT.encode())
    state, row = await put_off_as(room, document, Unavailable("secret words"))
    assert (state, row.state, row.failure.code) == (State.RECEIVED, State.RECEIVED, "unavailable")
    assert "secret" not in row.failure.detail
    assert row.try_again_at is not None
    room.index.before = lambda: None
    assert await room.work(document) is State.READY
    assert (await room.row(document)).failure is None


async def test_a_part_of_ours_that_stays_away_ends_it_and_the_embedding_model_does_not(room):
    document = await room.send(TEXT.encode())
    for _ in range(2 * put_off.MOST_TRIES):
        assert (await put_off_as(room, document, EmbedderAway()))[0] is State.RECEIVED
    states = [(await put_off_as(room, document, Unavailable()))[0] for _ in range(put_off.MOST_TRIES)]
    assert states == [State.RECEIVED] * (put_off.MOST_TRIES - 1) + [State.FAILED]
    failure = (await room.row(document)).failure
    assert failure.code == "unavailable"
    assert "Unavailable" not in failure.detail


async def test_each_cause_has_its_own_tries(room):
    document = await room.send(TEXT.encode())
    for error, tries in ((Unavailable(), put_off.MOST_TRIES), (ZeroDivisionError(), put_off.FEW_TRIES)):
        for _ in range(tries - 1):
            assert (await put_off_as(room, document, error))[0] is State.RECEIVED
    for _ in range(put_off.FEW_TRIES - 1):
        assert (await put_off_as(room, document, SiteAway()))[0] is State.RECEIVED
    state, row = await put_off_as(room, document, SiteAway("The site answers with status 503."))
    assert (state, row.failure.code) == (State.FAILED, "site_unreachable")
    assert f"{put_off.FEW_TRIES} times" in row.failure.detail


async def test_a_site_that_wants_to_be_left_alone_is_waited_for(room):
    document = await room.send(TEXT.encode())
    for _ in range(2 * put_off.FEW_TRIES):
        state, row = await put_off_as(room, document, LeftAlone("The site answers with status 429.", retry_after_s=9))
        assert (state, row.failure.code, row.put_off) == (State.RECEIVED, "site_unreachable", {})
    for asked_s, pause_s in ((9, 9), (1_800, 1_800), (90_000, put_off.LONGEST_ASKED_BY_SITE_S)):
        assert put_off.pause_after(row, LeftAlone(retry_after_s=asked_s)) == timedelta(seconds=pause_s)
        assert put_off.pause_after(row, SiteAway(retry_after_s=asked_s)) == timedelta(seconds=pause_s)
    assert put_off.pause_after(row, SiteAway(retry_after_s=1)) == timedelta(seconds=put_off.PAUSES_S[0])


async def test_a_visit_that_ends_with_the_process_is_no_try_and_goes_on_at_once(room):
    document = await room.send(TEXT.encode())
    state, row = await put_off_as(room, document, VisitorLeaves())
    assert (state, row.failure, row.put_off, row.attempt) == (State.RECEIVED, None, {}, 0)
    assert put_off.pause_after(row, VisitorLeaves()) == timedelta()


async def test_that_it_waits_is_said_once_for_each_reason(room):
    document = await room.send(TEXT.encode())
    room.embedder.check = Mock(side_effect=EmbedderAway())
    for _ in range(3):
        assert await room.work(document) is State.RECEIVED
        assert (await room.row(document)).failure.code == "unavailable", "also while it is looked at"
    assert [state for _, state, _ in room.documents.said] == [State.RECEIVED, State.RECEIVED]
    room.embedder.check = Mock()
    assert await room.work(document) is State.READY
    assert (await room.row(document)).failure is None


async def test_that_it_waits_is_news_once_for_each_reason_and_what_it_is_given_up_for_always(room):
    told = []
    room.tell_trouble = lambda error, pause, is_news: told.append((type(error).__name__, pause is not None, is_news))
    document = await room.send(TEXT.encode())
    for error in (EmbedderAway(), EmbedderAway(), EmbedderAway(), Unavailable(), Unavailable(), EmbedderAway()):
        await put_off_as(room, document, error)
    assert [is_news for *_, is_news in told] == [True, False, False, True, False, True]
    told.clear()
    for _ in range(put_off.FEW_TRIES):
        await put_off_as(room, document, SiteAway())
    assert [(waits, is_news) for _, waits, is_news in told] == [(True, True), *[(True, False)] * 3, (False, True)]
    other = await room.send(b"# Other\n\nwords")
    told.clear()
    for _ in range(2):
        await put_off_as(room, other, ZeroDivisionError())
    assert [is_news for *_, is_news in told] == [True, True]


async def test_a_fault_of_ours_is_a_dead_letter_in_the_end(room):
    document = await room.send(TEXT.encode())
    for _ in range(put_off.FEW_TRIES - 1):
        assert (await put_off_as(room, document, ZeroDivisionError("secret")))[0] is State.RECEIVED
    with pytest.raises(Rejected, match="fault of ours") as raised:
        await room.work(document)
    assert raised.value.code == "internal"


@pytest.mark.parametrize("broken", ["index", "lease"])
async def test_what_fails_after_a_document_is_ready_changes_nothing_of_it(room, broken):
    document = await room.send(TEXT.encode())
    where = (room.index, "delete_document") if broken == "index" else (room.documents, "release")
    setattr(*where, AsyncMock(side_effect=Unavailable()))
    assert await room.work(document) is State.READY
    row = await room.row(document)
    assert (row.state, row.failure, row.try_again_at) == (State.READY, None, None)


async def test_what_fails_after_a_document_was_refused_leaves_the_reason(room):
    document = await room.send(b"\xff\xfe\x00", "broken.txt")
    room.index.delete_document = AsyncMock(side_effect=Unavailable())
    assert await room.work(document) is State.FAILED
    row = await room.row(document)
    assert row.failure is not None
    assert row.failure.code != "unavailable"


async def test_a_deletion_that_fails_for_now_is_never_given_up(room):
    document = await room.send(TEXT.encode())
    await room.documents.begin_deleting(room.scope, document.id)
    room.files.delete = AsyncMock(side_effect=Unavailable())
    for _ in range(2 * put_off.MOST_TRIES):
        assert await room.work(document) is State.DELETING
        row = await room.row(document)
        room.documents.rows[room.scope.tenant_id, document.id] = replace(row, try_again_at=None)
    del room.files.delete
    assert await room.work(document) is State.DELETING
    assert room.documents.rows == {}
