"""A client that comes back from anywhere: Hypothesis drives the gateway's own chat, feed and sockets in virtual time.

Tokens, attempts, repeats, purges, broken connections, lost sockets and clients that do not read come in any order.
Whatever happens, the screen shows each token of an attempt once, in order, without gap; a higher attempt begins anew;
one end comes, and its text is what is shown.
"""

import asyncio
import random
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any
from uuid import uuid4

import orjson
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contracts import subjects
from contracts.frames import MessageSend, ResumePoint
from contracts.ids import AgentId, TenantId, uuid7
from contracts.inference import AcceptedTurn, AcceptTurn, MessageCompleted, Turn, Usage
from gateway_service.domain.chat import Chat
from gateway_service.domain.limits import LocalCounters, RateLimits
from gateway_service.domain.principal import Principal
from gateway_service.domain.resume import Frame, Progress, TokenRange, Verdict
from gateway_service.domain.upload_turns import UploadTurns
from gateway_service.outbound.conversation_feed import ConversationFeed
from gateway_service.outbound.sockets import Sockets
from gateway_service.outbound.token_feed import TokenFeed
from runtime.errors import LumoraError, Unavailable
from runtime.tenancy import TenantScope
from tests.simulation.broker import Broker, Connection, Message
from tests.simulation.virtual_time import LoopClock, VirtualTimeLoop
from tests.simulation.world import Seen

PRINCIPAL = Principal("api_key", TenantId(uuid7()), uuid7(), scopes=("chat",))
ENOUGH = settings(max_examples=60, stateful_step_count=30, deadline=None)
PLANTED = settings(ENOUGH, max_examples=400, phases=(Phase.generate,), report_multiple_bugs=False)
LONG_S = 120.0


class Screen(Seen):
    """What one client has, and whether it said the truth about it."""

    is_honest = True


