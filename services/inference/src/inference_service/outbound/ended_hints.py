"""Stored answers, told to the gateways as hints: one that is lost costs a gateway the question it would have asked."""

from contracts.inference import Turn
from contracts.tokens import ENDED_HINT
from runtime.bus import Bus
from runtime.tenancy import TenantScope


class EndedHints:
    """Implements `Followers`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def tell(self, scope: TenantScope, ended: Turn) -> None:
        await self._bus.hint(ENDED_HINT.name, scope.tenant_id, ended.message_id, ended)
