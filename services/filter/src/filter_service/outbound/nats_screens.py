"""Screens on NATS: `tok.<tenant>.<conversation>.<message>`, in bytes that are the WebSocket frames themselves.

Readers parse the beginning of a token frame by position, so the order of its keys is fixed: type, message_id, attempt,
[from_seq,] seq, text. What does not change within an answer is built once.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from contracts import subjects
from filter_service.domain.answer import Answer
from filter_service.domain.token_stream import Release
from runtime.bus import Bus

FRAME_BYTES = 1 << 20
"""The broker's limit. One answer's frame beyond it must not keep the others' from being shown."""


class NatsScreens:
    """Implements `Screens`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._frames: list[tuple[str, bytes]] = []
        self._receipts: list[_Receipt] = []

    def of(self, answer: Answer) -> "NatsScreen":
        return NatsScreen(self, answer)

    def add(self, subject: str, frame: bytes) -> None:
        """Publish this frame at the next `show`.

        Raises:
            ValueError: the broker would not take it.
        """
        if len(frame) > FRAME_BYTES:
            raise ValueError("a frame is too large")
        self._frames.append((subject, frame))

    def add_receipt(self, receipt: "_Receipt") -> None:
        """Say this in the next receipt."""
        self._receipts.append(receipt)

    async def show(self, receipt_to: str) -> None:
        frames, self._frames = self._frames, []
        receipts, self._receipts = self._receipts, []
        said = [part for receipt in receipts for part in receipt.close()]
        # The client stays the same through reconnects; looking it up for each token would be 3 % of this process.
        publish = self._bus.nc.publish
        for subject, frame in frames:
            await publish(subject, frame)
        if receipt_to and said:
            await publish(receipt_to, b'{"frames":[%b]}' % b",".join(said))


class NatsScreen:
    """Implements `Screen`."""

    __slots__ = ("_answer", "_receipt", "_screens", "_subject", "_token_head")

    def __init__(self, screens: NatsScreens, answer: Answer) -> None:
        self._screens = screens
        self._answer = answer
        self._subject = subjects.tok(answer.tenant_id, answer.conversation_id, answer.message_id)
        head = {"type": "token", "message_id": answer.message_id, "attempt": answer.attempt}
        # Without the closing brace: seq and text follow.
        self._token_head = orjson.dumps(head)[:-1]
        self._receipt = _Receipt(self._token_head)

    def started(self, model: str, sources: Sequence[Any]) -> None:
        answer = self._answer
        frame = {
            "type": "message.started",
            "conversation_id": answer.conversation_id,
            "message_id": answer.message_id,
            "attempt": answer.attempt,
            "model": model,
            "sources": sources,
        }
        self._screens.add(self._subject, orjson.dumps(frame))

    def released(self, release: Release) -> None:
        frame = _token_frame(self._token_head, release)
        self._screens.add(self._subject, frame)
        self._note().released(release, frame)

    def ended(self, last_seq: int, finish_reason: str, categories: Sequence[str]) -> None:
        frame = orjson.dumps(
            {
                "type": "end",
                "message_id": self._answer.message_id,
                "attempt": self._answer.attempt,
                "last_seq": last_seq,
                "finish_reason": finish_reason,
                "categories": categories,
            }
        )
        self._screens.add(self._subject, frame)
        self._note().ended(frame)

    def _note(self) -> "_Receipt":
        if self._receipt.is_empty:
            self._screens.add_receipt(self._receipt)
        return self._receipt


class _Receipt:
    """What one answer's screen was told between two shows: its tokens as one frame, however many showed them.

    A replay is shown token by token; a receipt of as many frames would be larger than the broker takes.
    """

    __slots__ = ("_end", "_frame", "_head", "_releases")

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._releases: list[Release] = []
        self._frame = self._end = b""

    @property
    def is_empty(self) -> bool:
        return not self._releases and not self._end

    def released(self, release: Release, frame: bytes) -> None:
        self._releases.append(release)
        self._frame = frame

    def ended(self, frame: bytes) -> None:
        self._end = frame

    def close(self) -> Iterator[bytes]:
        """What is to be said, once."""
        releases, end = self._releases, self._end
        self._releases, self._end = [], b""
        if len(releases) == 1:
            yield self._frame
        elif releases:
            yield _token_frame(self._head, _joined(releases))
        if end:
            yield end


def _joined(releases: list[Release]) -> Release:
    """Releases follow each other without a gap within an attempt."""
    return Release(releases[0].from_seq, releases[-1].seq, "".join(release.text for release in releases))


def _token_frame(head: bytes, release: Release) -> bytes:
    from_seq, seq, text = release
    covers = b"" if from_seq == seq else b',"from_seq":%d' % from_seq
    return b'%b%b,"seq":%d,"text":%b}' % (head, covers, seq, orjson.dumps(text))
