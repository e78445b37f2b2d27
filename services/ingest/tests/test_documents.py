import pytest

from ingest_service.domain.ports import Documents
from services.ingest.tests.memory_documents import MemoryDocuments
from services.ingest.tests.promises_documents import PromisesOfDocuments
from services.ingest.tests.promises_fences import PromisesOfFences
from services.ingest.tests.promises_versions import PromisesOfVersions


class TestMemoryDocuments(PromisesOfDocuments, PromisesOfFences, PromisesOfVersions):
    @pytest.fixture
    def documents(self) -> Documents:
        return MemoryDocuments()
