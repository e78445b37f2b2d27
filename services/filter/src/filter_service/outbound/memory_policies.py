"""Policies in memory, for tests: the same promises as in Postgres, for the life of the object."""

from dataclasses import replace

from contracts.ids import TenantId
from filter_service.domain.policy import Policy
from runtime.errors import NotFound
from runtime.tenancy import TenantScope


class MemoryPolicies:
    """Implements `Policies`."""

    def __init__(self) -> None:
        self._versions: dict[TenantId, list[Policy]] = {}

    async def current(self, scope: TenantScope) -> Policy:
        return self._of(scope)[-1]

    async def at(self, scope: TenantScope, version: int) -> Policy:
        versions = self._of(scope)
        if not 0 <= version < len(versions):
            raise NotFound
        return versions[version]

    async def replace(self, scope: TenantScope, policy: Policy) -> Policy:
        versions = self._of(scope)
        versions.append(replace(policy, version=len(versions)))
        return versions[-1]

    def _of(self, scope: TenantScope) -> list[Policy]:
        return self._versions.setdefault(scope.tenant_id, [Policy()])
