import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import ingest
from contracts.ids import DocumentId, uuid7
from contracts.ingest import DOCUMENT_LIMIT_BYTES
from gateway_service.inbound.multipart import FileUpload, clean_filename
from gateway_service.outbound.upload_inbox import UploadInbox
from runtime.errors import Rejected
from services.gateway.tests.memory import TENANT, Edge

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def body(content: bytes, *, name: str = "file", filename: str = "a.md", boundary: str = "b0und") -> bytes:
    return (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="note"\r\n\r\nother\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
            "Content-Type: text/markdown\r\n\r\n"
        ).encode()
        + content
        + f"\r\n--{boundary}--\r\n".encode()
    )


async def in_chunks(data: bytes, size: int):
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(data: bytes, *, chunk: int = 1 << 16, boundary: str = "b0und") -> tuple[FileUpload, bytes]:
    upload = FileUpload(f"multipart/form-data; boundary={boundary}", in_chunks(data, chunk))
    await upload.open()
    return upload, b"".join([piece async for piece in upload.pieces()])


@given(content=st.binary(max_size=300), chunk=st.integers(1, 400))
async def test_a_file_is_the_same_however_the_socket_cuts_it(content: bytes, chunk: int):
    upload, found = await read(body(content), chunk=chunk)
    assert found == content
    assert (upload.filename, upload.size_bytes) == ("a.md", len(content))


async def test_the_same_upload_has_the_same_hash_whatever_its_boundary():
    first, _ = await read(body(b"text"))
    second, _ = await read(body(b"text", boundary="other"), boundary="other")
    third, _ = await read(body(b"text", filename="b.md"))
    assert first.sha256 == second.sha256 != third.sha256


def with_fields(content: bytes, before: list[bytes], after: list[bytes]) -> bytes:
    def fields(values: list[bytes]) -> bytes:
        head = b'--b0und\r\nContent-Disposition: form-data; name="tags"\r\n\r\n'
        return b"".join(head + value + b"\r\n" for value in values)

    whole, end = body(content), b"--b0und--\r\n"
    return fields(before) + whole.removesuffix(end) + fields(after) + end


@given(chunk=st.integers(1, 400))
async def test_tags_are_taken_before_and_after_the_file(chunk: int):
    upload, found = await read(with_fields(b"text", [b"Tents, sale"], ["\u00fcber".encode()]), chunk=chunk)
    assert (found, upload.tags) == (b"text", ("Tents", "sale", "\u00fcber"))
    plain, _ = await read(body(b"text"))
    other, _ = await read(with_fields(b"text", [], [b"Tents"]))
    assert len({upload.sha256, plain.sha256, other.sha256}) == 3


async def test_more_tags_than_anybody_needs_are_refused():
    with pytest.raises(Rejected, match="tags"):
        await read(with_fields(b"text", [b"x" * 9_000], []))


async def test_an_upload_that_breaks_off_is_no_upload():
    whole = body(b"some text")
    with pytest.raises(Rejected, match="broke off"):
        await read(whole[: whole.index(b"some") + 6])


async def test_without_the_field_there_is_no_file():
    with pytest.raises(Rejected, match="missing"):
        await read(body(b"x", name="data"))


@pytest.mark.parametrize("kind", ["", "application/json", "multipart/form-data", "text/plain; boundary=b"])
def test_other_bodies_are_not_taken(kind):
    with pytest.raises(Rejected) as refused:
        FileUpload(kind, in_chunks(b"", 1))
    assert refused.value.code == "unsupported_type"


async def test_a_body_that_is_no_multipart_is_refused():
    with pytest.raises(Rejected):
        await read(b"nothing of the kind\r\n")


async def test_too_much_is_refused_while_it_streams():
    taken = 0

    async def endless():
        nonlocal taken
        yield body(b"").partition(b"\r\n--b0und--")[0]
        while True:
            taken += 1 << 20
            yield b"x" * (1 << 20)

    upload = FileUpload("multipart/form-data; boundary=b0und", endless())
    await upload.open()
    with pytest.raises(Rejected) as refused:
        async for _ in upload.pieces():
            pass
    assert refused.value.code == "too_large"
    assert taken <= DOCUMENT_LIMIT_BYTES + (2 << 20)


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\docs\\a.md", "a.md"),
        ("a\x00b\n.md", "ab.md"),
        ("", "upload"),
        ("..", ".."),
        ("x" * 300, "x" * 255),
        ("Größe ☃.md", "Größe ☃.md"),
    ],
)
def test_a_name_is_its_last_step(given_name, shown):
    assert clean_filename(given_name) == shown


