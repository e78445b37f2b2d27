"""Facts of the other services, each counted once however often it is delivered."""

from contracts.auth import BUSINESS_REGISTERED
from contracts.base import Event
from contracts.ids import EventId
from contracts.inference import MESSAGE_COMPLETED, MESSAGE_FAILED, TURN_ACCEPTED
from contracts.ingest import DOCUMENT_DELETED
from learning_service.domain.count import count
from learning_service.domain.ports import Figures
from runtime.bus import Bus
from runtime.clock import Clock
from runtime.consume import Consumption, consume_facts
from runtime.db import Database
from runtime.tenancy import TenantScope

CONSUMER = "learning"
COUNTED = (BUSINESS_REGISTERED, TURN_ACCEPTED, MESSAGE_COMPLETED, MESSAGE_FAILED, DOCUMENT_DELETED)


def register(bus: Bus, database: Database, figures: Figures, clock: Clock) -> Consumption:
    """Inbox row and counters in one transaction: a redelivered fact finds its row and changes nothing."""

    async def on_fact(fact: Event, scope: TenantScope, event_id: EventId) -> None:
        async with database.tenant_tx(scope) as tx:
            if await tx.first_time(CONSUMER, event_id):
                await figures.add(scope, clock.now().date(), count(fact))

    return consume_facts(bus, dict.fromkeys(COUNTED, on_fact))
