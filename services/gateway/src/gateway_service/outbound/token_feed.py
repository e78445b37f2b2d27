"""The answers that clients follow here: each its own subject, live first, history only where something is missing."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from prometheus_client import Counter

from contracts import subjects
from contracts.frames import MessageBlocked, MessageCompletedFrame, MessageFailedFrame
from contracts.ids import ConversationId, MessageId
from contracts.inference import MESSAGE_COMPLETED, MESSAGE_FAILED, MessageCompleted, MessageFailed, Turn
from contracts.tokens import ENDED_HINT
from gateway_service.domain.chat_ports import Client, Turns
from gateway_service.domain.resume import Progress, TokenRange, Verdict
from gateway_service.outbound.token_frames import read_frame, rest_of
from gateway_service.outbound.token_history import read_history
from runtime import logs
from runtime.bus import Bus
from runtime.clock import Clock
from runtime.errors import LumoraError
from runtime.tenancy import TenantScope
from runtime.token_tap import tap

SILENCE_S = 12.0
"""No token for this long: inference is asked how the turn stands."""
LOOK_S = 1.0
RETRY_S = 2.0
RESUMABLE = timedelta(minutes=10)
END_PATIENCE_S = 1.0
"""The stored answer may be known a moment before its last tokens have come through."""
BLOCKED_TEXT = "I cannot answer that here."

FILLED = Counter("gateway_answers_filled_total", "Answers whose last tokens were made of the stored text.")

_log = logs.get_logger()


class Following:
    """One answer for one client."""

    def __init__(
        self, feed: "TokenFeed", client: Client, scope: TenantScope, message_id: MessageId, progress: Progress
    ) -> None:
        self._feed = feed
        self.client = client
        self.scope = scope
        self.message_id = message_id
        self.progress = progress
        self.due_s = 0.0
        """When inference is to be asked, on the loop's clock."""
        self.subject = ""
        self.subscription: Subscription | None = None
        self.is_ended = False
        self.is_finishing = False
        self.has_begun = False
        """The client knows of the answer: what comes of it may be sent."""
        self.over = asyncio.Event()
        self._held: list[bytes] | None = []
        self._key = str(message_id)

    def begin(self) -> None:
        self.has_begun = True
        self.release()

    async def catch_up(self) -> None:
        self.has_begun = True
        await self._feed.catch_up(self)

    def leave(self) -> None:
        self._feed.leave(self)

    def hear(self, message: Msg) -> None:
        """A live frame."""
        self.due_s = asyncio.get_running_loop().time() + SILENCE_S
        if self._held is not None:
            self._held.append(message.data)
        elif not self.take(message.data):
            self.hold()
            self._feed.repair(self)

    def hold(self) -> None:
        """Keep live frames back until `release`."""
        if self._held is None:
            self._held = []

    def release(self) -> None:
        """Live frames from now on, after those that were kept back."""
        held, self._held = self._held or [], None
        for data in held:
            self.take(data)

    def take(self, data: bytes) -> bool:
        """Hand a frame on if it is the next one; False when something before it is missing."""
        if self.is_ended:
            return True  # a reading of the history may still be under way when the client has all it gets
        frame = read_frame(data)
        verdict = self.progress.take(frame)
        if verdict is Verdict.SEND:
            is_token = isinstance(frame, TokenRange)
            self.client.push(data, f"{self._key}:{frame.attempt}" if is_token else "")
        if self.progress.is_over:
            self.over.set()
        else:
            self.over.clear()
        return verdict is not Verdict.GAP


