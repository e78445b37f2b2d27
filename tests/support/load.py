"""Customers who ask one question after the other while something is broken behind them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from contracts import subjects
from contracts.ids import AgentId, ConversationId, MessageId, TenantId, uuid7
from contracts.inference import TURN_ACCEPTED, TurnAccepted
from runtime.bus import EVENT_ID, MESSAGE_ID, SCHEMA, Bus
from runtime.errors import Retryable
from tests.support.business import Business
from tests.support.chat import Answer, Chat
from tests.support.checker import check_all
from tests.support.stage import Stage

PATIENCE_S = 90.0


@dataclass
class Load:
    """Customers of several businesses, each at a gateway of its own choice."""

    businesses: list[Business]
    chats: list[Chat] = field(default_factory=list)

    @property
    def answers(self) -> list[Answer]:
        return [answer for chat in self.chats for answer in chat.answers]

    @property
    def close_codes(self) -> set[int]:
        """What the gateways closed sockets with; 1000 is our own leaving."""
        return {code for chat in self.chats for code in chat.close_codes} - {1000}

    async def check(self) -> None:
        for business in self.businesses:
            await check_all(business, [a for chat in business.chats for a in chat.answers], timeout_s=60)


@asynccontextmanager
async def customers(stage: Stage, *, businesses: int, chats: int, model: str) -> AsyncIterator[Load]:
    """They ask until the block ends, and then wait for the answers they are owed."""
    load = Load([await stage.business() for _ in range(businesses)])
    for business in load.businesses:
        load.chats += [business.chat(number % len(stage.urls)) for number in range(chats)]
    await asyncio.gather(*(chat.open() for chat in load.chats))
    is_over = asyncio.Event()
    asking = [asyncio.create_task(_ask_on(chat, stage.urls, model, is_over)) for chat in load.chats]
    try:
        yield load
    finally:
        is_over.set()
        ended = await asyncio.gather(*asking, return_exceptions=True)
        await asyncio.gather(*(chat.close() for chat in load.chats))
    for error in ended:
        if error is not None:
            raise error


async def _ask_on(chat: Chat, urls: tuple[str, ...], model: str, is_over: asyncio.Event) -> None:
    conversation: dict[str, str] = {}
    while not is_over.is_set():
        answer = await chat.insist("And?", *urls, model=model, timeout_s=PATIENCE_S, **conversation)
        assert answer.refused is None, answer.refused
        conversation = {"conversation_id": answer.conversation_id}


@dataclass
class Facts:
    """What was published, and how often a publish had to be repeated."""

    published: int = 0
    repeated: int = 0


@asynccontextmanager
async def facts(stage: Stage, business: Business, *, per_second: int) -> AsyncIterator[Facts]:
    """Facts as inference's outbox would publish them: each until the broker says that it has it."""
    bus = Bus("inference", stage.platform.nats_url, stage.platform.seed("inference"))
    await bus.connect()
    told, is_over = Facts(), asyncio.Event()
    publishing = asyncio.create_task(_publish(bus, TenantId(UUID(business.id)), told, is_over, per_second))
    try:
        yield told
    finally:
        is_over.set()
        with contextlib.suppress(asyncio.CancelledError):
            await publishing
        await bus.stop()


async def _publish(bus: Bus, tenant_id: TenantId, told: Facts, is_over: asyncio.Event, per_second: int) -> None:
    begin, running = time.monotonic(), set[asyncio.Task[None]]()
    count = 0
    while not is_over.is_set():
        while count < (time.monotonic() - begin) * per_second:
            count += 1
            running.add(asyncio.create_task(_publish_one(bus, tenant_id, told)))
        running = {task for task in running if not task.done()}
        await asyncio.sleep(0.02)
    await asyncio.gather(*running)


async def _publish_one(bus: Bus, tenant_id: TenantId, told: Facts) -> None:
    conversation_id = ConversationId(uuid7())
    fact = TurnAccepted(
        conversation_id=conversation_id,
        message_id=MessageId(uuid7()),
        customer_message_id=MessageId(uuid7()),
        agent_id=AgentId(uuid7()),
        is_new_conversation=True,
    )
    event_id = str(uuid7())
    headers = {EVENT_ID: event_id, MESSAGE_ID: event_id, SCHEMA: TURN_ACCEPTED.schema}
    subject = subjects.fact(TURN_ACCEPTED, tenant_id, conversation_id)
    while True:
        try:
            await bus.publish(subject, fact.dump(), stream="EVENTS", headers=headers)
        except Retryable:
            told.repeated += 1
            await asyncio.sleep(0.5)
        else:
            told.published += 1
            return
