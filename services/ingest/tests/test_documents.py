import pytest

from ingest_service.domain.ports import Documents
from services.ingest.tests.memory_documents import MemoryDocuments
from services.ingest.tests.promises_documents import PromisesOfDocuments
from services.ingest.tests.promises_fences import PromisesOfFences


class TestMemoryDocuments(PromisesOfDocuments, PromisesOfFences):
    @pytest.fixture
    def documents(self) -> Documents:
        return MemoryDocuments()
