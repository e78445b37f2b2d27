import pytest

from contracts.ids import DocumentId, uuid7
from ingest_service.domain.passage_index import EVERYTHING, Narrowing
from ingest_service.domain.select_documents import Selection, narrowed
from services.ingest.tests.memory_documents import MemoryDocuments
from services.ingest.tests.promises_documents import made_ready, new_scope

TENTS = Selection(tags=("tents",))


@pytest.fixture
def documents() -> MemoryDocuments:
    return MemoryDocuments()


async def test_what_asks_for_nothing_asks_nobody(documents: MemoryDocuments):
    only = Narrowing(document_ids=(DocumentId(uuid7()),))
    assert await narrowed(new_scope(), Selection(), only, documents) is only


async def test_where_nothing_was_selected_nothing_is_searched(documents: MemoryDocuments):
    scope = new_scope()
    await made_ready(documents, scope, "one")
    assert await narrowed(scope, TENTS, EVERYTHING, documents) is None


async def test_a_search_is_within_what_meets_both(documents: MemoryDocuments):
    scope = new_scope()
    first, _ = await made_ready(documents, scope, "one", tags=("tents",))
    second, _ = await made_ready(documents, scope, "two", tags=("tents",))
    only = await narrowed(scope, TENTS, Narrowing(languages=("en",)), documents)
    assert only == Narrowing((first.id, second.id), ("en",))
    only = await narrowed(scope, TENTS, Narrowing(document_ids=(second.id, DocumentId(uuid7()))), documents)
    assert only == Narrowing((second.id,))
