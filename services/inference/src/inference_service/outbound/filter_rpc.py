"""The input check, asked of the filter."""

from contracts.filter import CHECK_INPUT, CheckInput
from runtime.bus import Bus
from runtime.tenancy import TenantScope


class FilterInputCheck:
    """Implements `InputCheck`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def blocked_categories(self, scope: TenantScope, text: str) -> tuple[str, ...]:
        return (await self._bus.request(CHECK_INPUT, CheckInput(text=text), scope)).categories
