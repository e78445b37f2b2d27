"""A worker's view of the filter: opens a stream, sends raw pieces, collects what is published for the readers."""

from collections.abc import Sequence
from typing import Any, Self

import orjson
from nats.aio.msg import Msg

from contracts import filter as channels
from contracts import subjects
from contracts.base import Contract
from contracts.frames import MessageStarted, Token
from contracts.ids import ConversationId, MessageId, uuid7
from contracts.tokens import RawEnd, RawStart, RawTokens, StreamEnd
from runtime.bus import Bus
from runtime.tenancy import TenantScope

FRAMES: dict[str, type[Contract]] = {"message.started": MessageStarted, "token": Token, "end": StreamEnd}


class FilteredAnswer:
    """One attempt at an answer, as a worker sends it and readers hear it. Use as a context."""

    def __init__(self, bus: Bus, scope: TenantScope, *, attempt: int = 1) -> None:
        self._bus = bus
        self._scope = scope
        self.attempt = attempt
        self.conversation_id = ConversationId(uuid7())
        self.message_id = MessageId(uuid7())
        self.frames: list[Any] = []
        self.bytes: list[bytes] = []
        self.pieces: list[str] = []
        self.opened = channels.StreamOpened(subject="", policy_version=-1, window=0)

    async def __aenter__(self) -> Self:
        subject = subjects.tok(self._scope.tenant_id, self.conversation_id, self.message_id)
        self._receipts = await self._bus.nc.subscribe(subject, cb=self._heard)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._receipts.unsubscribe()

    async def _heard(self, message: Msg) -> None:
        self.bytes.append(message.data)
        kind = orjson.loads(message.data)["type"]
        self.frames.append(FRAMES[kind].read(message.data))

    async def open(self, *, seen_seq: int = -1, policy_version: int | None = None, question: str | None = None) -> None:
        """Ask any replica, and say who begins."""
        order = channels.OpenStream(
            conversation_id=self.conversation_id,
            message_id=self.message_id,
            attempt=self.attempt,
            seen_seq=seen_seq,
            policy_version=policy_version,
            question=question,
        )
        self.opened = await self._bus.request(channels.OPEN_STREAM, order, self._scope)
        await self.say(RawStart(attempt=self.attempt, model="ollama/x", sources=()).dump())

    async def move(self) -> None:
        """As a worker that hears no receipt: another replica, everything from the beginning."""
        await self.open(seen_seq=self.last_seq, policy_version=self.opened.policy_version)
        await self.say(RawTokens(attempt=self.attempt, first=0, texts=tuple(self.pieces)).dump())

    async def send(self, *texts: str) -> None:
        """The next pieces, in one message."""
        first = len(self.pieces)
        self.pieces.extend(texts)
        await self.say(RawTokens(attempt=self.attempt, first=first, texts=texts).dump())

    async def end(self, finish_reason: Any = "stop") -> None:
        """That was all."""
        await self.say(
            RawEnd(attempt=self.attempt, count=len(self.pieces), finish_reason=finish_reason).dump(),
        )

    async def say(self, raw: bytes) -> None:
        """Any bytes, to the replica that opened the stream."""
        await self._bus.nc.publish(self.opened.subject, raw)

    @property
    def tokens(self) -> list[Token]:
        return [frame for frame in self.frames if isinstance(frame, Token)]

    @property
    def last_seq(self) -> int:
        return max((token.seq for token in self.tokens), default=-1)

    @property
    def last_frame(self) -> StreamEnd | None:
        """The end, once it was heard."""
        last = self.frames[-1] if self.frames else None
        return last if isinstance(last, StreamEnd) else None

    def text(self) -> str:
        """What a reader shows: each token once, whoever said it.

        Raises:
            AssertionError: a token is missing.
        """
        return "".join(token.text for token in once(self.tokens))


def once(tokens: Sequence[Token]) -> list[Token]:
    """The frames that a reader keeps: those that go on exactly where it is.

    Raises:
        AssertionError: one begins behind the next expected token.
    """
    kept: list[Token] = []
    expected = 0
    for token in tokens:
        first = token.seq if token.from_seq is None else token.from_seq
        assert first <= expected, f"tokens {expected} to {first - 1} are missing"
        if first == expected:
            kept.append(token)
            expected = token.seq + 1
    return kept
