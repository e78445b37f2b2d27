"""What learning needs kept."""

from collections.abc import Mapping
from datetime import date
from typing import Protocol

from runtime.tenancy import TenantScope


class Figures(Protocol):
    """Counters of a business, by day."""

    async def add(self, scope: TenantScope, day: date, amounts: Mapping[str, int]) -> None:
        """Raise the named counters; a counter begins at 0."""
        ...

    async def totals(self, scope: TenantScope) -> dict[str, int]:
        """Every counter over all days."""
        ...
