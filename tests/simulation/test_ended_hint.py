"""The stored answer that a gateway is told: it ends the answer without a question, and only for whom it is meant."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import orjson

from contracts import subjects
from contracts.ids import ConversationId, MessageId, TenantId, uuid7
from contracts.inference import Turn
from gateway_service.domain.resume import Progress
from gateway_service.outbound.token_feed import TokenFeed
from runtime.errors import Unavailable
from runtime.tenancy import TenantScope
from tests.simulation.broker import Broker, Connection, Message
from tests.simulation.virtual_time import LoopClock, VirtualTimeLoop

SCOPE = TenantScope(TenantId(uuid7()), "user:test")
CONVERSATION, MESSAGE = ConversationId(uuid7()), MessageId(uuid7())
STOPPED = Turn(
    conversation_id=CONVERSATION,
    message_id=MESSAGE,
    customer_message_id=MessageId(uuid7()),
    state="completed",
    attempt=1,
    is_leased=False,
    finish_reason="stopped",
)


class Client:
    """A socket that keeps what it is given."""

    def __init__(self) -> None:
        self.following = 0
        self.types: list[str] = []

    def push(self, frame: bytes, _answer: str = "") -> None:
        self.types.append(orjson.loads(frame)["type"])


class Away:
    """Inference, which can be asked nothing."""

    async def get(self, _scope: TenantScope, _message_id: MessageId) -> Turn:
        raise Unavailable


def told(tenant_id: TenantId, *, has_begun: bool) -> list[str]:
    """What a client gets when the hint comes on the subject of `tenant_id`."""

    async def hear() -> list[str]:
        client, gateway = Client(), Connection(Broker(random.Random(0), delay_s=0.0), "gateway")
        feed = TokenFeed(gateway, Away(), LoopClock())  # type: ignore[arg-type] # simulated ports
        following = await feed.follow(client, SCOPE, CONVERSATION, MESSAGE, Progress())  # type: ignore[arg-type] # the same
        if has_begun:
            following.begin()
        hint = Message(subjects.control("ended", tenant_id, MESSAGE), STOPPED.dump())
        feed.hear_ended(hint)  # type: ignore[arg-type] # a simulated message
        await asyncio.sleep(1)
        assert client.following == (0 if client.types else 1)
        return client.types

    return run(hear())


def run(work: Coroutine[Any, Any, list[str]]) -> list[str]:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)


def test_a_hint_ends_the_answer_though_nobody_can_be_asked():
    assert told(SCOPE.tenant_id, has_begun=True) == ["message.completed"]


def test_a_hint_before_the_message_was_accepted_is_left_to_the_fact():
    assert told(SCOPE.tenant_id, has_begun=False) == []


def test_a_hint_of_another_tenant_ends_nothing():
    assert told(TenantId(uuid7()), has_begun=True) == []
