"""What every `Members` keeps, and every `Documents` of what came of a document.

Run against the fakes here, against Postgres in tests/integration.
"""

from collections import Counter
from dataclasses import replace

import pytest

from contracts.ids import DocumentId, uuid7
from ingest_service.domain.document import Document, Failure, State
from ingest_service.domain.members import Members
from ingest_service.domain.ports import Documents
from ingest_service.domain.progress import Fenced
from runtime.errors import Conflict
from runtime.tenancy import TenantScope
from services.ingest.tests.promises_documents import (
    Calls,
    added,
    claimed,
    made_ready,
    new_document,
    new_scope,
    reading_of,
)

DAMAGED = Failure("unreadable_document", "It is damaged.")


async def archive_at_work(documents: Documents, scope: TenantScope) -> Document:
    return await claimed(documents, scope, await added(documents, scope, filename="shop.zip"))


async def with_member(members: Members, scope: TenantScope, archive: Document, path: str = "a.txt") -> Document:
    member = new_document(came_of=archive.id, path=path)
    await members.add(scope, archive, member, keep=Calls())
    return member


async def one(documents: Documents, scope: TenantScope, document_id: DocumentId) -> Document:
    found = await documents.get(scope, document_id)
    assert found is not None
    return found


async def finished(documents: Documents, scope: TenantScope, document: Document) -> Document:
    at_work = await claimed(documents, scope, document)
    assert await documents.finish(scope, at_work, reading_of(at_work, "some words"))
    await documents.release(scope, at_work)
    return await one(documents, scope, document.id)


