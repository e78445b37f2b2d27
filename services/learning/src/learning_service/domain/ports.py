"""What learning needs kept."""

from collections.abc import Mapping
from datetime import date
from typing import Protocol

from contracts.ids import EventId
from runtime.tenancy import TenantScope


class Figures(Protocol):
    """Counters of a business, by day."""

    async def count(self, scope: TenantScope, day: date, facts: Mapping[EventId, Mapping[str, int]]) -> int:
        """Raise the counters that each fact names, unless it was counted before; a counter begins at 0.

        Returns how many facts were new. All of them are counted, or, after an error, none.
        """
        ...

    async def totals(self, scope: TenantScope) -> dict[str, int]:
        """Every counter over all days."""
        ...
