"""Archives: their members' rows on the real database, and uploads of them through the running service."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from contracts import ingest
from contracts.ids import DocumentId, uuid7
from ingest_service.domain.document import State
from ingest_service.domain.ports import Documents
from ingest_service.domain.progress import Fenced
from ingest_service.outbound.document_changes import lock_content
from ingest_service.outbound.postgres_documents import PostgresDocuments
from ingest_service.outbound.postgres_members import PostgresMembers
from runtime.bus import Bus
from runtime.db import Database
from runtime.errors import NotFound
from runtime.tenancy import TenantScope
from services.ingest.tests.promises_documents import Calls, added, made_ready, new_document, new_scope
from services.ingest.tests.promises_members import PromisesOfMembers, archive_at_work
from tests.support.hostile_documents import lying_archive
from tests.support.ingest_process import (
    Ingest,
    asking,
    find,
    ingest_rows,
    look,
    new_person,
    running,
    send,
    until,
    until_gone,
)
from tests.support.platform import Platform, eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]
RETURNS, SHIPPING = b"# Returns\n\nYou may return a tent within %d days.", b"We ship tents within five days."


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.fixture(scope="module")
async def database(platform: Platform) -> AsyncIterator[Database]:
    async with ingest_rows(platform) as opened:
        yield opened


class TestPostgresMembers(PromisesOfMembers):
    @pytest.fixture
    def documents(self, database: Database) -> Documents:
        return PostgresDocuments(database)

    @pytest.fixture
    def members(self, database: Database, documents: Documents) -> PostgresMembers:
        return PostgresMembers(database, documents)


async def test_an_archive_that_is_deleted_while_it_is_unpacked_leaves_no_member(database: Database):
    """Whoever adds a member at that moment is done before the deletion, or is fenced."""
    documents, scope = PostgresDocuments(database), new_scope()
    members, archive = PostgresMembers(database, documents), await archive_at_work(documents, scope)
    is_keeping, may_end = asyncio.Event(), asyncio.Event()

    async def keep() -> None:
        is_keeping.set()
        await may_end.wait()

    first = new_document(came_of=archive.id, path="a.txt")
    adding = asyncio.create_task(members.add(scope, archive, first, keep=keep))
    await is_keeping.wait()
    deleting = asyncio.create_task(documents.begin_deleting(scope, archive.id, led_to=True))
    done, _ = await asyncio.wait([deleting], timeout=0.5)
    assert not done
    may_end.set()
    await asyncio.gather(adding, deleting)
    with pytest.raises(Fenced):
        await members.add(scope, archive, new_document(came_of=archive.id, path="b.txt"), keep=Calls())
    assert await members.of(scope, archive) == []


async def test_who_uploads_a_file_of_an_archive_that_is_being_deleted_has_it_all_the_same(database: Database):
    documents, scope = PostgresDocuments(database), new_scope()
    archive, _ = await made_ready(documents, scope)
    member, _ = await made_ready(documents, scope, "Thirty days.", came_of=archive.id, path="a.txt")
    async with database.tenant_tx(scope):
        await documents.begin_deleting(scope, archive.id, led_to=True)
        uploading = asyncio.create_task(added(documents, scope, sha256=member.sha256))
        done, _ = await asyncio.wait([uploading], timeout=0.5)
        assert not done
    own = await uploading
    assert (own.id == member.id, own.state) == (False, State.RECEIVED)


async def test_who_uploads_a_file_of_an_archive_while_it_is_replaced_waits_for_that(database: Database):
    """Both take the row and its content in this order: else they would wait for each other."""
    documents, scope = PostgresDocuments(database), new_scope()
    archive, _ = await made_ready(documents, scope)
    member, _ = await made_ready(documents, scope, "Thirty days.", came_of=archive.id, path="a.txt")
    async with database.tenant_tx(scope) as tx:
        await tx.fetch_row("SELECT id FROM document WHERE id = $1 FOR UPDATE", member.id)
        uploading = asyncio.create_task(added(documents, scope, sha256=member.sha256))
        done, _ = await asyncio.wait([uploading], timeout=0.5)
        assert not done
        await lock_content(tx, member.sha256)
    own = await uploading
    assert (own.id, own.came_of) == (member.id, None)


@pytest.fixture(scope="module")
def service(platform: Platform) -> Iterator[Ingest]:
    with running(platform) as service:
        yield service


@pytest.fixture(scope="module")
async def bus(platform: Platform, service: Ingest) -> AsyncIterator[Bus]:
    async with asking(platform, service) as bus:
        yield bus


@pytest.fixture
def scope() -> TenantScope:
    return new_person()


async def came_of(bus: Bus, scope: TenantScope, origin: ingest.Document, **asked: Any) -> dict[str, ingest.Document]:
    question = ingest.ListDocuments(limit=100, came_of=origin.id, **asked)
    listed = (await bus.request(ingest.LIST_DOCUMENTS, question, scope)).items
    return {each.path or "": each for each in listed}


async def unpacked(bus: Bus, scope: TenantScope, archive: ingest.Document) -> ingest.Document:
    """The archive once it and everything in it are at rest."""
    await until(bus, scope, archive.id, "ready")

    async def are_all_at_rest() -> ingest.Document | None:
        told = await look(bus, scope, archive.id)
        assert told.led_to is not None
        return told if told.led_to == (told.led_to_ready or 0) + (told.led_to_failed or 0) else None

    found: ingest.Document = await eventually(are_all_at_rest, timeout_s=60)
    return found


async def test_members_are_listed_counted_and_say_their_archive(bus: Bus, service: Ingest, scope: TenantScope):
    packed = zipped({"returns.md": RETURNS % 30, "more/shipping.txt": SHIPPING})
    archive = await send(bus, service, scope, packed, filename="shop.zip", tags=("shop",))
    own = await send(bus, service, scope, b"We are open from nine to six.")
    told = await unpacked(bus, scope, archive)
    assert (told.came_of, told.led_to, told.led_to_ready, told.led_to_failed, told.pages) == (None, 2, 2, 0, 2)
    found = await came_of(bus, scope, archive)
    assert {(path, each.filename, each.came_of, each.tags) for path, each in found.items()} == {
        ("returns.md", "returns.md", archive.id, ("shop",)),
        ("more/shipping.txt", "shipping.txt", archive.id, ("shop",)),
    }
    assert set(await came_of(bus, scope, archive, state="failed")) == set()
    stranger = new_person()
    assert await came_of(bus, stranger, archive) == {}
    assert await came_of(bus, scope, own) == {}
    nobody = own.model_copy(update={"id": DocumentId(uuid7())})
    assert await came_of(bus, scope, nobody) == {}
    again = await send(bus, service, scope, packed, filename="shop.zip")
    assert again.id == archive.id
    assert await came_of(bus, scope, archive) == found


async def test_a_member_that_is_refused_says_why_and_the_others_are_read(bus: Bus, service: Ingest, scope: TenantScope):
    inner = zipped({"a.txt": b"Hidden."})
    files = {"good.txt": SHIPPING, "inner.zip": inner, "unnamed": inner, "old.tar.gz": b"\x1f\x8b\x08\0" + bytes(64)}
    packed = zipped({**files, "bad.pdf": b"%PDF-1.7 no more of it", "empty.txt": b""})
    archive = await send(bus, service, scope, packed, filename="mixed.zip")
    told = await unpacked(bus, scope, archive)
    assert (told.state, told.led_to, told.led_to_ready, told.led_to_failed) == ("ready", 5, 1, 4)
    failed = await came_of(bus, scope, archive, state="failed")
    codes = {path: each.error.code for path, each in failed.items() if each.error is not None}
    # the same bytes twice are one document, wherever it stands
    inner_path = (set(codes) & {"inner.zip", "unnamed"}).pop()
    assert codes == {
        inner_path: "archive_refused",
        "old.tar.gz": "unsupported_type",
        "bad.pdf": "unreadable_document",
        "empty.txt": "empty_document",
    }
    # sent by itself it is an archive like any other
    sent = await send(bus, service, scope, inner, filename="inner.zip")
    assert sent.id != failed[inner_path].id
    assert (await unpacked(bus, scope, sent)).led_to_ready == 1


async def test_a_member_that_lies_about_its_size_fails_alone(bus: Bus, service: Ingest, scope: TenantScope):
    archive = await send(bus, service, scope, await asyncio.to_thread(lying_archive), filename="lying.zip")
    assert (await unpacked(bus, scope, archive)).led_to_failed == 1
    [failed] = (await came_of(bus, scope, archive)).values()
    assert failed.error is not None
    assert failed.error.code == "unreadable_document"


async def test_a_new_version_of_an_archive_is_found_without_the_one_before(
    bus: Bus, service: Ingest, scope: TenantScope
):
    files = {"returns.md": RETURNS % 30, "shipping.txt": SHIPPING, "old.txt": b"Canoes are sold until May."}
    archive = await send(bus, service, scope, zipped(files), filename="shop.zip")
    await unpacked(bus, scope, archive)
    before = await came_of(bus, scope, archive)
    version = zipped({"returns.md": RETURNS % 45, "shipping.txt": SHIPPING, "new.txt": b"Kayaks are sold from June."})
    replaced = await send(bus, service, scope, version, filename="shop.zip", replaces=archive.id)
    assert replaced.id == archive.id
    await unpacked(bus, scope, archive)
    after = await came_of(bus, scope, archive)
    assert set(after) == {"returns.md", "shipping.txt", "new.txt"}
    assert after["returns.md"].id == before["returns.md"].id
    assert after["shipping.txt"] == before["shipping.txt"]
    await until_gone(bus, scope, before["old.txt"].id)
    hits = await find(bus, scope, "How long may I return a tent?")
    assert [hit.text for hit in hits if "return a tent" in hit.text] == ["You may return a tent within 45 days."]
    assert not [hit for hit in await find(bus, scope, "Are canoes sold?") if "Canoes" in hit.text]
    originals = list((service.files / "files" / str(scope.tenant_id)).iterdir())
    assert len(originals) == 4, "the archive, and what is in it now"


async def test_an_archive_that_becomes_a_document_lets_go_of_its_members(bus: Bus, service: Ingest, scope: TenantScope):
    archive = await send(bus, service, scope, zipped({"a.txt": SHIPPING, "b.txt": b"Hello."}), filename="shop.zip")
    await unpacked(bus, scope, archive)
    await send(bus, service, scope, RETURNS % 30, filename="shop.md", replaces=archive.id)

    async def is_read() -> bool:
        told = await look(bus, scope, archive.id)
        return (told.state, told.media_type, told.led_to) == ("ready", "text/markdown", 0)

    await eventually(is_read, timeout_s=60)


@pytest.mark.parametrize("led_to", [False, True])
async def test_an_archive_is_deleted_alone_or_with_what_came_of_it(
    bus: Bus, service: Ingest, scope: TenantScope, *, led_to: bool
):
    archive = await send(bus, service, scope, zipped({"a.txt": SHIPPING, "b.txt": b"Hello."}), filename="shop.zip")
    await unpacked(bus, scope, archive)
    found = await came_of(bus, scope, archive)
    own = await send(bus, service, scope, b"Hello.", filename="b.txt")
    assert (own.id, own.came_of) == (found["b.txt"].id, None)
    asked = ingest.DeleteDocument(document_id=archive.id, led_to=led_to)
    with pytest.raises(NotFound):
        await bus.request(ingest.DELETE_DOCUMENT, asked, new_person())
    await bus.request(ingest.DELETE_DOCUMENT, asked, scope)
    await until_gone(bus, scope, archive.id)
    if led_to:
        await until_gone(bus, scope, found["a.txt"].id)
    else:
        assert set(await came_of(bus, scope, archive)) == {"a.txt"}
        assert (await look(bus, scope, found["a.txt"].id)).came_of == archive.id
    assert (await look(bus, scope, own.id)).state == "ready"
