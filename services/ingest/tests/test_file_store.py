from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.ingest import inbox_key
from ingest_service.outbound.file_store import ObjectFiles
from runtime.errors import NotFound, Unavailable
from services.ingest.tests.promises_documents import new_scope

NAME = "01a1fbd7-bb17-75c4-af41-5d298c132026"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
def files(folder: Path) -> ObjectFiles:
    return ObjectFiles(folder.as_uri())


def put(folder: Path, scope, data: bytes) -> None:
    path = folder / inbox_key(scope.tenant_id, NAME)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


async def test_an_upload_is_looked_at_kept_and_read(files, folder):
    scope, data = new_scope(), bytes(range(256)) * 40_000
    put(folder, scope, data)
    upload = await files.inspect(scope, NAME)
    assert (upload.size_bytes, upload.head) == (len(data), data[:4_096])
    for _ in range(2):
        await files.keep(scope, NAME, upload.sha256)
    await files.discard(scope, NAME)
    await files.discard(scope, NAME)
    assert await files.inspect(scope, NAME) is None
    assert await files.read(scope, upload.sha256) == data
    assert await files.read(new_scope(), upload.sha256) is None
    for _ in range(2):
        await files.delete(scope, upload.sha256)
    assert await files.read(scope, upload.sha256) is None


async def test_an_empty_upload_has_no_bytes(files, folder):
    scope = new_scope()
    put(folder, scope, b"")
    upload = await files.inspect(scope, NAME)
    assert (upload.size_bytes, upload.head) == (0, b"")


async def test_what_is_kept_is_listed_by_business_however_much_it_is(files):
    scopes = [new_scope(), new_scope()]
    for scope in scopes:
        for number in range(300):
            await files.put(scope, f"{number:03}", b"text")
    assert [some async for some in files.kept(datetime.now(UTC) + timedelta(days=6))] == [], "too young to be orphans"
    later = datetime.now(UTC) + timedelta(days=8)
    listed = [(scope.tenant_id, sha256) async for scope, some in files.kept(later) for sha256 in some]
    assert sorted(listed) == sorted((scope.tenant_id, f"{n:03}") for scope in scopes for n in range(300))


async def test_what_others_left_among_the_originals_is_left_alone(files, folder):
    scope = new_scope()
    put(folder, scope, b"text")
    await files.keep(scope, NAME, "sha")
    (folder / "files" / ".DS_Store").write_bytes(b"x")
    (folder / "files" / "lost+found" / "a").mkdir(parents=True)
    (folder / "files" / "lost+found" / "a" / "b").write_bytes(b"x")
    later = datetime.now(UTC) + timedelta(days=8)
    assert [(found.tenant_id, some) async for found, some in files.kept(later)] == [(scope.tenant_id, ["sha"])]


async def test_forgotten_uploads_are_swept_and_fresh_ones_are_not(files, folder):
    scope = new_scope()
    put(folder, scope, b"text")
    await files.keep(scope, NAME, "sha")
    assert await files.sweep() == 0
    assert await files.sweep(datetime.now(UTC) + timedelta(hours=25)) == 1
    assert await files.inspect(scope, NAME) is None
    assert await files.read(scope, "sha") == b"text"
    await files.check()


async def test_what_cannot_be_deleted_is_said_to_be_still_there(files, folder):
    scope = new_scope()
    (folder / "files" / str(scope.tenant_id) / "sha").mkdir(parents=True)
    with pytest.raises(Unavailable):
        await files.delete(scope, "sha")


async def test_a_store_that_fails_is_unavailable_for_now(files, folder):
    scope = new_scope()
    put(folder, scope, b"text")
    (folder / "files").write_text("where a folder should be")
    for asked in (files.keep(scope, NAME, "sha"), files.put(scope, "sha", b"text"), files.read(scope, "sha")):
        with pytest.raises(Unavailable):
            await asked
    (folder / inbox_key(scope.tenant_id, NAME)).unlink()
    (folder / inbox_key(scope.tenant_id, NAME)).parent.rmdir()
    (folder / inbox_key(scope.tenant_id, NAME)).parent.write_text("here too")
    with pytest.raises(Unavailable):
        await files.inspect(scope, NAME)


async def test_an_upload_that_vanishes_before_it_is_kept_is_not_there(files):
    with pytest.raises(NotFound):
        await files.keep(new_scope(), NAME, "sha")


async def test_a_store_that_cannot_be_listed_is_unavailable_for_now(files, folder):
    folder.rmdir()
    folder.write_text("where a folder should be")
    with pytest.raises(Unavailable):
        await files.sweep()
    with pytest.raises(Unavailable):
        await anext(aiter(files.kept()))