class TokenFeed:
    """Follows answers for clients, and ends each with exactly one of completed, blocked, failed."""

    def __init__(self, bus: Bus, turns: Turns, clock: Clock) -> None:
        self._bus = bus
        self._turns = turns
        self._clock = clock
        self._followings: defaultdict[UUID, list[Following]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Hear how answers end: by the stored answer itself, or by the fact that makes us ask for it."""
        await tap(self._bus.nc, subjects.control_filter(ENDED_HINT.name), self.hear_ended)
        await self._bus.listen(MESSAGE_COMPLETED, self._on_ended)
        await self._bus.listen(MESSAGE_FAILED, self._on_ended)
        self._bus.on_reconnect(self._look_at_all)

    async def watch(self) -> None:
        """Ask about answers that have been silent. Runs until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            now = asyncio.get_running_loop().time()
            for following in self._all():
                if following.has_begun and following.due_s <= now and not following.is_finishing:
                    following.due_s = now + SILENCE_S
                    self._spawn(self._finish(following))

    async def follow(
        self,
        client: Client,
        scope: TenantScope,
        conversation_id: ConversationId,
        message_id: MessageId,
        progress: Progress,
    ) -> Following:
        """Subscribe before anything can be said; frames are kept back until `begin` or `catch_up`.

        A client that follows this answer already starts anew: two followings would send it every token twice.
        """
        for earlier in tuple(self._followings.get(message_id, ())):
            if earlier.client is client:
                self.leave(earlier)
        following = Following(self, client, scope, message_id, progress)
        following.subject = subjects.tok(scope.tenant_id, conversation_id, message_id)
        following.due_s = asyncio.get_running_loop().time() + SILENCE_S
        following.subscription = await tap(self._bus.nc, following.subject, following.hear)
        client.following += 1
        self._followings[message_id].append(following)
        return following

    async def catch_up(self, following: Following) -> None:
        """The answer may be running or over already: what was missed first.

        Raises:
            NotFound: this business has no such answer.
            Unavailable: it cannot be found out now.
        """
        turn = await self._turns.get(following.scope, following.message_id)
        if turn.state in {"completed", "failed"}:
            await self._conclude(following, turn)
            return
        # The subscription has reached the server before the history is read, so nothing falls between the two.
        await self._bus.settle()
        await self._repair(following)

    def leave(self, following: Following) -> None:
        """Nobody follows any more."""
        if following.is_ended:
            return
        following.is_ended = True
        following.client.following -= 1
        others = self._followings[following.message_id]
        others.remove(following)
        if not others:
            del self._followings[following.message_id]
        if following.subscription is not None:
            self._spawn(_unsubscribe(following.subscription))

    def leave_all(self, client: Client) -> None:
        """The client is gone."""
        for following in self._all():
            if following.client is client:
                self.leave(following)

    # ---- the end ----------------------------------------------------------------------------------------------

    def hear_ended(self, message: Msg) -> None:
        """A stored answer; most are followed elsewhere and not even read."""
        _, _, tenant, key = message.subject.split(".")
        followings = self._followings.get(UUID(key), ())
        listening = [following for following in followings if str(following.scope.tenant_id) == tenant]
        if listening:
            self._ended(listening, Turn.read(message.data))

    async def _on_ended(self, fact: MessageCompleted | MessageFailed, _scope: TenantScope) -> None:
        self._ended(self._followings.get(fact.message_id, ()))

    def _ended(self, followings: Sequence[Following], told: Turn | None = None) -> None:
        """Before `message.accepted` it is too early: then inference is asked soon after."""
        for following in followings:
            if following.has_begun:
                self._spawn(self._finish(following, told))
            else:
                following.due_s = 0.0

    async def _finish(self, following: Following, told: Turn | None = None) -> None:
        """Ask how the turn stands, unless we were told; if it ended, so does the following."""
        if following.is_finishing or following.is_ended:
            return
        following.is_finishing = True
        try:
            turn = told or await self._turns.get(following.scope, following.message_id)
            if turn.state in {"completed", "failed"}:
                await self._conclude(following, turn)
            elif not following.progress.attempt or turn.attempt > following.progress.attempt:
                await self._repair(following)
        except LumoraError as error:
            _log.warning("answer.unknown", code=error.code)
            following.due_s = asyncio.get_running_loop().time() + RETRY_S
        finally:
            following.is_finishing = False

    async def _conclude(self, following: Following, turn: Turn) -> None:
        if following.is_ended:
            return
        # Without a text there is nothing to see, unless an older attempt's is still on the screen.
        has_more = bool(turn.content) or following.progress.attempt not in {0, turn.attempt}
        is_resumable = turn.state == "completed" and has_more and self._is_resumable(turn)
        if is_resumable and not await self._see_the_end(following, turn):
            following.due_s = asyncio.get_running_loop().time() + RETRY_S
        elif not following.is_ended:
            following.client.push(last_frame(turn))
            self.leave(following)

    async def _see_the_end(self, following: Following, turn: Turn) -> bool:
        """All tokens before the stored answer: the last ones may still be under way, or must be read back.

        False when they cannot be read back now. What even the history does not hold (the broker keeps tokens in memory
        for a moment, and not for ever) is made of the stored answer: its text is exactly the tokens joined.
        """
        progress = following.progress
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_PATIENCE_S if progress.attempt == turn.attempt else 0):
                await following.over.wait()
        if progress.attempt == turn.attempt and progress.is_over:
            return True
        if not await self._repair(following):
            return False
        if not (progress.attempt == turn.attempt and progress.is_over):
            self._fill(following, rest_of(turn, progress))
        return True

    def _fill(self, following: Following, missing: list[bytes]) -> None:
        if missing and not following.is_ended:
            FILLED.inc()
            _log.warning(
                "answer.filled", message_id=str(following.message_id), seen_seq=following.progress.next_seq - 1
            )
        for frame in missing:
            following.take(frame)

    def _is_resumable(self, turn: Turn) -> bool:
        return turn.ended_at is None or self._clock.now() - turn.ended_at < RESUMABLE

    # ---- what is missing --------------------------------------------------------------------------------------

    def repair(self, following: Following) -> None:
        """Something is missing: read it back, in the background."""
        self._spawn(self._repair_quietly(following))

    async def _repair_quietly(self, following: Following) -> None:
        await self._repair(following)

    async def _repair(self, following: Following) -> bool:
        """Read the history again, then go on live; False when it could not be read."""
        following.hold()
        try:
            for data in await read_history(self._bus, following.subject):
                following.take(data)
        except LumoraError as error:
            _log.warning("history.away", code=error.code)
            following.due_s = asyncio.get_running_loop().time() + RETRY_S
            return False
        finally:
            following.release()
        return True

    async def _look_at_all(self) -> None:
        """The connection was away: anything may have been missed."""
        for following in self._all():
            self.repair(following)
            following.due_s = asyncio.get_running_loop().time() + LOOK_S

    def _all(self) -> list[Following]:
        return [following for group in self._followings.values() for following in group]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _unsubscribe(subscription: Subscription) -> None:
    # Gone with the connection, or closed already: either way there is nothing left to unsubscribe.
    with contextlib.suppress(Exception):
        await subscription.unsubscribe()


def last_frame(turn: Turn) -> bytes:
    """How an ended turn is told to a client."""
    if turn.state == "failed":
        return MessageFailedFrame(
            message_id=turn.message_id, code=turn.error_code or "internal", retryable=turn.is_retryable
        ).dump()
    if turn.finish_reason == "blocked" and not turn.content:
        return MessageBlocked(message_id=turn.message_id, categories=turn.categories, text=BLOCKED_TEXT).dump()
    return MessageCompletedFrame(
        conversation_id=turn.conversation_id,
        message_id=turn.message_id,
        content=turn.content,
        usage=turn.usage,
        confidence=turn.confidence,
        sources=turn.sources,
        finish_reason=turn.finish_reason or "stop",
    ).dump()
