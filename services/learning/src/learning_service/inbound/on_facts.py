"""Facts of the other services, each counted once however often it is delivered."""

from collections.abc import Sequence

from contracts.auth import BUSINESS_REGISTERED
from contracts.inference import MESSAGE_COMPLETED, MESSAGE_FAILED, TURN_ACCEPTED
from contracts.ingest import DOCUMENT_DELETED
from learning_service.domain.count import count_all
from learning_service.domain.ports import Figures
from runtime.bus import Bus
from runtime.clock import Clock
from runtime.db import Database
from runtime.fact_batches import FactBatches, FactsHandler, Said, consume_facts
from runtime.tenancy import TenantScope

CONSUMER = "learning"
COUNTED = (BUSINESS_REGISTERED, TURN_ACCEPTED, MESSAGE_COMPLETED, MESSAGE_FAILED, DOCUMENT_DELETED)


def register(bus: Bus, database: Database, figures: Figures, clock: Clock) -> FactBatches:
    """Count what the durable brings."""
    return consume_facts(bus, COUNTED, counting(database, figures, clock))


def counting(database: Database, figures: Figures, clock: Clock) -> FactsHandler:
    """Inbox rows and counters in one transaction: a redelivered fact finds its row and changes nothing."""

    async def on_facts(batch: Sequence[Said], scope: TenantScope) -> None:
        facts = {said.event_id: said.fact for said in batch}
        async with database.tenant_tx(scope) as tx:
            first = await tx.first_times(CONSUMER, facts)
            if first:
                await figures.add(scope, clock.now().date(), count_all(facts[event_id] for event_id in first))

    return on_facts
