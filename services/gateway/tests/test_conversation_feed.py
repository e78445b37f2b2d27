"""What a person writes reaches who is here, though inference is away at first; a broker that goes hurts no socket."""

import asyncio
import gc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from nats.errors import ConnectionClosedError

from contracts.hand_off import GET_MESSAGE, MESSAGE_CREATED, MessageCreated, MessageReply
from contracts.ids import ConversationId, MessageId, UserId, uuid7
from contracts.inference import GET_CONVERSATION, ConversationReply, Message
from gateway_service.outbound import conversation_feed
from gateway_service.outbound.conversation_feed import ConversationFeed
from runtime.errors import NotFound, Unavailable
from runtime.tenancy import TenantScope
from services.gateway.tests.memory import TENANT, MemoryServices
from services.gateway.tests.test_hand_off import conversation
from tests.support.platform import eventually

SCOPE = TenantScope(TENANT, "user:test")
CONVERSATION = ConversationId(uuid7())


class Ears:
    """The bus as far as a feed listens to facts of all businesses: the test says them."""

    def __init__(self) -> None:
        self.handlers: dict[str, Callable[..., Any]] = {}

    async def listen(self, fact: Any, handler: Callable[..., Any]) -> None:
        self.handlers[fact.schema] = handler

    nc = None

    def on_reconnect(self, call: Callable[..., Any]) -> None: ...

    async def settle(self) -> None: ...


class Here:
    """A socket, and the only one."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def push(self, frame: bytes, answer: str = "") -> None:
        self.frames.append(frame)

    def people_of(self, _tenant_id: Any) -> frozenset[Any]:
        return frozenset()


def written(number: int) -> MessageReply:
    return MessageReply(
        message=Message(
            id=MessageId(uuid7()),
            conversation_id=CONVERSATION,
            author="person",
            content=f"words {number}",
            created_at=datetime(2026, 3, 1, tzinfo=UTC),
            person=UserId(uuid7()),
        )
    )


@pytest.mark.parametrize(("away", "told"), [(3, ["words 1", "words 2"]), (None, [])])
async def test_what_a_person_wrote_is_told_once_inference_is_back_and_in_order(monkeypatch, away, told):
    monkeypatch.setattr(conversation_feed, "RETRY_S", 0.01)
    monkeypatch.setattr(conversation_feed, "TELL_WITHIN_S", 5.0 if away else 0.05)
    services, ears, here, asked = MemoryServices(), Ears(), Here(), list[MessageId]()
    replies = {MessageId(uuid7()): written(number) for number in (1, 2)}

    def answer(request: Any) -> MessageReply:
        asked.append(request.message_id)
        if away is None or len(asked) <= away:
            raise Unavailable
        if request.message_id not in replies:
            raise NotFound
        return replies[request.message_id]

    services.tell(GET_MESSAGE, answer)
    feed = ConversationFeed(ears, services, here)
    await feed.start()
    feed.hold(here, SCOPE, CONVERSATION)
    for message_id in replies:
        fact = MessageCreated(conversation_id=CONVERSATION, message_id=message_id, author="person")
        await ears.handlers[MESSAGE_CREATED.schema](fact, SCOPE)
    # each asks at least once; then all is told, or given up
    await eventually(lambda: len(asked) >= (away or 2) + len(told) and len(here.frames) >= len(told), timeout_s=10)
    await asyncio.sleep(0.1)
    assert [next(text for text in ("words 1", "words 2") if text.encode() in frame) for frame in here.frames] == told


class Taps:
    """Subscriptions of a connection that is closed when they are to end; the one with this number never begins."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.fails_at = fails_at
        self.subjects: list[str] = []
        self.ended = 0

    async def tap(self, _connection: Any, subject: str, _hear: Any) -> "Taps":
        self.subjects.append(subject)
        if len(self.subjects) == self.fails_at:
            raise ConnectionClosedError
        return self

    async def unsubscribe(self) -> None:
        self.ended += 1
        raise ConnectionClosedError


@pytest.fixture
def feed() -> ConversationFeed:
    services = MemoryServices()
    services.tell(GET_CONVERSATION, ConversationReply(conversation=conversation("key:x")))
    return ConversationFeed(Ears(), services, Here())


async def test_who_leaves_while_the_broker_is_away_leaves_quietly(monkeypatch, feed):
    taps, here, heard = Taps(), Here(), list[Any]()
    monkeypatch.setattr(conversation_feed, "tap", taps.tap)
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: heard.append(context))
    try:
        await feed.subscribe(here, SCOPE, CONVERSATION)
        feed.unsubscribe(here, SCOPE, CONVERSATION)
        await eventually(lambda: taps.ended == 2 and not feed._tasks)
        gc.collect()
    finally:
        asyncio.get_running_loop().set_exception_handler(None)
    assert heard == []


async def test_who_could_be_told_half_only_is_told_all_the_next_time(monkeypatch, feed):
    taps, here = Taps(fails_at=2), Here()
    monkeypatch.setattr(conversation_feed, "tap", taps.tap)
    with pytest.raises(ConnectionClosedError):
        await feed.subscribe(here, SCOPE, CONVERSATION)
    await eventually(lambda: taps.ended == 1)
    await feed.subscribe(here, SCOPE, CONVERSATION)
    assert len(taps.subjects) == 4
    assert taps.subjects[:2] == taps.subjects[2:]
