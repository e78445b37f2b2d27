"""Learning's own handler of facts on a durable that the test has for itself, and facts to send it."""

from collections.abc import Sequence

from contracts import subjects
from contracts.ids import AgentId, ConversationId, EventId, MessageId, uuid7
from contracts.inference import MESSAGE_COMPLETED, MessageCompleted
from learning_service.inbound.on_facts import COUNTED, counting
from learning_service.outbound.postgres_figures import PostgresFigures
from runtime.bus import EVENT_ID, MESSAGE_ID, SCHEMA, Bus
from runtime.clock import SystemClock
from runtime.db import Database
from runtime.fact_batches import FactBatches, FactsHandler, Said, consume_facts
from runtime.tenancy import TenantScope
from tests.support.probe import Streams

DURABLE = ("EVENTS", "learning")


async def _nothing(_batch: Sequence[Said], _scope: TenantScope) -> None:
    return


def hear_facts(
    bus: Bus, database: Database, *, before: FactsHandler = _nothing, after: FactsHandler = _nothing
) -> FactBatches:
    """Count as learning does, with something happening `before` or `after` the commit of a group."""
    count = counting(PostgresFigures(database), SystemClock())

    async def handle(batch: Sequence[Said], scope: TenantScope) -> None:
        await before(batch, scope)
        await count(batch, scope)
        await after(batch, scope)

    return consume_facts(bus, COUNTED, handle)


async def has_nobody(streams: Streams) -> bool:
    """Whether no process asks for facts: a learning that was stopped has its last question open for some seconds."""
    return not (await streams.consumer(*DURABLE)).num_waiting


async def send_fact(
    bus: Bus, scope: TenantScope, *, body: bytes | None = None, event_id: EventId | None = None
) -> EventId:
    """An answer of 7 and 3 tokens was completed; returns the fact's event id."""
    fact = MessageCompleted(
        conversation_id=ConversationId(uuid7()),
        message_id=MessageId(uuid7()),
        agent_id=AgentId(uuid7()),
        attempt=1,
        finish_reason="stop",
        prompt_tokens=7,
        completion_tokens=3,
    )
    sent = event_id or EventId(uuid7())
    headers = {EVENT_ID: str(sent), MESSAGE_ID: str(uuid7()), SCHEMA: MESSAGE_COMPLETED.schema}
    subject = subjects.fact(MESSAGE_COMPLETED, scope.tenant_id, fact.conversation_id)
    await bus.publish(subject, fact.dump() if body is None else body, stream="EVENTS", headers=headers)
    return sent
