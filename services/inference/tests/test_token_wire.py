import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from nats.aio.msg import Msg

from contracts.filter import StreamOpened
from contracts.ids import TenantId, uuid7
from inference_service.domain.model import Pieces
from inference_service.outbound import token_sink
from inference_service.outbound.token_sink import FilterSink
from inference_service.outbound.token_wire import BATCH_BYTES, TokenWire
from runtime.errors import Unavailable
from runtime.tenancy import TenantScope
from services.inference.tests import fakes
from tests.support.platform import eventually

SCOPE = TenantScope(TenantId(uuid7()), "user:test")


class Line:
    """A connection as far as the wire looks at one: keeps what is published, and lets a test speak."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[Any]]] = []
        self.replies: set[str] = set()
        self.batches_at: str | None = "raw.abc.batch"
        self.is_away = False
        self._pending_queue: Any = asyncio.Queue()

    @property
    def nc(self) -> "Line":
        return self

    async def subscribe(self, subject: str, *_queue: str, **_options: Any) -> "Line":
        self.replies.add(subject)
        return self

    async def publish(self, subject: str, body: bytes, reply: str) -> None:
        if self.is_away:
            raise OSError
        assert reply in self.replies
        self.batches.append((subject, orjson.loads(body)["parts"]))

    async def request(self, *_question: Any) -> StreamOpened:
        return StreamOpened(subject="raw.abc.1", policy_version=1, window=10, batches=self.batches_at)

    def confirm(self, *frames: dict[str, Any]) -> None:
        data = orjson.dumps({"frames": frames})
        self._pending_queue.put_nowait(Msg(_client=None, subject="rcp.x", data=data))  # type: ignore[arg-type] # never used here


@asynccontextmanager
async def wired(line: Line) -> AsyncIterator[TokenWire]:
    wire = TokenWire(line)  # type: ignore[arg-type] # stands for the bus here
    await wire.start()
    running = asyncio.create_task(wire.run())
    yield wire
    running.cancel()


def sink(line: Line, wire: TokenWire) -> FilterSink:
    return FilterSink(line, wire)  # type: ignore[arg-type] # stands for the bus here


async def test_what_is_said_together_travels_as_one_message_to_each_replica() -> None:
    line = Line()
    async with wired(line) as wire:
        for number in range(3):
            wire.send("raw.a.batch", b"%d" % number)
            wire.send("raw.b.batch", b"1%d" % number)
        await eventually(lambda: len(line.batches) == 2)
    assert line.batches == [("raw.a.batch", [0, 1, 2]), ("raw.b.batch", [10, 11, 12])]


async def test_a_large_batch_is_cut_between_messages() -> None:
    line, half = Line(), b'"%b"' % (b"x" * (BATCH_BYTES // 2 - 10))
    async with wired(line) as wire:
        for body in (half, half, half, b'"%b"' % (b"y" * BATCH_BYTES), b"1"):
            wire.send("raw.a.batch", body)
        await eventually(lambda: len(line.batches) == 4)
    assert [[str(part)[0] for part in parts] for _, parts in line.batches] == [["x", "x"], ["x"], ["y"], ["1"]]


async def test_what_the_connection_refuses_does_not_end_the_wire() -> None:
    line = Line()
    async with wired(line) as wire:
        line.is_away = True
        wire.send("raw.a.batch", b"1")
        await asyncio.sleep(0.02)
        line.is_away = False
        wire.send("raw.a.batch", b"2")
        await eventually(lambda: line.batches == [("raw.a.batch", [2])])


async def test_receipts_reach_the_answer_and_attempt_they_are_of() -> None:
    line, turn = Line(), fakes.turn(attempt=2)
    async with wired(line) as wire, sink(line, wire).open(SCOPE, turn) as stream:
        frame = {"type": "token", "message_id": str(turn.message_id), "attempt": 2, "seq": 0, "text": "Yes"}
        await stream.start("ollama/x", ())
        await stream.send(Pieces(("Yes",)))
        ending = asyncio.create_task(stream.end("stop"))
        await eventually(lambda: sum(len(parts) for _, parts in line.batches) == 3)
        assert {part["message_id"] for _, parts in line.batches for part in parts} == {str(turn.message_id)}
        line.confirm({**frame, "message_id": str(uuid7()), "text": "another answer"}, {**frame, "attempt": 1})
        line.confirm({**frame, "seq": 1, "text": "after a gap"}, frame, frame)
        end = {"message_id": str(turn.message_id), "attempt": 2, "finish_reason": "stop", "categories": []}
        line.confirm({"type": "end", **end, "last_seq": 0})
        assert (await asyncio.wait_for(ending, 5)).content == "Yes"


async def test_a_replica_that_takes_no_batches_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line()
    line.batches_at = None
    monkeypatch.setattr(token_sink, "OPENING_PAUSE_S", 0.0)
    async with wired(line) as wire:
        with pytest.raises(Unavailable):
            async with sink(line, wire).open(SCOPE, fakes.turn()):
                raise AssertionError("opened")
