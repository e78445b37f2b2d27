import pytest

from services.auth.tests.memory import (
    MemoryApiKeys,
    MemoryMembers,
    MemorySessions,
    MemoryTenants,
    MemoryTransactions,
)
from services.auth.tests.promises import Kept, Promises


class TestMemory(Promises):
    @pytest.fixture
    def kept(self) -> Kept:
        return Kept(MemoryTransactions(), MemoryTenants(), MemoryMembers(), MemorySessions(), MemoryApiKeys())
