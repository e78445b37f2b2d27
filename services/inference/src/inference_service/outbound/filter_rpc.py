"""The input check, and texts without personal data, asked of the filter."""

from collections.abc import Sequence

from contracts.filter import CHECK_INPUT, REDACT, CheckInput, Redact
from runtime.bus import Bus
from runtime.tenancy import TenantScope


class FilterInputCheck:
    """Implements `InputCheck`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def blocked_categories(self, scope: TenantScope, text: str) -> tuple[str, ...]:
        return (await self._bus.request(CHECK_INPUT, CheckInput(text=text), scope)).categories


class FilterRedaction:
    """Implements `Redaction`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def redacted(self, scope: TenantScope, texts: Sequence[str]) -> tuple[str, ...]:
        return (await self._bus.request(REDACT, Redact(texts=tuple(texts)), scope)).texts
