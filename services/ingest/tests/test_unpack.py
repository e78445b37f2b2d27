"""Archives: each file in them becomes a document; what unpacks too far is refused before it is."""

import hashlib
import io
import struct
import tracemalloc
import warnings
import zipfile
from dataclasses import replace
from unittest.mock import AsyncMock

import pytest

from ingest_service.domain import unpack as unpacking
from ingest_service.domain.document import Document, Reading, State
from ingest_service.domain.errors import ArchiveRefused, DocumentRefused, IsArchive, UnpacksTooLarge
from ingest_service.domain.read_document import reading_of
from ingest_service.domain.sniff import tell
from ingest_service.domain.unpack import Unpacking
from runtime.clock import SystemClock
from services.ingest.tests.memory import MemoryReader
from services.ingest.tests.memory_documents import MemoryDocuments, MemoryFiles
from services.ingest.tests.memory_members import MemoryMembers
from services.ingest.tests.promises_documents import new_document, new_scope
from services.ingest.tests.promises_members import PromisesOfMembers

SHOP = {"returns.md": b"# Returns\n\n30 days.", "more/shipping.txt": b"Five days.", "__MACOSX/._returns.md": b"\0\1"}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


class Shop:
    """An archive that is unpacked, and each version of it after that."""

    def __init__(self) -> None:
        self.scope, self.documents, self.files = new_scope(), MemoryDocuments(), MemoryFiles()
        self.members = MemoryMembers(self.documents)
        self.archive = new_document(tags=("shop",))

    async def unpack(self, data: bytes) -> Reading:
        """Twice, as after a crash."""
        self.archive = replace(self.archive, attempt=self.archive.attempt + 1)
        self.documents.rows[self.scope.tenant_id, self.archive.id] = self.archive
        unpacking = Unpacking(self.members, self.documents, self.files, SystemClock())
        await unpacking.unpack(self.archive, data, self.scope)
        return await unpacking.unpack(self.archive, data, self.scope)

    async def by_path(self) -> dict[str, Document]:
        found = {each.path or "": each for each in await self.members.of(self.scope, self.archive)}
        assert len(found) == len(await self.members.of(self.scope, self.archive))
        return found

    def become(self, member: Document, state: State) -> None:
        self.documents.rows[self.scope.tenant_id, member.id] = replace(member, state=state)


@pytest.fixture
def shop() -> Shop:
    return Shop()


class TestMembers(PromisesOfMembers):
    @pytest.fixture
    def documents(self) -> MemoryDocuments:
        return MemoryDocuments()

    @pytest.fixture
    def members(self, documents: MemoryDocuments) -> MemoryMembers:
        return MemoryMembers(documents)


async def test_each_file_becomes_one_document_also_after_a_crash(shop: Shop):
    reading = await shop.unpack(zipped(SHOP))
    found = await shop.by_path()
    assert {(path, each.filename) for path, each in found.items()} == {
        ("returns.md", "returns.md"),
        ("more/shipping.txt", "shipping.txt"),
    }
    assert {each.tags for each in found.values()} == {("shop",)}
    assert (reading.pages, len(shop.documents.jobs)) == (2, 2)
    assert sorted(shop.files.held.values()) == sorted([SHOP["returns.md"], SHOP["more/shipping.txt"]])


async def test_files_of_one_name_are_told_apart_by_their_folders(shop: Shop):
    files = {"README.md": b"One.", "tents/README.md": b"Two.", "tents/big/README": b"# Big tents\n\nThree."}
    await shop.unpack(zipped(files))
    found = await shop.by_path()
    titles = {}
    for path, member in found.items():
        cut = await MemoryReader().read(files[path], AsyncMock())
        titles[path] = (member.title, reading_of(member, cut).title)
    assert titles == {
        "README.md": ("README", "README"),
        "tents/README.md": ("tents/README", "tents/README"),
        "tents/big/README": ("tents/big/README", "Big tents"),
    }


async def test_a_new_version_reads_anew_what_changed_and_lets_go_of_the_rest(shop: Shop):
    await shop.unpack(zipped({"same": b"1", "changed": b"2", "gone": b"3", "moved": b"4"}))
    before = await shop.by_path()
    for each in before.values():
        shop.become(each, State.READY)
    await shop.documents.set_tags(shop.scope, before["changed"].id, ("mine",))
    await shop.unpack(zipped({"same": b"1", "changed": b"2, new", "to/here": b"4", "new": b"5"}))
    after = await shop.by_path()
    assert set(after) == {"same", "changed", "to/here", "new"}
    assert {path: after[path].id for path in ("same", "changed", "to/here")} == {
        "same": before["same"].id,
        "changed": before["changed"].id,
        "to/here": before["moved"].id,
    }
    changed = after["changed"]
    assert (changed.state, changed.generation, changed.tags) == (State.RECEIVED, 2, ("mine",))
    assert {path for path, each in after.items() if each.generation == 1} == {"same", "to/here", "new"}
    assert (await shop.documents.get(shop.scope, before["gone"].id)).state is State.DELETING
    assert b"2" not in shop.files.held.values()


