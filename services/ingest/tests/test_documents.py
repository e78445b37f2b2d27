import pytest

from ingest_service.domain.ports import Documents
from services.ingest.tests.memory_documents import MemoryDocuments
from services.ingest.tests.promises_documents import PromisesOfDocuments


class TestMemoryDocuments(PromisesOfDocuments):
    @pytest.fixture
    def documents(self) -> Documents:
        return MemoryDocuments()
