"""What is promised of a worker that was overtaken, and of the document that it still holds in its hands."""

from dataclasses import replace

from ingest_service.domain.document import Failure, State
from ingest_service.domain.ports import Documents
from services.ingest.tests.promises_documents import added, claimed, new_scope, reading_of


async def _kept() -> None:
    """Nothing to keep."""


class PromisesOfFences:
    async def test_a_worker_of_an_older_version_does_not_end_the_new_one(self, documents: Documents):
        scope = new_scope()
        frozen = await claimed(documents, scope, await added(documents, scope, sha256="old"))
        await documents.release(scope, frozen)
        other = await claimed(documents, scope, frozen)
        assert await documents.finish(scope, other, reading_of(other, "old words"))
        await documents.release(scope, other)
        assert await documents.replace(scope, replace(other, sha256="new"), keep=_kept)
        newest = await claimed(documents, scope, other)
        assert newest.attempt == frozen.attempt

        assert not await documents.hold(scope, frozen)
        assert not await documents.advance(scope, frozen, State.EMBEDDING, 0.5)
        assert not await documents.finish(scope, frozen, reading_of(frozen, "old words"))
        assert await documents.fail(scope, frozen, Failure("internal", "No.")) is None
        await documents.release(scope, frozen)
        assert not isinstance(await documents.claim(scope, frozen.id), type(newest))

        assert await documents.finish(scope, newest, reading_of(newest, "new words"))
        assert await documents.found_generation(scope, newest.id) == newest.generation