async def test_contents_that_change_places_stay_what_they_are(shop: Shop):
    await shop.unpack(zipped({"a": b"1", "b": b"2", "c": b"3"}))
    before = await shop.by_path()
    for each in before.values():
        shop.become(each, State.READY)
    await shop.unpack(zipped({"a": b"2", "b": b"1", "c": b"3", "copy of c": b"3"}))
    after = await shop.by_path()
    assert {path: each.id for path, each in after.items() if path in "ab"} == {
        "a": before["b"].id,
        "b": before["a"].id,
    }
    assert {each.generation for each in after.values()} == {1}
    assert len(after) == 3, "the same content twice is one document"


async def test_a_member_that_is_being_read_makes_way_for_its_new_content(shop: Shop):
    await shop.unpack(zipped({"a": b"1"}))
    before = (await shop.by_path())["a"]
    shop.become(replace(before, tags=("mine",)), State.PARSING)
    await shop.unpack(zipped({"a": b"2"}))
    after = (await shop.by_path())["a"]
    assert (after.id != before.id, after.tags, after.state) == (True, ("mine",), State.RECEIVED)


async def test_a_new_content_that_is_there_as_another_document_is_not_taken_twice(shop: Shop):
    await shop.unpack(zipped({"a": b"1", "b": b"2"}))
    for each in (await shop.by_path()).values():
        shop.become(each, State.READY)
    own = new_document(sha256=hashlib.sha256(b"3").hexdigest(), state=State.READY)
    shop.documents.rows[shop.scope.tenant_id, own.id] = own
    await shop.unpack(zipped({"a": b"3", "b": b"2"}))
    assert set(await shop.by_path()) == {"b"}
    assert (await shop.documents.get(shop.scope, own.id)).came_of is None


async def test_a_member_that_failed_is_not_tried_again_until_it_changes(shop: Shop):
    await shop.unpack(zipped({"a": b"1", "b": b"2"}))
    failed = (await shop.by_path())["a"]
    shop.become(failed, State.FAILED)
    jobs = len(shop.documents.jobs)
    await shop.unpack(zipped({"a": b"1", "b": b"2"}))
    assert ((await shop.by_path())["a"].id, len(shop.documents.jobs)) == (failed.id, jobs)
    await shop.unpack(zipped({"a": b"3", "b": b"2"}))
    found = (await shop.by_path())["a"]
    assert (found.id, found.state) == (failed.id, State.RECEIVED)
    shop.become(found, State.FAILED)
    await shop.unpack(zipped({"elsewhere": b"3", "b": b"2"}))
    assert set(await shop.by_path()) == {"elsewhere", "b"}


async def test_of_a_path_twice_the_later_file_counts(shop: Shop):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for content in (b"first", b"second"):
            archive.writestr("a.txt", content)
    await shop.unpack(packed.getvalue())
    assert list(shop.files.held.values()) == [b"second"]


def test_an_archive_is_told_from_a_document():
    with pytest.raises(IsArchive):
        tell(zipped(SHOP))


@pytest.mark.parametrize(
    "data",
    [
        zipped({}),
        zipped({"folder/": b""}),
        zipped(SHOP)[:-30],
        zipped(SHOP).replace(b"30 days", b"99 days") + b"tail" * 20_000,
        b"PK\x03\x04" + b"\0" * 100,
    ],
)
async def test_what_cannot_be_unpacked_is_refused(shop: Shop, data: bytes):
    with pytest.raises(ArchiveRefused):
        await shop.unpack(data)