def registered(request: ingest.RegisterDocument) -> ingest.DocumentReply:
    return ingest.DocumentReply(
        document=ingest.Document(
            id=request.document_id,
            title="A",
            filename=request.filename,
            media_type="text/markdown",
            size_bytes=request.size_bytes,
            state="received",
            progress=0,
            pages=0,
            passages=0,
            language=None,
            error=None,
            created_at=NOW,
            updated_at=NOW,
        )
    )


async def test_an_upload_waits_in_the_inbox_and_ingest_is_told():
    edge = Edge()
    edge.services.tell(ingest.REGISTER_DOCUMENT, registered)
    answer = await edge.call(
        "POST", "/api/documents", files={"file": ("a.md", b"# Hi")}, headers={"Idempotency-Key": "k"}
    )
    assert (answer.status_code, answer.json()["state"]) == (202, "received")
    asked = edge.services.asked[-1][1]
    assert edge.inbox.files == {(TENANT, asked.inbox_name): b"# Hi"}
    assert (asked.filename, asked.size_bytes) == ("a.md", 4)
    assert asked.idempotency.body_sha256 == hashlib.sha256(b"a.md\0# Hi").hexdigest()


async def test_an_upload_may_bring_tags_and_with_wrong_ones_it_does_not_stay():
    edge = Edge()
    edge.services.tell(ingest.REGISTER_DOCUMENT, registered)
    files = {"file": ("a.md", b"# Hi")}
    await edge.call("POST", "/api/documents", files=files, data={"tags": ["Tents", "summer sale"]})
    assert edge.services.asked[-1][1].tags == ("tents", "summer sale")
    edge.inbox.files.clear()
    answer = await edge.call("POST", "/api/documents", files=files, data={"tags": ["!"]})
    assert (answer.status_code, edge.inbox.files) == (422, {})


@pytest.mark.parametrize("refusal", [Rejected("This is a PDF", code="unsupported_type"), None])
async def test_what_ingest_does_not_take_does_not_stay(refusal):
    edge = Edge()
    if refusal is not None:
        edge.services.tell(ingest.REGISTER_DOCUMENT, refusal)
    answer = await edge.call("POST", "/api/documents", files={"file": ("a.md", b"%PDF")})
    assert answer.status_code == (415 if refusal is not None else 503)
    assert edge.inbox.files == {}


async def test_a_reprocessed_document_is_on_its_way_again():
    edge = Edge()
    request = ingest.RegisterDocument(document_id=DocumentId(uuid7()), inbox_name="0" * 36, filename="a", size_bytes=1)
    edge.services.tell(ingest.REPROCESS_DOCUMENT, registered(request))
    answer = await edge.call("POST", f"/api/documents/{request.document_id}/reprocess")
    assert (answer.status_code, answer.json()["id"]) == (202, str(request.document_id))


class TestUploadInbox:
    @pytest.fixture
    def inbox(self, tmp_path):
        return UploadInbox((tmp_path / "new folder").as_uri())

    async def test_pieces_become_a_file(self, inbox, tmp_path):
        await inbox.put(TENANT, "name", in_chunks(b"abc" * 100, 7))
        found = tmp_path / "new folder" / "inbox" / str(TENANT) / "name"
        assert found.read_bytes() == b"abc" * 100
        await inbox.drop(TENANT, "name")
        assert not found.exists()
        await inbox.drop(TENANT, "name")
        await inbox.check()

    async def test_an_upload_that_breaks_off_leaves_nothing(self, inbox, tmp_path):
        async def breaking():
            yield b"x" * (12 << 20)
            raise Rejected("the upload broke off")

        with pytest.raises(Rejected, match="broke off"):
            await inbox.put(TENANT, "name", breaking())
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
