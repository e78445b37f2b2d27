"""JSON lines on stdout: time, level, service, event, trace_id and what the caller adds. Never personal data.

A command, whose answer is on stdout, has them on stderr.
"""

import logging
import re
import sys
from typing import Any, TextIO

import structlog
from opentelemetry import trace

Logger = structlog.stdlib.BoundLogger

# Postgres repeats the refused row under DETAIL, which may go over several lines.
_DETAIL = re.compile(r"^DETAIL:.*?(?=^(?:HINT:|CONTEXT:|\[SQL|\(Background|$)|\Z)", re.MULTILINE | re.DOTALL)


def configure(service: str, level: str = "INFO", *, to: TextIO | None = None) -> None:
    """Once per process, before anything logs. Libraries' own loggers are heard from WARNING on.

    Args:
        service: Named in each line.
        level: Of our own lines.
        to: stdout if it is not given; a command that answers there gives stderr.
    """
    to = to or sys.stdout
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_service(service),
        _add_trace_id,
        structlog.processors.format_exc_info,
        _without_details,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(to),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(to)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[_foreign, structlog.processors.JSONRenderer()]
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def get_logger() -> Logger:
    """A logger; takes the configuration of the process at its first line."""
    logger: Logger = structlog.get_logger()
    return logger


def _add_service(service: str) -> structlog.typing.Processor:
    def add(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        return event

    return add


def _add_trace_id(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
    return event


def _without_details(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if "exception" in event:
        event["exception"] = _DETAIL.sub("", event["exception"])
    return event


def _foreign(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event.pop("_record", None)
    event.pop("_from_structlog", None)
    return event
