"""Archives: each file in them becomes a document; what unpacks too far is refused before it is."""

import io
import tracemalloc
import zipfile

import pytest

from ingest_service.domain import unpack as unpacking
from ingest_service.domain.errors import ArchiveRefused, DocumentRefused, IsArchive, UnpacksTooLarge
from ingest_service.domain.sniff import tell
from ingest_service.domain.unpack import unpack
from runtime.clock import SystemClock
from services.ingest.tests.memory_documents import MemoryDocuments, MemoryFiles
from services.ingest.tests.promises_documents import new_document, new_scope

SHOP = {"returns.md": b"# Returns\n\n30 days.", "more/shipping.txt": b"Five days.", "__MACOSX/._returns.md": b"\0\1"}


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


async def unpacked(data: bytes) -> tuple[MemoryDocuments, MemoryFiles]:
    documents, files = MemoryDocuments(), MemoryFiles()
    scope = new_scope()
    for _ in range(2):
        await unpack(new_document(tags=("shop",)), data, scope, documents=documents, files=files, clock=SystemClock())
    return documents, files


async def test_each_file_becomes_one_document_also_after_a_crash():
    documents, files = await unpacked(zipped(SHOP))
    assert sorted(row.filename for row in documents.rows.values()) == ["returns.md", "shipping.txt"]
    assert {row.tags for row in documents.rows.values()} == {("shop",)}
    assert len(documents.jobs) == 2
    assert sorted(files.held.values()) == sorted([SHOP["returns.md"], SHOP["more/shipping.txt"]])


def test_an_archive_is_told_from_a_document():
    with pytest.raises(IsArchive):
        tell(zipped(SHOP))


@pytest.mark.parametrize(
    "data",
    [
        zipped({"inner.zip": zipped(SHOP)}),
        zipped({"inner": zipped(SHOP)}),
        zipped({"site.tar.gz": b"x"}),
        zipped({}),
        zipped({"folder/": b""}),
        zipped(SHOP)[:-30],
        zipped(SHOP).replace(b"30 days", b"99 days") + b"tail" * 20_000,
        b"PK\x03\x04" + b"\0" * 100,
    ],
)
async def test_what_cannot_be_unpacked_is_refused(data: bytes):
    with pytest.raises(ArchiveRefused):
        await unpacked(data)


async def test_a_damaged_file_in_it_is_named():
    packed = bytearray(zipped({"a.txt": b"one", "broken.txt": bytes(range(256)) * 8}))
    at = packed.find(b"broken.txt") + 40
    packed[at : at + 20] = b"\xff" * 20
    with pytest.raises(ArchiveRefused, match=r"broken\.txt"):
        await unpacked(bytes(packed))


async def test_a_bomb_is_refused_by_its_own_list(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(unpacking, "MOST_UNPACKED", 1_000_000)
    with pytest.raises(UnpacksTooLarge):
        await unpacked(zipped({"zeros.txt": b"0" * 1_000_001}))


async def test_a_file_that_holds_more_than_it_says_is_not_unpacked_beyond_that():
    size = 64 * 1024 * 1024
    data = zipped({"a.txt": b"a" * size}).replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveRefused):
            await unpacked(data)
        assert tracemalloc.get_traced_memory()[1] < size // 4
    finally:
        tracemalloc.stop()


async def test_more_files_than_one_upload_may_have():
    with pytest.raises(UnpacksTooLarge):
        await unpacked(zipped({f"{number}.txt": b"x" for number in range(1_001)}))


async def test_a_list_of_contents_that_would_fill_the_memory_is_not_read(monkeypatch: pytest.MonkeyPatch):
    def never(*_: object) -> None:
        raise AssertionError

    packed = zipped({f"{number}.txt": b"x" for number in range(3_000)})
    monkeypatch.setattr(zipfile, "ZipFile", never)
    with pytest.raises(UnpacksTooLarge):
        unpacking.opened(packed)


async def test_a_name_that_points_outside_is_only_a_name():
    documents, files = await unpacked(zipped({"../../etc/passwd": b"root"}))
    assert [row.filename for row in documents.rows.values()] == ["passwd"]
    assert all(".." not in key for key in files.held)


async def test_an_encrypted_file_is_refused():
    packed = bytearray(zipped({"a.txt": b"one"}))
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.find(sign) + offset] |= 1
    with pytest.raises(DocumentRefused, match="encrypted"):
        await unpacked(bytes(packed))
