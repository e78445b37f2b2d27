"""Carries trace ids over NATS while nobody collects spans.

FastStream's own telemetry makes its spans and attributes all the same, and throws them away: four tenths of what an
RPC costs. The ids alone are one header (W3C Trace Context, `traceparent`) and one entry in the context, which is
enough to find every log line of a request.
"""

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from faststream import BaseMiddleware
from faststream.message import StreamMessage
from faststream.response import PublishCommand
from opentelemetry import context, trace

TRACEPARENT: Final = "traceparent"
_LENGTH: Final = 55
"""`00-<32 hex digits: trace>-<16: span>-<2: flags>`"""


class TraceIds(BaseMiddleware):
    """In the seat of `NatsTelemetryMiddleware`."""

    async def publish_scope(self, call_next: Callable[[Any], Awaitable[Any]], cmd: PublishCommand) -> Any:
        if TRACEPARENT not in cmd.headers:
            cmd.headers[TRACEPARENT] = header()
        return await call_next(cmd)

    async def consume_scope(self, call_next: Callable[[Any], Awaitable[Any]], msg: StreamMessage[Any]) -> Any:
        with current(msg.headers.get(TRACEPARENT, "")):
            return await call_next(msg)


@contextmanager
def current(told: str) -> Iterator[None]:
    """Make the trace of a `traceparent` the current one inside the block, or one that begins here."""
    token = context.attach(trace.set_span_in_context(trace.NonRecordingSpan(_read(told) or _fresh())))
    try:
        yield
    finally:
        context.detach(token)


def header() -> str:
    """The current span's, or that of a trace that begins here."""
    current = trace.get_current_span().get_span_context()
    if not current.is_valid:
        current = _fresh()
    return f"00-{current.trace_id:032x}-{current.span_id:016x}-{int(current.trace_flags):02x}"


def _fresh() -> trace.SpanContext:
    """A trace that begins here, not recorded."""
    trace_id, span_id = int.from_bytes(os.urandom(16), "big"), int.from_bytes(os.urandom(8), "big")
    return trace.SpanContext(trace_id, span_id, is_remote=False)


def _read(header: str) -> trace.SpanContext | None:
    """None when there is no header to understand."""
    try:
        trace_id, span_id, flags = (int(part, 16) for part in header[:_LENGTH].split("-")[1:])
    except ValueError:
        return None
    told = trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=trace.TraceFlags(flags))
    return told if told.is_valid else None
