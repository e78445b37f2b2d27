"""Screens on NATS: `tok.<tenant>.<conversation>.<message>`, in bytes that are the WebSocket frames themselves.

Readers parse the beginning of a token frame by position, so the order of its keys is fixed: type, message_id, attempt,
[from_seq,] seq, text. What does not change within an answer is built once.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import orjson

from contracts import subjects
from filter_service.domain.answer import Answer
from filter_service.domain.token_stream import Release
from runtime.bus import Bus
from runtime.errors import Unavailable

CONFIRM_S = 0.25
"""At least this often, an eighth of what a worker waits for before it takes us for dead."""
CONFIRM_BYTES = 32 << 10
"""Owed beyond this is said at once. The broker takes 1 MiB, and one batch may add what ten times its size shows."""
FRAME_BYTES = 1 << 20
"""The broker's limit. One answer's frame beyond it must not keep the others' from being shown."""


class NatsScreens:
    """Implements `Screens`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._frames: list[tuple[str, bytes]] = []
        self._receipts: list[_Receipt] = []
        self._owed: defaultdict[str, dict[_Receipt, None]] = defaultdict(dict)
        self._owed_bytes = 0
        self._carrier = 0
        """Which connection took all that is owed: how many were lost before it."""
        self._due = asyncio.Event()
        self._saying = asyncio.Lock()

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
        # The client stays the same through reconnects; looking it up for each token would be 3 % of this process.
        connection = self._bus.nc
        if connection.stats["reconnects"] != self._carrier:
            self._forget(connection.stats["reconnects"])
        try:
            for subject, frame in frames:
                await connection.publish(subject, frame)
        except BaseException:
            _drop(receipts)
            raise
        if not receipt_to:
            _drop(receipts)
            return
        self._owed[receipt_to].update(dict.fromkeys(receipts))
        self._owed_bytes += sum(len(frame) for _, frame in frames)
        if self._owed_bytes > CONFIRM_BYTES or any(receipt.is_end for receipt in receipts):
            self._due.set()

    @property
    def is_due(self) -> bool:
        """Whether what is owed is to be said at once."""
        return self._due.is_set()

    async def confirm(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CONFIRM_S):
                await self._due.wait()
        self._due.clear()
        async with self._saying:
            await self._say()

    async def _say(self) -> None:
        carrier = self._carrier
        owed = self._take()
        said = {to: [part for receipt in receipts for part in receipt.close()] for to, receipts in owed.items()}
        if not any(said.values()) or not await self._has_all_of(carrier):
            return  # nothing is lost for good: without receipts each stream is replayed
        for to, parts in said.items():
            if parts:
                await self._bus.nc.publish(to, b'{"frames":[%b]}' % b",".join(parts))

    async def _has_all_of(self, carrier: int) -> bool:
        """Whether the broker has all that this connection took: it answers a PING that went the same way behind it."""
        try:
            await self._bus.settle()
        except Unavailable:
            return False
        return bool(self._bus.nc.stats["reconnects"] == carrier)

    def _take(self) -> "defaultdict[str, dict[_Receipt, None]]":
        owed, self._owed, self._owed_bytes = self._owed, defaultdict(dict), 0
        return owed

    def _forget(self, carrier: int) -> None:
        """What the connection took before it was lost may be lost with it."""
        for receipts in self._take().values():
            _drop(receipts)
        self._carrier = carrier


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
        self._screens.add_receipt(self._receipt)
        return self._receipt


def _drop(receipts: Iterable["_Receipt"]) -> None:
    """Never to be said. What a screen is told later does not follow on what its worker knows, and is replayed."""
    for receipt in receipts:
        tuple(receipt.close())


class _Receipt:
    """What one answer's screen was told between two receipts: its tokens as one frame, however many showed them.

    A replay is shown token by token; a receipt of as many frames would be larger than the broker takes.
    """

    __slots__ = ("_end", "_frame", "_head", "_releases")

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._releases: list[Release] = []
        self._frame = self._end = b""

    @property
    def is_end(self) -> bool:
        return bool(self._end)

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
