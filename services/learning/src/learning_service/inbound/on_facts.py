"""Facts of the other services, each counted once however often it is delivered."""

from collections.abc import Sequence

from contracts.auth import BUSINESS_REGISTERED
from contracts.inference import MESSAGE_COMPLETED, MESSAGE_FAILED, TURN_ACCEPTED
from contracts.ingest import DOCUMENT_DELETED
from learning_service.domain.count import count
from learning_service.domain.ports import Figures
from runtime.bus import Bus
from runtime.clock import Clock
from runtime.fact_batches import FactBatches, FactsHandler, Said, consume_facts
from runtime.tenancy import TenantScope

COUNTED = (BUSINESS_REGISTERED, TURN_ACCEPTED, MESSAGE_COMPLETED, MESSAGE_FAILED, DOCUMENT_DELETED)


def register(bus: Bus, figures: Figures, clock: Clock) -> FactBatches:
    """Count what the durable brings."""
    return consume_facts(bus, COUNTED, counting(figures, clock))


def counting(figures: Figures, clock: Clock) -> FactsHandler:
    """A redelivered fact was counted before, and changes nothing."""

    async def on_facts(batch: Sequence[Said], scope: TenantScope) -> None:
        await figures.count(scope, clock.now().date(), {said.event_id: count(said.fact) for said in batch})

    return on_facts