class PromisesOfMembers:
    @pytest.fixture
    def documents(self) -> Documents:
        raise NotImplementedError

    @pytest.fixture
    def members(self, documents: Documents) -> Members:
        raise NotImplementedError

    async def test_members_came_of_their_archive(self, documents: Documents, members: Members):
        scope = new_scope()
        archive = await archive_at_work(documents, scope)
        first = await with_member(members, scope, archive)
        second = await with_member(members, scope, archive, "more/b.txt")
        other = await added(documents, scope)
        listed = await documents.page(scope, state=None, limit=9, before=None, came_of=archive.id)
        assert {(each.id, each.came_of, each.path) for each in listed} == {
            (first.id, archive.id, "a.txt"),
            (second.id, archive.id, "more/b.txt"),
        }
        assert {each.id for each in await members.of(scope, archive)} == {first.id, second.id}
        await finished(documents, scope, first)
        assert await documents.led_to(scope, archive.id) == Counter({State.READY: 1, State.RECEIVED: 1})
        ready = await documents.page(scope, state=State.READY, limit=9, before=None, came_of=archive.id)
        assert [each.id for each in ready] == [first.id]
        named = await documents.page(scope, state=None, limit=9, before=None, filename="shop.zip")
        assert [each.id for each in named] == [archive.id]
        await documents.begin_deleting(scope, second.id)
        assert await documents.led_to(scope, archive.id) == Counter({State.READY: 1})
        for nobody in (new_scope(), scope):
            of = archive.id if nobody is not scope else other.id
            assert await documents.led_to(nobody, of) == Counter()
            assert await documents.page(nobody, state=None, limit=9, before=None, came_of=of) == []

    async def test_what_came_of_what_came_counts_too(self, documents: Documents, members: Members):
        scope = new_scope()
        site = await added(documents, scope)
        archive = await claimed(documents, scope, await added(documents, scope, came_of=site.id))
        member = await with_member(members, scope, archive)
        assert (await documents.led_to(scope, site.id)).total() == 2
        assert await documents.begin_deleting(scope, site.id, led_to=True)
        states = {(await one(documents, scope, each.id)).state for each in (site, archive, member)}
        assert states == {State.DELETING}

    async def test_an_archive_is_deleted_alone_or_with_its_members(self, documents: Documents, members: Members):
        scope = new_scope()
        archive = await archive_at_work(documents, scope)
        member = await with_member(members, scope, archive)
        assert not await documents.begin_deleting(new_scope(), archive.id, led_to=True)
        assert await documents.begin_deleting(scope, archive.id)
        kept = await one(documents, scope, member.id)
        assert (kept.state, kept.came_of) == (State.RECEIVED, archive.id)
        assert await documents.begin_deleting(scope, archive.id, led_to=True)
        assert (await one(documents, scope, member.id)).state is State.DELETING

    async def test_an_archive_that_is_not_at_work_any_more_gets_no_members(
        self, documents: Documents, members: Members
    ):
        scope, keep = new_scope(), Calls()
        archive = await archive_at_work(documents, scope)
        member = await with_member(members, scope, archive)
        await documents.begin_deleting(scope, archive.id, led_to=True)
        late = new_document(came_of=archive.id, path="late.txt")
        with pytest.raises(Fenced):
            await members.add(scope, archive, late, keep=keep)
        with pytest.raises(Fenced):
            await members.refuse(scope, archive, late, DAMAGED)
        with pytest.raises(Fenced):
            await members.replace(scope, archive, replace(member, sha256="new"), keep=keep)
        with pytest.raises(Fenced):
            await members.remove(scope, archive, member)
        assert keep.count == 0
        assert await documents.get(scope, late.id) is None

    async def test_who_unpacks_an_older_version_takes_nothing_out_of_the_new_one(
        self, documents: Documents, members: Members
    ):
        scope = new_scope()
        archive = await archive_at_work(documents, scope)
        await documents.finish(scope, archive, reading_of(archive))
        await documents.release(scope, archive)
        await documents.replace(scope, replace(archive, sha256=f"new {uuid7()}"), keep=Calls())
        version = await claimed(documents, scope, archive)
        assert version.attempt == archive.attempt
        member = await with_member(members, scope, version)
        with pytest.raises(Fenced):
            await members.remove(scope, archive, member)
        assert [each.id for each in await members.of(scope, version)] == [member.id]

    async def test_what_somebody_brings_in_themselves_came_of_nothing(self, documents: Documents, members: Members):
        scope = new_scope()
        archive = await archive_at_work(documents, scope)
        member = await with_member(members, scope, archive)
        uploaded = await documents.add(scope, new_document(sha256=member.sha256), keep=Calls())
        assert (uploaded.id, uploaded.came_of, uploaded.path) == (member.id, None, None)
        again = new_document(sha256=member.sha256, came_of=archive.id, path="a.txt")
        await members.add(scope, archive, again, keep=Calls())
        assert (await one(documents, scope, member.id)).came_of is None
        assert await documents.get(scope, again.id) is None

    @pytest.mark.parametrize("end", ["deleted", "failed", "there"])
    async def test_a_member_goes_to_another_archive_when_its_own_is_none_any_more(
        self, documents: Documents, members: Members, end: str
    ):
        scope = new_scope()
        first, second = await archive_at_work(documents, scope), await archive_at_work(documents, scope)
        member = await with_member(members, scope, first)
        if end == "deleted":
            await documents.begin_deleting(scope, first.id)
        if end == "failed":
            await documents.fail(scope, first, DAMAGED)
        same = new_document(sha256=member.sha256, came_of=second.id, path="b.txt")
        await members.add(scope, second, same, keep=Calls())
        found = await one(documents, scope, member.id)
        assert (found.came_of, found.path) == ((first.id, "a.txt") if end == "there" else (second.id, "b.txt"))

    async def test_a_member_that_moved_in_its_archive_has_the_new_path(self, documents: Documents, members: Members):
        scope = new_scope()
        archive = await archive_at_work(documents, scope)
        member = await with_member(members, scope, archive)
        moved = new_document(sha256=member.sha256, came_of=archive.id, path="b.txt")
        await members.add(scope, archive, moved, keep=Calls())
        assert [each.path for each in await members.of(scope, archive)] == ["b.txt"]

    async def test_a_member_that_cannot_be_had_failed(self, documents: Documents, members: Members):
        scope = new_scope()
        archive = await archive_at_work(documents, scope)
        refused = new_document(came_of=archive.id, path="a.txt", sha256="")
        for _ in range(2):
            await members.refuse(scope, archive, refused, DAMAGED)
            [found] = await members.of(scope, archive)
            assert (found.id, found.state, found.failure) == (refused.id, State.FAILED, DAMAGED)
        assert await documents.claim(scope, refused.id) is None
        ready = await finished(documents, scope, await with_member(members, scope, archive, "b.txt"))
        await members.refuse(scope, archive, ready, DAMAGED)
        found = await one(documents, scope, ready.id)
        assert (found.state, found.failure, found.passages) == (State.READY, DAMAGED, 1)

    async def test_a_member_is_replaced_and_removed(self, documents: Documents, members: Members):
        scope, keep = new_scope(), Calls()
        archive = await archive_at_work(documents, scope)
        member = await with_member(members, scope, archive)
        version = replace(member, sha256=f"new {uuid7()}")
        await claimed(documents, scope, member)
        with pytest.raises(Conflict):
            await members.replace(scope, archive, version, keep=keep)
        ready = await finished(documents, scope, await with_member(members, scope, archive, "b.txt"))
        await members.replace(scope, archive, replace(ready, sha256=version.sha256), keep=keep)
        found = await one(documents, scope, ready.id)
        assert (found.sha256, found.generation, found.path, keep.count) == (version.sha256, 2, "b.txt", 1)
        await members.remove(scope, archive, ready)
        assert [each.id for each in await members.of(scope, archive)] == [member.id]
        kept, _ = await made_ready(documents, scope, "one")
        assert kept.came_of is None
