"""What is promised of a document's file: which one is shown, and what it is."""

from dataclasses import replace

import pytest

from contracts.ids import DocumentId
from ingest_service.domain import media_types
from ingest_service.domain.document import Document, Failure, File, State
from ingest_service.domain.ports import Documents
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


async def _kept() -> None:
    """Nothing to keep."""


async def _now(documents: Documents, scope: TenantScope, document_id: DocumentId) -> Document:
    document = await documents.get(scope, document_id)
    assert document is not None
    return document


class PromisesOfVersions:
    async def test_a_new_version_that_cannot_be_read_leaves_the_file_that_is_found(self, documents: Documents):
        scope = new_scope()
        old, _ = await made_ready(documents, scope, "words", filename="returns.md", size_bytes=5)
        changed = replace(old, filename="broken.pdf", size_bytes=9, sha256="broken")
        sent = await documents.replace(scope, changed, keep=_kept)
        assert sent is not None
        assert sent.file == File("broken.pdf", 9)
        at_work = await claimed(documents, scope, old)
        assert await documents.fail(scope, at_work, replace(DAMAGED, media_type="application/pdf")) is State.READY
        await documents.release(scope, at_work)
        found = await _now(documents, scope, old.id)
        assert (found.file, found.media_type, found.failure) == (File("returns.md", 5), "text/markdown", DAMAGED)
        assert (found.filename, found.sha256) == ("broken.pdf", "broken")
        for name, ids in (("returns.md", [old.id]), ("broken.pdf", [old.id]), ("other.md", [])):
            page = await documents.page(scope, state=None, limit=9, before=None, filename=name)
            assert [document.id for document in page] == ids

        assert await documents.read_again(scope, old.id)
        at_work = await claimed(documents, scope, old)
        assert await documents.finish(scope, at_work, reading_of(at_work, "other words"))
        assert (await _now(documents, scope, old.id)).file == File("broken.pdf", 9)

    @pytest.mark.parametrize("told", ["application/pdf", None])
    async def test_what_failed_is_what_was_told_of_it(self, documents: Documents, told):
        scope = new_scope()
        document = await claimed(documents, scope, await added(documents, scope))
        await documents.fail(scope, document, replace(DAMAGED, media_type=told))
        failed = await _now(documents, scope, document.id)
        assert (failed.state, failed.media_type) == (State.FAILED, told or media_types.UNKNOWN)
        assert failed.failure == DAMAGED

    async def test_a_failed_upload_is_begun_anew_by_the_same_bytes(self, documents: Documents):
        scope, keep = new_scope(), Calls()
        failed = await claimed(documents, scope, await added(documents, scope, sha256="f"))
        assert await documents.fail(scope, failed, Failure("unreadable_document", "No.", 3))
        await documents.release(scope, failed)
        again = await documents.add(scope, new_document(sha256="f", filename="other.md"), keep=keep)
        assert (again.id, again.state, again.failure, keep.count) == (failed.id, State.RECEIVED, None, 1)
        assert (again.generation, again.filename) == (failed.generation + 1, failed.filename)
        at_work = await claimed(documents, scope, again)
        assert await documents.finish(scope, at_work, reading_of(at_work, "read"))
        assert (await added(documents, scope, sha256="f")).state is State.READY
        assert (await added(documents, new_scope(), sha256="f")).id != failed.id

    async def test_what_failed_as_a_part_of_something_comes_again_by_itself(self, documents: Documents):
        scope = new_scope()
        origin = await added(documents, scope, sha256="o")
        member = await added(documents, scope, sha256="f", came_of=origin.id, path="a/f.md")
        failed = await claimed(documents, scope, member)
        assert await documents.fail(scope, failed, Failure("unreadable_document", "No.", 3))
        assert (await added(documents, scope, sha256="f")).id != failed.id
        found = await documents.get(scope, failed.id)
        assert found is not None
        assert (found.state, found.failure) == (State.FAILED, Failure("unreadable_document", "No.", 3))
