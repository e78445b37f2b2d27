import pytest

from filter_service.outbound.memory_policies import MemoryPolicies
from tests.support.policies_promise import PoliciesPromise


class TestMemoryPolicies(PoliciesPromise):
    @pytest.fixture
    def policies(self) -> MemoryPolicies:
        return MemoryPolicies()
