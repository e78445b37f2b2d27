"""The last tokens of an answer whose end is known already: late, lost on the way, or lost with the broker's memory."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from contracts import subjects
from contracts.frames import MessageStarted
from contracts.ids import AgentId, ConversationId, MessageId, TenantId, uuid7
from contracts.inference import MessageCompleted, Turn
from gateway_service.domain.resume import Progress
from gateway_service.outbound.sockets import Sockets
from gateway_service.outbound.token_feed import Following, TokenFeed
from runtime.tenancy import TenantScope
from tests.simulation.broker import Broker, Connection, Message
from tests.simulation.virtual_time import LoopClock, run
from tests.simulation.world import Seen

SCOPE = TenantScope(TenantId(uuid7()), "user:test")
CONVERSATION, MESSAGE = ConversationId(uuid7()), MessageId(uuid7())
SUBJECT = subjects.tok(SCOPE.tenant_id, CONVERSATION, MESSAGE)
WORDS = ['He said "no"', " \\ ", "gr\u00fcn\n", "\U0001f33f\u2028", "\x07", " end."]
STORED = Turn(
    conversation_id=CONVERSATION,
    message_id=MESSAGE,
    customer_message_id=MessageId(uuid7()),
    state="completed",
    attempt=1,
    is_leased=False,
    content="".join(WORDS),
    finish_reason="stop",
    model="ollama/simulated",
)


class World:
    """One gateway, one client; what is said may be missed live, and may be missing in TOKENS."""

    def __init__(self) -> None:
        self.broker = Broker(random.Random(0), delay_s=0.01)
        self.gateway = Connection(self.broker, "gateway")
        self.stored = STORED
        self.feed = TokenFeed(self.gateway, self, LoopClock())  # type: ignore[arg-type] # simulated ports
        self.gateway.spawn(self.feed.watch())
        self.seen = Seen()

    async def get(self, _scope: TenantScope, _message_id: MessageId) -> Turn:
        return self.stored

    async def follow(self, progress: Progress) -> Following:
        async def receive(event: dict[str, Any]) -> None:
            self.seen.take(orjson.loads(event["text"]))

        socket = Sockets().open(receive)
        self.gateway.spawn(socket.run())
        return await self.feed.follow(socket, SCOPE, CONVERSATION, MESSAGE, progress)

    def say(self, frame: dict[str, Any], *, is_heard: bool = True, is_kept: bool = True) -> None:
        data = orjson.dumps(frame)
        if is_heard:
            self.broker.arrive(Message(SUBJECT, data), "")
            if not is_kept:
                self.broker.kept[SUBJECT].pop()
        elif is_kept:
            self.broker.kept[SUBJECT].append(data)

    def token(self, seq: int, attempt: int = 1, **fate: bool) -> None:
        head = {"type": "token", "message_id": str(MESSAGE), "attempt": attempt}
        self.say({**head, "seq": seq, "text": WORDS[seq]}, **fate)

    def start(self, attempt: int = 1, **fate: bool) -> None:
        frame = MessageStarted(
            conversation_id=CONVERSATION, message_id=MESSAGE, attempt=attempt, model="ollama/simulated", sources=()
        )
        self.say(orjson.loads(frame.dump()), **fate)

    def end(self, attempt: int = 1, **fate: bool) -> None:
        self.say({"type": "end", "attempt": attempt, "last_seq": len(WORDS) - 1}, **fate)

    def hint(self) -> None:
        message = Message(subjects.control("ended", SCOPE.tenant_id, MESSAGE), self.stored.dump())
        self.feed.hear_ended(message)  # type: ignore[arg-type] # a simulated message

    def assert_whole(self) -> None:
        assert self.seen.faults == []
        assert [end["type"] for end in self.seen.ends] == ["message.completed"]
        assert (self.seen.text, self.seen.ends[0]["content"]) == (STORED.content, STORED.content)


Fate = dict[str, bool]
LOST: Fate = {"is_heard": False, "is_kept": False}
MISSED: Fate = {"is_heard": False}


async def live(happen: Callable[[World], Awaitable[None]], progress: Progress | None = None) -> World:
    world = World()
    following = await world.follow(progress or Progress())
    following.begin()
    await happen(world)
    await asyncio.sleep(30)
    return world


@pytest.mark.parametrize("fate", [MISSED, LOST], ids=["missed", "lost"])
@pytest.mark.parametrize("heard", range(len(WORDS) + 1))
def test_a_client_has_all_tokens_before_the_stored_answer(heard: int, fate: Fate):
    async def happen(world: World) -> None:
        world.start()
        for seq in range(len(WORDS)):
            world.token(seq, **({} if seq < heard else fate))
        world.end(**fate)
        await asyncio.sleep(0.1)
        world.hint()

    run(live(happen)).assert_whole()


def test_nothing_of_the_answer_was_heard_or_kept():
    async def happen(world: World) -> None:
        world.hint()

    run(live(happen)).assert_whole()


def test_an_attempt_that_was_lost_whole_replaces_the_one_on_the_screen():
    async def happen(world: World) -> None:
        world.start()
        world.token(0)
        world.stored = STORED.model_copy(update={"attempt": 2})
        await asyncio.sleep(0.1)
        world.hint()

    world = run(live(happen))
    world.assert_whole()
    assert world.seen.attempt == 2


def test_a_client_that_comes_back_gets_what_was_lost_if_the_history_tells_what_it_has():
    async def happen() -> World:
        world = World()
        world.start()
        for seq in range(3):
            world.token(seq)
        world.seen.attempt, world.seen.next_seq, world.seen.text = 1, 2, "".join(WORDS[:2])
        await (await world.follow(Progress(1, 1))).catch_up()
        await asyncio.sleep(30)
        return world

    run(happen()).assert_whole()


def test_a_client_that_comes_back_to_nothing_gets_the_stored_answer():
    async def happen() -> World:
        world = World()
        world.seen.attempt, world.seen.next_seq = 1, 2
        await (await world.follow(Progress(1, 1))).catch_up()
        await asyncio.sleep(30)
        return world

    seen = run(happen()).seen
    assert (seen.faults, [end["content"] for end in seen.ends]) == ([], [STORED.content])


@pytest.mark.parametrize("is_hinted", [True, False], ids=["hint", "fact"])
def test_an_end_before_the_message_was_accepted_waits_for_that(*, is_hinted: bool):
    fact = MessageCompleted(
        conversation_id=CONVERSATION,
        message_id=MESSAGE,
        agent_id=AgentId(uuid7()),
        attempt=1,
        finish_reason="stop",
        prompt_tokens=0,
        completion_tokens=0,
    )

    async def happen() -> World:
        world = World()
        following = await world.follow(Progress())
        world.start()
        for seq in range(len(WORDS)):
            world.token(seq)
        world.end()
        await asyncio.sleep(0.1)
        if is_hinted:
            world.hint()
        else:
            await world.feed._on_ended(fact, SCOPE)
        await asyncio.sleep(3)
        assert (world.seen.attempt, world.seen.ends) == (0, [])
        following.begin()
        await asyncio.sleep(3)
        return world

    run(happen()).assert_whole()
