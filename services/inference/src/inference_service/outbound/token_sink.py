"""The worker's end of the token path: raw pieces to one filter replica, and receipts of what it published.

What the filter publishes is what the customer sees and what is stored, so the receipts are collected here. A
replica that gives none for 2 s after more than its window was sent, or after the end, is taken for dead: another
one is opened and all pieces are sent again. The filter is deterministic, and skips what is out already.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from prometheus_client import Counter

from contracts.filter import OPEN_STREAM, OpenStream
from contracts.inference import FinishReason, Source
from inference_service.domain.model import Pieces
from inference_service.domain.ports import Shown
from inference_service.domain.turn import LeasedTurn
from inference_service.outbound.token_wire import BATCH_BYTES, TokenWire
from runtime import logs
from runtime.bus import Bus
from runtime.errors import Unavailable
from runtime.tenancy import TenantScope

RECEIPT_S = 2.0
LOOK_S = 0.5
OPENINGS = 4
OPENING_PAUSE_S = 0.1
REPLAY_BYTES = BATCH_BYTES
"""A replay is cut into messages of about this size."""

REOPENED = Counter("inference_streams_reopened_total", "Token streams moved to another filter replica.")

_log = logs.get_logger()


class FilterStream:
    """Implements `Stream`."""

    def __init__(self, bus: Bus, wire: TokenWire, scope: TenantScope, turn: LeasedTurn) -> None:
        self._bus = bus
        self._wire = wire
        self._scope = scope
        self._turn = turn
        self._head = orjson.dumps({"message_id": str(turn.message_id), "attempt": turn.attempt})[:-1]
        self._subject = ""
        self._window = 0
        self._policy_version: int | None = None
        self.blocked_categories: tuple[str, ...] | None = None
        self._start = b""
        self._pieces: list[str] = []
        self._end = b""
        self._receipts: list[str] = []
        self._next_seq = 0
        self._unanswered = 0
        self._last_receipt = 0.0
        self._ended: asyncio.Future[Shown] = asyncio.get_running_loop().create_future()

    @property
    def is_cut(self) -> bool:
        return self._ended.done()

    async def start(self, model: str, sources: tuple[Source, ...]) -> None:
        told = [source.model_dump(mode="json") for source in sources]
        self._start = self._raw("start", model=model, sources=told)
        self._wire.send(self._subject, self._start)

    async def send(self, pieces: Pieces) -> None:
        self._raise_if_failed()
        first = len(self._pieces)
        self._pieces.extend(pieces.texts)
        if not self._unanswered:
            self._last_receipt = asyncio.get_running_loop().time()
        self._unanswered += sum(map(len, pieces.texts))
        self._wire.send(self._subject, self._tokens(first, pieces.texts))

    async def end(self, finish_reason: FinishReason) -> Shown:
        self._end = self._raw("end", count=len(self._pieces), finish_reason=finish_reason)
        self._last_receipt = asyncio.get_running_loop().time()
        self._wire.send(self._subject, self._end)
        return await self._ended

    # ---- receipts ---------------------------------------------------------------------------------------------

    def on_receipt(self, frame: dict[str, Any]) -> None:
        """A frame is out."""
        if frame["attempt"] != self._turn.attempt:
            return
        kind = frame["type"]
        if kind == "token":
            self._take(frame.get("from_seq", frame["seq"]), frame["seq"], frame["text"])
        elif kind == "end" and not self._ended.done() and frame["last_seq"] == self._next_seq - 1:
            shown = Shown("".join(self._receipts), frame["finish_reason"], tuple(frame["categories"]))
            self._ended.set_result(shown)

    def _take(self, first: int, last: int, text: str) -> None:
        # A gap is left to the watchdog: the replica is asked again from the last receipt on.
        if first != self._next_seq:
            return
        self._next_seq = last + 1
        self._receipts.append(text)
        self._unanswered = 0
        self._last_receipt = asyncio.get_running_loop().time()

    # ---- replicas ---------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Find a replica. Raises Unavailable."""
        question = OpenStream(
            conversation_id=self._turn.conversation_id,
            message_id=self._turn.message_id,
            attempt=self._turn.attempt,
            seen_seq=self._next_seq - 1,
            policy_version=self._policy_version,
            question=self._turn.question if self._policy_version is None else None,
        )
        for chance in range(OPENINGS):
            with contextlib.suppress(Unavailable):
                opened = await self._bus.request(OPEN_STREAM, question, self._scope)
                # A replica of an older release names no place for batches: while replicas are updated another one does.
                if opened.batches is not None:
                    self._subject, self._window = opened.batches, opened.window
                    self._policy_version = opened.policy_version
                    if opened.verdict is not None:
                        self.blocked_categories = opened.verdict.categories
                    return
            await asyncio.sleep(OPENING_PAUSE_S * 2**chance)
        raise Unavailable("no filter answers", code="filter_unavailable")

    async def watch(self) -> None:
        """Runs beside the stream: moves it to another replica when receipts stay away."""
        clock = asyncio.get_running_loop().time
        while not self._ended.done():
            await asyncio.sleep(LOOK_S)
            is_owed = self._unanswered > self._window or self._end
            if not is_owed or self._ended.done() or clock() - self._last_receipt < RECEIPT_S:
                continue
            try:
                await self.open()
                self._replay()
            except Unavailable as error:
                if not self._ended.done():
                    self._ended.set_exception(error)
                return
            self._last_receipt = clock()

    def _replay(self) -> None:
        REOPENED.inc()
        _log.warning("stream.reopened", message_id=str(self._turn.message_id), seen_seq=self._next_seq - 1)
        messages = [self._start, *self._in_parts(), self._end]
        # Queued without a pause in between: what `send` adds from now on goes to the new replica, after these.
        for message in messages:
            if message:
                self._wire.send(self._subject, message)

    def _in_parts(self) -> list[bytes]:
        parts: list[bytes] = []
        first, size = 0, 0
        for index, piece in enumerate(self._pieces):
            size += len(piece)
            if size > REPLAY_BYTES:
                parts.append(self._tokens(first, tuple(self._pieces[first : index + 1])))
                first, size = index + 1, 0
        if first < len(self._pieces):
            parts.append(self._tokens(first, tuple(self._pieces[first:])))
        return parts

    def _tokens(self, first: int, texts: tuple[str, ...]) -> bytes:
        return b'%b,"type":"tokens","first":%d,"texts":%b}' % (self._head, first, orjson.dumps(texts))

    def _raw(self, kind: str, **content: Any) -> bytes:
        return b"%b,%b" % (self._head, orjson.dumps({"type": kind, **content})[1:])

    def _raise_if_failed(self) -> None:
        if self._ended.done() and self._ended.exception() is not None:
            self._ended.result()

    def abandon(self) -> None:
        """Nobody waits for the end any more."""
        if self._ended.done() and not self._ended.cancelled():
            self._ended.exception()  # seen, so that asyncio does not complain that nobody looked
        self._ended.cancel()


class FilterSink:
    """Implements `Sink`."""

    def __init__(self, bus: Bus, wire: TokenWire) -> None:
        self._bus = bus
        self._wire = wire

    @asynccontextmanager
    async def open(self, scope: TenantScope, turn: LeasedTurn) -> AsyncIterator[FilterStream]:
        stream = FilterStream(self._bus, self._wire, scope, turn)
        watching: asyncio.Task[None] | None = None
        try:
            await stream.open()
            with self._wire.hearing(str(turn.message_id), stream.on_receipt):
                watching = asyncio.create_task(stream.watch())
                yield stream
        finally:
            if watching is not None:
                watching.cancel()
            stream.abandon()
