"""OpenTelemetry traces.

They travel over NATS in the header `traceparent`; without an endpoint only the ids do.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from faststream.nats.opentelemetry import NatsTelemetryMiddleware
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from runtime import trace_ids
from runtime.settings import telemetry_endpoint
from runtime.trace_ids import TraceIds


def configure(service: str) -> TracerProvider:
    """Once per process. Spans are recorded only when somebody collects them; trace ids reach the logs always."""
    endpoint = telemetry_endpoint()
    resource = Resource.create({"service.name": service})
    provider = TracerProvider(sampler=DEFAULT_ON if endpoint else ALWAYS_OFF, resource=resource)
    if endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def carrier() -> Any:
    """FastStream's middleware that carries traces over NATS: whole spans, or the ids alone when none is recorded."""
    return NatsTelemetryMiddleware(include_messages_counters=False) if _is_recorded() else TraceIds


@contextmanager
def asking(subject: str, headers: dict[str, str]) -> Iterator[None]:
    """Around what is said past FastStream: the trace goes into the headers, a span of it where spans are recorded."""
    with span(f"{subject} ask") if _is_recorded() else nullcontext():
        headers.setdefault(trace_ids.TRACEPARENT, trace_ids.header())
        yield


def handling(name: str, headers: Mapping[str, str]) -> AbstractContextManager[Any]:
    """Around what is heard past FastStream: inside, the trace that its headers tell of is the current one."""
    told = headers.get(trace_ids.TRACEPARENT, "")
    return span(name, told) if _is_recorded() else trace_ids.current(told)


def _is_recorded() -> bool:
    return getattr(trace.get_tracer_provider(), "sampler", ALWAYS_OFF) is not ALWAYS_OFF


def span(name: str, traceparent: str = "") -> AbstractContextManager[trace.Span]:
    """A span around a piece of work, current inside the block; `traceparent` (W3C) is the caller's."""
    context = TraceContextTextMapPropagator().extract({"traceparent": traceparent}) if traceparent else None
    return trace.get_tracer("lumora").start_as_current_span(name, context=context)


def trace_id() -> str:
    """Hex id of the current trace, empty when there is none."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""
