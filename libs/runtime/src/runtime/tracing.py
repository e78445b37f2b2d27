"""OpenTelemetry traces.

FastStream's middleware carries them over NATS in `traceparent`; without an endpoint only the ids travel.
"""

from contextlib import AbstractContextManager

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from runtime.settings import telemetry_endpoint


def configure(service: str) -> TracerProvider:
    """Once per process. Spans are recorded only when somebody collects them; trace ids reach the logs always."""
    endpoint = telemetry_endpoint()
    resource = Resource.create({"service.name": service})
    provider = TracerProvider(sampler=DEFAULT_ON if endpoint else ALWAYS_OFF, resource=resource)
    if endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - heavy, rarely needed

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def span(name: str, traceparent: str = "") -> AbstractContextManager[trace.Span]:
    """A span around a piece of work, current inside the block; `traceparent` (W3C) is the caller's."""
    context = TraceContextTextMapPropagator().extract({"traceparent": traceparent}) if traceparent else None
    return trace.get_tracer("lumora").start_as_current_span(name, context=context)


def trace_id() -> str:
    """Hex id of the current trace, empty when there is none."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""
