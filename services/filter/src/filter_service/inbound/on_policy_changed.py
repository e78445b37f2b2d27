"""A policy was replaced at some replica: every replica forgets the older one."""

from contracts.filter import POLICY_CHANGED, PolicyChanged
from filter_service.domain.benches import Benches
from runtime.bus import Bus
from runtime.tenancy import TenantScope


async def listen(bus: Bus, benches: Benches) -> None:
    """Hear `evt.filter.policy_changed` live; a replica that misses one reads again after its cache's time."""

    async def on_policy_changed(fact: PolicyChanged, scope: TenantScope) -> None:
        benches.forget(scope.tenant_id, fact.version)

    await bus.listen(POLICY_CHANGED, on_policy_changed)
