"""Screens on NATS: `tok.<tenant>.<conversation>.<message>`, in bytes that are the WebSocket frames themselves.

Readers parse the beginning of a token frame by position, so the order of its keys is fixed: type, message_id, attempt,
[from_seq,] seq, text. What does not change within an answer is built once.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson

from contracts import subjects
from filter_service.domain.answer import Answer
from filter_service.domain.token_stream import Release
from runtime.bus import Bus


class NatsScreen:
    """Implements `Screen`."""

    __slots__ = ("_answer", "_publish", "_subject", "_token_head")

    def __init__(self, publish: Callable[[str, bytes], Awaitable[None]], answer: Answer) -> None:
        self._publish = publish
        self._answer = answer
        self._subject = subjects.tok(answer.tenant_id, answer.conversation_id, answer.message_id)
        head = {"type": "token", "message_id": answer.message_id, "attempt": answer.attempt}
        # Without the closing brace: seq and text follow.
        self._token_head = orjson.dumps(head)[:-1]

    async def started(self, model: str, sources: Sequence[Any]) -> None:
        answer = self._answer
        frame = {
            "type": "message.started",
            "conversation_id": answer.conversation_id,
            "message_id": answer.message_id,
            "attempt": answer.attempt,
            "model": model,
            "sources": sources,
        }
        await self._publish(self._subject, orjson.dumps(frame))

    async def released(self, release: Release) -> None:
        from_seq, seq, text = release
        covers = b"" if from_seq == seq else b',"from_seq":%d' % from_seq
        frame = b'%b%b,"seq":%d,"text":%b}' % (self._token_head, covers, seq, orjson.dumps(text))
        await self._publish(self._subject, frame)

    async def ended(self, last_seq: int, finish_reason: str, categories: Sequence[str]) -> None:
        frame = {
            "type": "end",
            "message_id": self._answer.message_id,
            "attempt": self._answer.attempt,
            "last_seq": last_seq,
            "finish_reason": finish_reason,
            "categories": categories,
        }
        await self._publish(self._subject, orjson.dumps(frame))


class NatsScreens:
    """Implements `Screens`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def of(self, answer: Answer) -> NatsScreen:
        # The client stays the same through reconnects; looking it up for each token would be 3 % of this process.
        return NatsScreen(self._bus.nc.publish, answer)