class Resuming(RuleBasedStateMachine):
    """One answer, one gateway, one client with a socket at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=VirtualTimeLoop)
        self.broker = Broker(random.Random(0), delay_s=0.05)
        self.said: list[list[str]] = []
        """Tokens of each attempt, from attempt 1 on."""
        self.joints: set[int] = set()
        """Where a frame of the newest attempt ends: what a client may have seen up to."""
        self.is_purged = self.has_come_between = False
        self.state = "running"
        self.screen = Screen()
        self.reading = asyncio.Event()
        self.sending: asyncio.Task[None] | None = None
        self.chat: Chat | None = None

    def live(self, work: Coroutine[Any, Any, Any]) -> None:
        self.runner.run(work)

    # ---- what the gateway asks of others ----------------------------------------------------------------------

    async def accept(self, _scope: TenantScope, request: AcceptTurn) -> AcceptedTurn:
        self.message_id, self.conversation_id = request.message_id, request.conversation_id
        self.subject = subjects.tok(PRINCIPAL.tenant_id, request.conversation_id, request.message_id)
        return AcceptedTurn(
            conversation_id=request.conversation_id,
            message_id=request.message_id,
            customer_message_id=request.customer_message_id,
            is_duplicate=False,
            state="queued",
        )

    async def get(self, _scope: TenantScope, _message_id: object) -> Turn:
        if self.gateway.is_broken:
            raise Unavailable
        return Turn(
            conversation_id=self.conversation_id,
            message_id=self.message_id,
            customer_message_id=self.message_id,
            state=self.state,
            attempt=len(self.said),
            is_leased=self.state == "running",
            content="".join(self.said[-1]) if self.state == "completed" else "",
            usage=Usage(),
            finish_reason="stop" if self.state == "completed" else None,
            error_code=None,
        )

    # ---- the client -------------------------------------------------------------------------------------------

    @initialize()
    def ask(self) -> None:
        async def begin() -> None:
            self.gateway = Connection(self.broker, "gateway")
            self.feed = TokenFeed(self.gateway, self, LoopClock())  # type: ignore[arg-type] # simulated ports
            self.gateway.on_reconnect(self.feed._look_at_all)
            self.gateway.spawn(self.feed.watch())
            chat = await self._connect()
            await chat.ask(MessageSend(client_message_id=uuid4(), content="Hello?"))

        self.live(begin())

    async def _connect(self) -> Chat:
        screen = self.screen
        self.reading = reading = asyncio.Event()
        reading.set()

        async def receive(event: dict[str, Any]) -> None:
            await reading.wait()
            if event["type"] == "websocket.send" and self.screen is screen:
                screen.take(orjson.loads(event["text"]))

        self.client = Sockets().open(receive)
        self.sending = asyncio.create_task(self.client.run())
        limits = RateLimits(LocalCounters(), LoopClock(), limit=100)
        turns: Any = self  # the machine plays inference, as far as a chat asks it
        nobody: Any = None
        conversations = ConversationFeed(nobody, nobody, nobody)  # nothing happens in them here
        return Chat(
            self.client,
            PRINCIPAL,
            turns=turns,
            answers=self.feed,
            conversations=conversations,
            limits=limits,
            uploads=UploadTurns(LoopClock()),
        )

    @precondition(lambda self: self.sending is not None)
    @rule()
    def lose_socket(self) -> None:
        """What was queued for it and not sent is lost."""
        self.live(self._leave())

    async def _leave(self) -> None:
        assert self.sending is not None
        self.feed.leave_all(self.client)
        self.sending.cancel()
        await asyncio.gather(self.sending, return_exceptions=True)
        self.sending = None

    @precondition(lambda self: self.sending is None and not self.screen.ends)
    @rule(claim=st.sampled_from(("what it has", "less", "no attempt", "an older one", "the future")), data=st.data())
    def come_back(self, claim: str, data: st.DataObject) -> None:
        screen = Screen() if not self.screen.is_honest else self.screen
        attempt: int | None = screen.attempt or None
        after_seq = screen.next_seq - 1
        if claim == "less" and attempt is not None and attempt == len(self.said):
            after_seq = data.draw(st.sampled_from(sorted({-1, *(seq for seq in self.joints if seq <= after_seq)})))
        elif claim == "no attempt":
            attempt, after_seq = None, data.draw(st.integers(-1, 9))
        elif claim == "an older one" and len(self.said) > 1:
            attempt = data.draw(st.integers(1, len(self.said) - 1))
            after_seq = len(self.said[attempt - 1]) - 1
        elif claim == "the future":
            attempt = len(self.said) + data.draw(st.integers(0, 2))
            after_seq = 5_000
        self._come_with(attempt, after_seq)

    def _come_with(self, attempt: int | None, after_seq: int) -> None:
        """The screen is what the client says that it has."""
        ends, self.screen = self.screen.ends, Screen()
        self.screen.ends = ends
        if attempt and after_seq >= 0:
            known = self.said[attempt - 1] if attempt <= len(self.said) else []
            self.screen.is_honest = after_seq < len(known)
            self.has_come_between = True
            self.screen.attempt, self.screen.next_seq = attempt, after_seq + 1
            self.screen.text = "".join(known[: after_seq + 1])
        point = ResumePoint(
            conversation_id=self.conversation_id,
            message_id=self.message_id,
            attempt=attempt or None,
            after_seq=after_seq,
        )

        async def resume() -> None:
            chat = await self._connect()
            try:
                await chat.resume(point)
            except LumoraError:
                await self._leave()  # told so, and it comes back later

        self.live(resume())

    @precondition(lambda self: self.sending is not None)
    @rule()
    def stop_reading(self) -> None:
        self.reading.clear()

    @precondition(lambda self: not self.reading.is_set())
    @rule()
    def read_again(self) -> None:
        self.live(self._read_again())

    async def _read_again(self) -> None:
        self.reading.set()

    # ---- the filter -------------------------------------------------------------------------------------------

    @precondition(lambda self: self.state == "running")
    @rule()
    def start_attempt(self) -> None:
        self.said.append([])
        self.joints, self.is_purged = set(), False
        self._say({"type": "message.started", "attempt": len(self.said)})

    @precondition(lambda self: self.state == "running" and self.said)
    @rule(
        count=st.sampled_from((1, 2, 3, 5, 300)), is_joined=st.booleans(), is_heard=st.sampled_from((True, True, False))
    )
    def say_tokens(self, count: int, *, is_joined: bool, is_heard: bool) -> None:
        first = len(self.said[-1])
        self.said[-1] += [f"w{first + number} " for number in range(count)]
        if is_joined:
            self._say(self._token(first, first + count - 1), is_heard=is_heard)
            self.joints.add(first + count - 1)
            return
        for seq in range(first, first + count):
            self._say(self._token(seq, seq), is_heard=is_heard)
            self.joints.add(seq)

    @precondition(lambda self: self.state == "running" and self.said and self.said[-1])
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        """Another filter replica takes over: it says again, one by one, from where it was told to."""
        first = data.draw(st.integers(max(0, len(self.said[-1]) - 9), len(self.said[-1]) - 1))
        for seq in range(first, len(self.said[-1])):
            self._say(self._token(seq, seq))

    @precondition(lambda self: self.broker.kept)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        kept = self.broker.kept[self.subject]
        if kept:
            self._arrive(data.draw(st.sampled_from(kept[-20:])))

    @precondition(lambda self: self.state == "running" and self.said)
    @rule(told=st.sampled_from(("nothing", "by the fact", "by the hint", "by both")))
    def end(self, told: str) -> None:
        self._say({"type": "end", "attempt": len(self.said), "last_seq": len(self.said[-1]) - 1})
        self.state = "completed"
        fact = MessageCompleted(
            conversation_id=self.conversation_id,
            message_id=self.message_id,
            agent_id=AgentId(uuid7()),
            attempt=len(self.said),
            finish_reason="stop",
            prompt_tokens=0,
            completion_tokens=0,
        )
        if self.gateway.is_broken:
            return
        if told in {"by the hint", "by both"}:
            self.live(self._hint())
        if told in {"by the fact", "by both"}:
            self.live(self.feed._on_ended(fact, PRINCIPAL.scope))

    async def _hint(self) -> None:
        stored = await self.get(PRINCIPAL.scope, self.message_id)
        hint = Message(subjects.control("ended", PRINCIPAL.tenant_id, self.message_id), stored.dump())
        self.feed.hear_ended(hint)  # type: ignore[arg-type] # a simulated message

    def _token(self, first: int, last: int) -> dict[str, Any]:
        head = {"type": "token", "message_id": str(self.message_id), "attempt": len(self.said)}
        span = {"seq": last} if first == last else {"from_seq": first, "seq": last}
        return {**head, **span, "text": "".join(self.said[-1][first : last + 1])}

    def _say(self, frame: dict[str, Any], *, is_heard: bool = True) -> None:
        data = orjson.dumps(frame)
        if is_heard:
            self._arrive(data)
        else:
            self.broker.kept[self.subject].append(data)

    def _arrive(self, data: bytes) -> None:
        async def arrive() -> None:
            self.broker.arrive(Message(self.subject, data), "")

        self.live(arrive())

    # ---- the world --------------------------------------------------------------------------------------------

    @precondition(lambda self: self.broker.kept)
    @rule(data=st.data())
    def purge_some_history(self, data: st.DataObject) -> None:
        kept = self.broker.kept[self.subject]
        count = data.draw(st.integers(0, len(kept)))
        self.is_purged |= any(orjson.loads(frame)["attempt"] == len(self.said) for frame in kept[:count])
        del kept[:count]

    @precondition(lambda self: not self.gateway.is_broken)
    @rule(seconds=st.sampled_from((0.1, 1.0, 4.0)))
    def break_connection(self, seconds: float) -> None:
        async def begin() -> None:
            self.gateway.spawn(self.gateway.break_for(seconds))
            await asyncio.sleep(0)

        self.live(begin())

    @rule(seconds=st.sampled_from((0.01, 0.1, 1.0, 15.0)))
    def wait(self, seconds: float) -> None:
        self.live(asyncio.sleep(seconds))

    @invariant()
    def shows_each_token_once_in_order(self) -> None:
        assert self.screen.faults == []
        assert len(self.screen.ends) <= 1
        if self.screen.is_honest and self.screen.attempt:
            shown = "".join(self.said[self.screen.attempt - 1][: self.screen.next_seq])
            assert self.screen.text == shown

    def teardown(self) -> None:
        try:
            if self.sending is not None or self.said:
                self._come_to_an_end()
        finally:
            with suppress(Exception):
                self.live(self._leave())
            self.runner.close()

    def _come_to_an_end(self) -> None:
        if not self.said:
            self.start_attempt()
        if self.state == "running":
            self.end("by the fact")
        self.live(self._read_again())
        self.wait(LONG_S)
        if not self.screen.ends:
            if self.sending is not None:
                self.lose_socket()
            self._come_with(self.screen.attempt or None, self.screen.next_seq - 1)
            self.wait(LONG_S)
        self.shows_each_token_once_in_order()
        (end,) = self.screen.ends
        assert end["content"] == "".join(self.said[-1])
        # Who came back in the middle needs the history; everybody else has the whole text, whatever is lost.
        if self.screen.is_honest and not (self.is_purged and self.has_come_between):
            assert self.screen.text == end["content"]


def test_whatever_happens_each_token_is_shown_once_and_the_answer_ends_once():
    run_state_machine_as_test(Resuming, settings=ENOUGH)


def test_finds_a_gateway_that_shows_again_what_is_covered(monkeypatch: pytest.MonkeyPatch):
    """Finds: a token that history and live both bring is sent twice."""
    honest = Progress.take

    def careless(self: Progress, frame: Frame) -> Verdict:
        verdict = honest(self, frame)
        is_covered = isinstance(frame, TokenRange) and frame.attempt == self.attempt and verdict is Verdict.DROP
        return Verdict.SEND if is_covered else verdict

    monkeypatch.setattr(Progress, "take", careless)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Resuming, settings=PLANTED)
