"""The business's figures."""

from contracts.learning import GET_STATS, GetStats, Stats
from learning_service.domain.ports import Figures
from runtime.bus import Bus
from runtime.tenancy import TenantScope


def register(bus: Bus, figures: Figures) -> None:
    """Answer `rpc.learning.get_stats`."""

    async def get_stats(_question: GetStats, scope: TenantScope) -> Stats:
        return Stats(**await figures.totals(scope))

    bus.answer(GET_STATS, get_stats)