async def test_a_file_that_cannot_be_taken_out_is_a_member_that_failed(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(unpacking, "DOCUMENT_LIMIT_BYTES", 1_000)
    files = {"a.txt": b"one", "broken.txt": bytes(range(256)) * 2, "empty.txt": b"", "large.txt": b"x" * 1_001}
    packed = bytearray(zipped(files))
    at = packed.find(b"broken.txt") + 40
    packed[at : at + 20] = b"\xff" * 20
    await shop.unpack(bytes(packed))
    found = await shop.by_path()
    assert {path: each.failure and each.failure.code for path, each in found.items()} == {
        "a.txt": None,
        "broken.txt": "unreadable_document",
        "empty.txt": "empty_document",
        "large.txt": "unpacks_too_large",
    }
    assert {path for path, each in found.items() if each.state is State.FAILED} == set(files) - {"a.txt"}
    await shop.unpack(zipped({**files, "broken.txt": b"whole"}))
    assert (await shop.by_path())["broken.txt"].state is State.RECEIVED


async def test_a_bomb_is_refused_by_its_own_list(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(unpacking, "MOST_UNPACKED", 1_000_000)
    with pytest.raises(UnpacksTooLarge):
        await shop.unpack(zipped({"zeros.txt": b"0" * 1_000_001}))


async def test_a_file_that_holds_more_than_it_says_is_not_unpacked_beyond_that(shop: Shop):
    size = 64 * 1024 * 1024
    data = zipped({"a.txt": b"a" * size}).replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    tracemalloc.start()
    try:
        await shop.unpack(data)
        assert (await shop.by_path())["a.txt"].state is State.FAILED
        assert tracemalloc.get_traced_memory()[1] < size // 4
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
async def test_a_file_packed_by_a_method_that_unpacks_all_at_once_is_not_unpacked(shop: Shop, method: int):
    size = 64 * 1024 * 1024
    data = zipped({"a.txt": b"a" * size}, method).replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    tracemalloc.start()
    try:
        await shop.unpack(data)
        assert tracemalloc.get_traced_memory()[1] < size // 4
    finally:
        tracemalloc.stop()
    failed = (await shop.by_path())["a.txt"]
    assert (failed.state, failed.failure and failed.failure.code) == (State.FAILED, "unsupported_type")


async def test_a_file_that_is_said_to_begin_beyond_everything_is_damaged(shop: Shop):
    packed = bytearray(zipped({"a.txt": b"one"}))
    large = struct.pack("<HHQ", 1, 8, 1 << 63)
    entry = packed.find(b"PK\x01\x02")
    packed[entry + 30 : entry + 32] = struct.pack("<H", len(large))
    packed[entry + 42 : entry + 46] = b"\xff" * 4
    packed[entry + 46 + len("a.txt") : entry + 46 + len("a.txt")] = large
    end = packed.find(b"PK\x05\x06")
    packed[end + 12 : end + 16] = struct.pack("<L", end - entry)
    await shop.unpack(bytes(packed))
    failed = (await shop.by_path())["a.txt"]
    assert (failed.state, failed.failure and failed.failure.code) == (State.FAILED, "unreadable_document")


@pytest.mark.parametrize("name", [b"\0.txt", b"././.", b"fold\\"])
async def test_what_has_no_name_and_folders_of_any_make_are_passed_over(shop: Shop, name: bytes):
    data = zipped({"a.txt": b"one", "Q.txt": b"" if name.endswith(b"\\") else b"two"}).replace(b"Q.txt", name)
    await shop.unpack(data)
    assert set(await shop.by_path()) == {"a.txt"}


async def test_more_files_than_one_upload_may_have(shop: Shop):
    with pytest.raises(UnpacksTooLarge):
        await shop.unpack(zipped({f"{number}.txt": b"x" for number in range(1_001)}))


async def test_a_list_of_contents_that_would_fill_the_memory_is_not_read(monkeypatch: pytest.MonkeyPatch):
    def never(*_: object) -> None:
        raise AssertionError

    packed = zipped({f"{number}.txt": b"x" for number in range(3_000)})
    end = packed.rfind(b"PK\x05\x06")
    few = packed[end : end + 8] + struct.pack("<HHLL", 1, 1, 100, 0) + b"\0\0"
    entries, size = struct.unpack_from("<HL", packed, end + 10)
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, size, end - size)
    said_apart = packed[:end] + large + struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1) + few
    assert len(zipfile.ZipFile(io.BytesIO(said_apart)).infolist()) == 3_000
    monkeypatch.setattr(zipfile, "ZipFile", never)
    for data in (packed, said_apart):
        with pytest.raises(UnpacksTooLarge):
            unpacking.opened(data)


async def test_a_name_that_points_outside_is_only_a_name(shop: Shop):
    await shop.unpack(zipped({"../../etc/passwd": b"root"}))
    assert [each.filename for each in (await shop.by_path()).values()] == ["passwd"]
    assert all(".." not in key for key in shop.files.held)


async def test_an_encrypted_file_is_refused(shop: Shop):
    packed = bytearray(zipped({"a.txt": b"one"}))
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.find(sign) + offset] |= 1
    with pytest.raises(DocumentRefused, match="encrypted"):
        await shop.unpack(bytes(packed))
