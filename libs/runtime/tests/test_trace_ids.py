"""Trace ids travel while no span is recorded."""

from types import SimpleNamespace
from typing import Any

from faststream import ContextRepo
from opentelemetry import trace

from runtime import tracing
from runtime.trace_ids import TRACEPARENT, TraceIds

ASKED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def carried(headers: dict[str, str]) -> tuple[str, str]:
    """The trace id inside a handler, and the header of what the handler publishes."""
    ids = TraceIds(None, context=ContextRepo())
    said: dict[str, str] = {}

    async def handle(_message: Any) -> str:
        await ids.publish_scope(leave, SimpleNamespace(headers=said))  # type: ignore[arg-type] # headers are all it reads
        return tracing.trace_id()

    inside = await ids.consume_scope(handle, SimpleNamespace(headers=headers))  # type: ignore[arg-type] # the same
    return inside, said[TRACEPARENT]


async def leave(_command: Any) -> None:
    return None


async def test_what_a_handler_publishes_belongs_to_the_trace_that_it_handles() -> None:
    inside, header = await carried({TRACEPARENT: ASKED})
    assert inside == "0af7651916cd43dd8448eb211c80319c"
    assert header == ASKED


async def test_a_message_without_a_trace_begins_one() -> None:
    for told in ({}, {TRACEPARENT: "nonsense"}, {TRACEPARENT: f"00-{'0' * 32}-{'0' * 16}-00"}):
        inside, header = await carried(told)
        assert int(inside, 16) > 0
        assert header.split("-")[1] == inside


async def test_nothing_is_left_behind_after_a_handler() -> None:
    await carried({TRACEPARENT: ASKED})
    assert not trace.get_current_span().get_span_context().is_valid


async def test_outside_a_trace_each_message_begins_one() -> None:
    first, second = dict[str, str](), dict[str, str]()
    for headers in (first, second):
        await TraceIds(None, context=ContextRepo()).publish_scope(leave, SimpleNamespace(headers=headers))  # type: ignore[arg-type] # headers are all it reads
    assert first[TRACEPARENT] != second[TRACEPARENT]
