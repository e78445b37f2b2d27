"""What every `Documents` keeps: run against the fake here, against Postgres in tests/integration."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts.ids import DocumentId, PassageId, TenantId, uuid7
from ingest_service.domain.cut_settings import DEFAULT, CutSettings
from ingest_service.domain.document import Cause, Document, Failure, Note, PageStart, Reading, State, StoredPassage
from ingest_service.domain.estimate import Expected
from ingest_service.domain.ports import Documents, Leased
from ingest_service.domain.select_documents import Selection, Span
from runtime.errors import Conflict
from runtime.tenancy import TenantScope

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
WAITS = Failure("site_unreachable", "The site is away.")


def new_scope() -> TenantScope:
    return TenantScope(TenantId(uuid7()), "service:test")


def new_document(**changed: Any) -> Document:
    values: dict[str, Any] = {
        "id": DocumentId(uuid7()),
        "title": "returns",
        "filename": "returns.md",
        "media_type": "text/plain",
        "size_bytes": 12,
        "sha256": uuid4().hex,
        "state": State.RECEIVED,
        "progress": 0.0,
        "pages": 0,
        "passages": 0,
        "language": None,
        "failure": None,
        "generation": 1,
        "attempt": 0,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Document(**{**values, **changed})


def reading_of(document: Document, *bodies: str) -> Reading:
    passages = [
        StoredPassage(
            id=PassageId(uuid7()),
            document_id=document.id,
            title="Returns",
            n=n,
            start=n * 10,
            end=n * 10 + len(body),
            heading="Returns > How",
            lead="| a |",
            body=body,
            page=None,
            language="en",
            above="## How\n\n",
            pages=(PageStart(n * 10 - 8, 1), PageStart(n * 10, 2)),
        )
        for n, body in enumerate(bodies)
    ]
    return Reading("Returns", "text/markdown", "en", 1, passages, [Note(2, "No text."), Note(None, "Left out.")])


class Calls:
    """A step that counts how often it was awaited."""

    def __init__(self) -> None:
        self.count = 0

    async def __call__(self) -> None:
        self.count += 1


async def added(documents: Documents, scope: TenantScope, **changed: Any) -> Document:
    return await documents.add(scope, new_document(**changed), keep=Calls())


async def put_off(documents: Documents, scope: TenantScope, document: Document, **changed: Any) -> None:
    await documents.release(scope, document)
    await documents.put_off(scope, document, WAITS, **{"pause": timedelta(0), "cause": Cause.SITE, **changed})


async def claimed(documents: Documents, scope: TenantScope, document: Document) -> Document:
    found = await documents.claim(scope, document.id)
    assert isinstance(found, Document)
    return found


async def made_ready(
    documents: Documents, scope: TenantScope, *bodies: str, **changed: Any
) -> tuple[Document, Reading]:
    document = await claimed(documents, scope, await added(documents, scope, **changed))
    reading = reading_of(document, *bodies)
    assert await documents.finish(scope, document, reading)
    await documents.release(scope, document)
    return document, reading


class PromisesOfDocuments:
    @pytest.fixture
    def documents(self) -> Documents:
        raise NotImplementedError

    async def test_what_is_added_is_found_by_its_tenant_alone(self, documents: Documents):
        scope = new_scope()
        document = await added(documents, scope)
        assert await documents.get(scope, document.id) == document
        assert await documents.get(new_scope(), document.id) is None

    async def test_the_same_content_is_the_same_document(self, documents: Documents):
        scope, keep = new_scope(), Calls()
        first = await added(documents, scope, sha256="same")
        again = await documents.add(scope, new_document(sha256="same"), keep=keep)
        assert again.id == first.id
        assert keep.count == 0
        assert (await added(documents, new_scope(), sha256="same")).id != first.id

    async def test_the_same_id_is_the_same_document(self, documents: Documents):
        scope = new_scope()
        first = await added(documents, scope)
        assert await documents.add(scope, new_document(id=first.id), keep=Calls()) == first

    async def test_an_attempt_that_was_none_is_taken_back(self, documents: Documents):
        scope = new_scope()
        document = await added(documents, scope)
        for times in range(3):
            at_work = await claimed(documents, scope, document)
            assert (at_work.attempt, at_work.put_off.get(Cause.SITE, 0)) == (1, times)
            await put_off(documents, scope, at_work)
        waiting = await documents.get(scope, document.id)
        assert waiting is not None
        assert (waiting.state, waiting.attempt, waiting.progress) == (State.RECEIVED, 0, 0.0)
        for cause in (None, Cause.OURS):
            await put_off(documents, scope, await claimed(documents, scope, document), cause=cause)
        assert (await claimed(documents, scope, document)).put_off == {Cause.SITE: 3, Cause.OURS: 1}

    async def test_what_was_put_off_says_why_and_is_nobodys_until_then(self, documents: Documents):
        scope = new_scope()
        document = await added(documents, scope)
        at_work = await claimed(documents, scope, document)
        await put_off(documents, scope, at_work, pause=timedelta(hours=1))
        waiting = await documents.get(scope, document.id)
        assert waiting is not None
        assert waiting.failure == WAITS
        assert waiting.try_again_at is not None
        assert await documents.claim(scope, document.id) is None
        assert await documents.begin_deleting(scope, document.id)
        deleting = await claimed(documents, scope, document)
        assert (deleting.state, deleting.try_again_at) == (State.DELETING, None)
        await put_off(documents, scope, deleting)
        again = await claimed(documents, scope, document)
        assert again.state is State.DELETING

    async def test_what_has_ended_is_not_put_off(self, documents: Documents):
        scope = new_scope()
        at_work = await claimed(documents, scope, await added(documents, scope))
        failed = Failure("empty_document", "There is no text in it.")
        assert await documents.fail(scope, at_work, failed) is State.FAILED
        await put_off(documents, scope, at_work)
        row = await documents.get(scope, at_work.id)
        assert row is not None
        assert (row.state, row.failure, row.try_again_at) == (State.FAILED, failed, None)

    async def test_a_new_generation_was_never_put_off(self, documents: Documents):
        scope = new_scope()
        document = await added(documents, scope)
        await put_off(documents, scope, await claimed(documents, scope, document))
        at_work = await claimed(documents, scope, document)
        await documents.fail(scope, at_work, WAITS)
        await documents.release(scope, at_work)
        again = await documents.read_again(scope, document.id)
        assert again is not None
        assert (again.put_off, again.failure) == ({}, None)

    async def test_when_it_will_be_ready_is_kept_until_the_next_word(self, documents: Documents):
        scope, expected = new_scope(), Expected(NOW + timedelta(seconds=90), 90)
        document = await claimed(documents, scope, await added(documents, scope))
        for said, kept in ((expected, expected.at), (None, None)):
            assert await documents.advance(scope, document, State.EMBEDDING, 0.5, expected=said)
            found = await documents.get(scope, document.id)
            assert found is not None
            assert (found.state, found.progress, found.expected_at) == (State.EMBEDDING, 0.5, kept)

    async def test_progress_outlives_an_attempt_and_ends_with_the_reading(self, documents: Documents):
        scope = new_scope()
        first = await claimed(documents, scope, await added(documents, scope))
        assert await documents.advance(scope, first, State.EMBEDDING, 0.5)
        await documents.release(scope, first)
        second = await claimed(documents, scope, first)
        assert (second.state, second.progress) == (State.EMBEDDING, 0.5)
        await put_off(documents, scope, second)
        waiting = await documents.get(scope, first.id)
        assert waiting is not None
        assert (waiting.state, waiting.progress) == (State.RECEIVED, 0.5)
        third = await claimed(documents, scope, first)
        assert await documents.finish(scope, third, reading_of(third, "one"))
        await documents.release(scope, third)
        again = await documents.read_again(scope, first.id)
        assert again is not None
        assert again.progress == 0.0

    async def test_an_attempt_that_another_one_followed_stays(self, documents: Documents):
        scope = new_scope()
        first = await claimed(documents, scope, await added(documents, scope))
        await documents.release(scope, first)
        second = await claimed(documents, scope, first)
        await documents.put_off(scope, first, WAITS, pause=timedelta(0), cause=Cause.SITE)
        assert await documents.get(scope, first.id) == second
        deleting = await added(documents, scope, sha256="other")
        at_work = await claimed(documents, scope, deleting)
        await documents.begin_deleting(scope, deleting.id)
        await put_off(documents, scope, at_work)
        found = await documents.get(scope, deleting.id)
        assert found is not None
        assert found.state is State.DELETING

    async def test_a_new_version_is_the_next_generation_and_the_old_one_stays_until_it_is_read(
        self, documents: Documents
    ):
        scope, keep = new_scope(), Calls()
        ready, reading = await made_ready(documents, scope, "old", sha256="old")

        version = replace(ready, sha256="new", size_bytes=99, filename="new.md")
        received = await documents.replace(scope, version, keep=keep)
        assert received is not None
        assert (received.id, received.state, received.generation) == (ready.id, State.RECEIVED, ready.generation + 1)
        assert (received.sha256, received.size_bytes, received.filename) == ("new", 99, "new.md")
        assert keep.count == 1
        ids = [passage.id for passage in reading.passages]
        assert await documents.passages(scope, ids) == {passage.id: passage for passage in reading.passages}
        with pytest.raises(Conflict):
            await documents.replace(scope, replace(version, sha256="newer"), keep=keep)
        at_work = await claimed(documents, scope, received)
        assert await documents.finish(scope, at_work, reading_of(at_work, "new"))
        assert await documents.passages(scope, ids) == {}
        unchanged = await documents.replace(scope, version, keep=keep)
        assert unchanged is not None
        assert (unchanged.state, keep.count) == (State.READY, 1)

    async def test_a_version_that_another_document_holds_is_refused(self, documents: Documents):
        scope, keep = new_scope(), Calls()
        ready, _ = await made_ready(documents, scope, "one", sha256="one")
        await made_ready(documents, scope, "two", sha256="two")

        with pytest.raises(Conflict):
            await documents.replace(scope, replace(ready, sha256="two"), keep=keep)
        assert await documents.replace(new_scope(), replace(ready, sha256="three"), keep=keep) is None
        assert keep.count == 0

    async def test_deleted_content_may_come_again(self, documents: Documents):
        scope = new_scope()
        deleted = await added(documents, scope, sha256="d")
        assert await documents.begin_deleting(scope, deleted.id)
        assert (await added(documents, scope, sha256="d")).id != deleted.id

    async def test_a_failed_document_is_not_read_again_beside_its_successor(self, documents: Documents):
        scope = new_scope()
        origin = await added(documents, scope, sha256="o")
        failed = await claimed(documents, scope, await added(documents, scope, sha256="f", came_of=origin.id))
        await documents.fail(scope, failed, Failure("unreadable_document", "No."))
        await documents.release(scope, failed)
        await added(documents, scope, sha256="f")
        with pytest.raises(Conflict):
            await documents.read_again(scope, failed.id)

    async def test_pages_go_from_new_to_old(self, documents: Documents):
        scope = new_scope()
        # ids of one millisecond have no order in time
        made = sorted([await added(documents, scope) for _ in range(3)], key=lambda document: document.id)
        page = await documents.page(scope, state=None, limit=2, before=None)
        assert [document.id for document in page] == [made[2].id, made[1].id]
        rest = await documents.page(scope, state=None, limit=2, before=page[-1].id)
        assert [document.id for document in rest] == [made[0].id]
        assert await documents.page(scope, state=State.READY, limit=9, before=None) == []
        assert await documents.page(scope, state=None, limit=9, before=None, filename="other.md") == []

    async def test_documents_are_listed_and_selected_by_tag(self, documents: Documents):
        scope = new_scope()
        tents, _ = await made_ready(documents, scope, "one", sha256="a", tags=("tents", "summer sale"))
        sale, _ = await made_ready(documents, scope, "two", sha256="b", tags=("summer sale",))
        plain, _ = await made_ready(documents, scope, "three", sha256="c")
        await added(documents, scope, sha256="d", tags=("tents",))
        tagged = await documents.page(scope, state=State.READY, limit=9, before=None, tag="tents")
        assert [(document.id, document.tags) for document in tagged] == [(tents.id, ("tents", "summer sale"))]

        async def selected(*tags: str, within: tuple[DocumentId, ...] = (), by: TenantScope = scope) -> set[DocumentId]:
            return set(await documents.selected(by, Selection(tags=tags), within))

        assert await selected("tents") == {tents.id}
        assert await selected("tents", "summer sale") == {tents.id, sale.id}
        assert await selected("summer sale", within=(sale.id, plain.id)) == {sale.id}
        assert await selected("summer") == set()
        assert await selected("tents", by=new_scope()) == set()
        changed = await documents.set_tags(scope, plain.id, ("tents",))
        assert changed is not None
        assert changed.tags == ("tents",)
        assert await documents.set_tags(new_scope(), tents.id, ("x",)) is None
        await documents.set_tags(scope, tents.id, ())
        assert await selected("tents") == {plain.id}
        await documents.begin_deleting(scope, plain.id)
        assert await selected("tents") == set()
        assert await documents.set_tags(scope, plain.id, ("x",)) is None

    async def test_documents_are_selected_by_time(self, documents: Documents):
        scope, hour = new_scope(), timedelta(hours=1)
        old, _ = await made_ready(documents, scope, "one", sha256="a", created_at=NOW - hour)
        new, _ = await made_ready(documents, scope, "two", sha256="b", created_at=NOW)

        async def selected(**spans: Span) -> set[DocumentId]:
            return set(await documents.selected(scope, Selection(**spans), ()))

        assert await selected(created=Span(since=NOW)) == {new.id}
        assert await selected(created=Span(until=NOW)) == {old.id}
        assert await selected(created=Span(NOW - hour, NOW + hour)) == {old.id, new.id}
        assert await selected(updated=Span(since=NOW - 2 * hour)) == {old.id, new.id}
        assert await selected(updated=Span(until=NOW - 2 * hour)) == set()

    async def test_one_worker_at_a_time(self, documents: Documents):
        scope = new_scope()
        document = await added(documents, scope)
        first = await claimed(documents, scope, document)
        assert (first.state, first.attempt) == (State.RECEIVED, 1)
        assert isinstance(await documents.claim(scope, document.id), Leased)
        await documents.release(scope, first)
        second = await claimed(documents, scope, document)
        assert second.attempt == 2
        assert not await documents.hold(scope, first)
        assert not await documents.advance(scope, first, State.EMBEDDING, 0.5)
        assert not await documents.finish(scope, first, reading_of(first, "late"))
        assert not await documents.fail(scope, first, Failure("internal", "late"))
        await documents.release(scope, first)
        assert isinstance(await documents.claim(scope, document.id), Leased)
        assert await documents.hold(scope, second)

    async def test_a_document_at_rest_is_not_claimed(self, documents: Documents):
        scope = new_scope()
        document, _ = await made_ready(documents, scope, "one")
        assert await documents.claim(scope, document.id) is None
        assert await documents.claim(scope, DocumentId(uuid7())) is None

    async def test_finishing_replaces_the_passages(self, documents: Documents):
        scope = new_scope()
        document, first = await made_ready(documents, scope, "one", "two", "three")
        found = await documents.get(scope, document.id)
        assert found is not None
        assert (found.state, found.passages, found.title, found.language) == (State.READY, 3, "Returns", "en")
        assert list(found.notes) == [Note(2, "No text."), Note(None, "Left out.")]
        assert await documents.passages_of(scope, document.id, 1) == list(first.passages)

        again = await documents.read_again(scope, document.id)
        assert again is not None
        assert (again.state, again.generation, again.attempt) == (State.RECEIVED, 2, 0)
        assert len(await documents.passages(scope, [passage.id for passage in first.passages])) == 3
        worker = await claimed(documents, scope, again)
        second = reading_of(worker, "four")
        assert await documents.finish(scope, worker, second)
        assert await documents.passages(scope, [passage.id for passage in first.passages]) == {}
        assert await documents.passages_of(scope, document.id, 2) == list(second.passages)
        assert await documents.passages_of(scope, document.id, 1) == []

    async def test_a_reading_anew_that_fails_keeps_what_was_found(self, documents: Documents):
        scope, failure = new_scope(), Failure("unreadable_document", "No.", 3)
        ready, reading = await made_ready(documents, scope, "one", "two", sha256="old")
        assert await documents.found_generation(scope, ready.id) == 1
        assert await documents.found_generation(new_scope(), ready.id) is None
        ids = [passage.id for passage in reading.passages]
        version = replace(ready, sha256="new")
        for generation in (2, 3):
            again = await documents.replace(scope, version, keep=Calls())
            assert again is not None
            assert (again.state, again.generation, again.failure) == (State.RECEIVED, generation, None)
            at_work = await claimed(documents, scope, again)
            await documents.advance(scope, at_work, State.EMBEDDING, 0.5)
            assert await documents.fail(scope, at_work, failure) is State.READY
            await documents.release(scope, at_work)
            found = await documents.get(scope, ready.id)
            assert found is not None
            assert (found.state, found.failure, found.passages, found.progress) == (State.READY, failure, 2, 1.0)
            assert (found.title, found.generation) == ("Returns", generation)
            assert set(await documents.passages(scope, ids)) == set(ids)
            assert await documents.found_generation(scope, ready.id) == 1
            assert await documents.passages_of(scope, ready.id, 1) == list(reading.passages)
        again = await documents.read_again(scope, ready.id)
        assert again is not None
        worker = await claimed(documents, scope, again)
        assert await documents.finish(scope, worker, reading_of(worker, "new"))
        found = await documents.get(scope, ready.id)
        assert found is not None
        assert found.failure is None
        assert await documents.found_generation(scope, ready.id) == 4
        assert await documents.passages(scope, ids) == {}

    async def test_reading_again_leaves_one_at_work_alone(self, documents: Documents):
        scope = new_scope()
        document = await claimed(documents, scope, await added(documents, scope))
        again = await documents.read_again(scope, document.id)
        assert again is not None
        assert (again.state, again.generation) == (State.RECEIVED, 1)
        assert await documents.read_again(new_scope(), document.id) is None

    async def test_passages_are_found_by_their_tenant_alone(self, documents: Documents):
        scope = new_scope()
        _, reading = await made_ready(documents, scope, "one", "two")
        ids = [passage.id for passage in reading.passages]
        assert await documents.passages(scope, ids) == {passage.id: passage for passage in reading.passages}
        assert await documents.passages(new_scope(), ids) == {}
        assert await documents.passages(scope, []) == {}

    async def test_deleting_hides_at_once_and_fences_the_worker(self, documents: Documents):
        scope = new_scope()
        document, reading = await made_ready(documents, scope, "one")
        assert await documents.begin_deleting(scope, document.id)
        assert await documents.passages(scope, [passage.id for passage in reading.passages]) == {}
        assert await documents.read_again(scope, document.id) is None
        assert await documents.begin_deleting(scope, document.id)
        assert not await documents.begin_deleting(new_scope(), document.id)

        busy = await claimed(documents, scope, await added(documents, scope))
        assert await documents.begin_deleting(scope, busy.id)
        assert isinstance(await documents.claim(scope, busy.id), Leased)
        assert not await documents.finish(scope, busy, reading_of(busy, "late"))
        await documents.release(scope, busy)
        assert (await claimed(documents, scope, busy)).state is State.DELETING

    async def test_removing_deletes_the_content_with_its_last_document(self, documents: Documents):
        scope, first, last = new_scope(), Calls(), Calls()
        origin = await added(documents, scope, sha256="o")
        failed = await claimed(documents, scope, await added(documents, scope, sha256="x", came_of=origin.id))
        await documents.fail(scope, failed, Failure("internal", "No."))
        successor = await added(documents, scope, sha256="x")
        await documents.begin_deleting(scope, failed.id)
        await documents.remove(scope, failed, delete=first)
        assert first.count == 0
        assert await documents.get(scope, failed.id) is None
        await documents.begin_deleting(scope, successor.id)
        for _ in range(2):
            await documents.remove(scope, successor, delete=last)
        assert last.count >= 1
        assert await documents.get(scope, successor.id) is None

    async def test_content_is_let_go_when_no_document_has_it(self, documents: Documents):
        scope, deleted = new_scope(), list[str]()
        await added(documents, scope, sha256="held")
        failed = await claimed(documents, scope, await added(documents, scope, sha256="failed"))
        await documents.fail(scope, failed, Failure("unreadable_document", "No."))
        gone = await added(documents, scope, sha256="deleting")
        await documents.begin_deleting(scope, gone.id)
        await added(documents, new_scope(), sha256="another's")

        async def delete(sha256: str) -> None:
            deleted.append(sha256)

        assert await documents.has_any(scope)
        assert not await documents.has_any(new_scope())
        contents = ["held", "failed", "deleting", "another's", "nobody's"]
        assert await documents.let_go(scope, contents, delete=delete) == 3
        assert sorted(deleted) == ["another's", "deleting", "nobody's"]

    async def test_settings_are_a_business_own(self, documents: Documents):
        scope = new_scope()
        assert await documents.cut_settings(scope) == DEFAULT
        for settings in (CutSettings(64, 0.5), CutSettings(128, 0.0)):
            await documents.set_cut_settings(scope, settings)
            assert await documents.cut_settings(scope) == settings
        assert await documents.cut_settings(new_scope()) == DEFAULT

    async def test_every_attempt_of_a_generation_cuts_as_its_first_one(self, documents: Documents):
        scope, short = new_scope(), CutSettings(64, 0.25)
        document = await added(documents, scope)
        assert document.cut_by is None
        first = await claimed(documents, scope, document)
        assert first.cut_by == DEFAULT
        await put_off(documents, scope, first)
        await documents.set_cut_settings(scope, short)
        second = await claimed(documents, scope, document)
        assert (second.attempt, second.cut_by) == (1, DEFAULT)
        assert await documents.finish(scope, second, reading_of(second, "one"))
        await documents.release(scope, second)
        ready = await documents.get(scope, document.id)
        assert ready is not None
        assert ready.cut_by == DEFAULT
        again = await documents.read_again(scope, document.id)
        assert again is not None
        assert again.cut_by is None
        assert (await claimed(documents, scope, again)).cut_by == short
