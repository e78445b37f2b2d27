"""Problem details (RFC 9457): the one way an HTTP request is refused. No stack, no SQL, no path leaves here."""

import math
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from contracts.errors import ERRORS, Problem
from runtime import logs, tracing
from runtime.errors import LumoraError, Rejected

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2.0
"""Told with every 503 and 429 that does not know better."""
_CODES = {400: "invalid_request", 401: "not_authenticated", 403: "forbidden", 404: "not_found"} | {
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_type",
    429: "rate_limited",
    503: "unavailable",
}

_log = logs.get_logger()


def problem(error: LumoraError, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to an error of the tree."""
    kind = error.kind
    body = Problem(
        title=kind.title,
        status=kind.status,
        detail=error.detail,
        code=error.code,
        trace_id=tracing.trace_id(),
        conflicts_with=error.conflicts_with,
    )
    found = dict(headers or {})
    if error.retry_after_s is not None or kind.status in {429, 503}:
        found.setdefault("Retry-After", str(max(1, math.ceil(error.retry_after_s or RETRY_AFTER_S))))
    if kind.status == ERRORS["not_authenticated"].status:
        found.setdefault("WWW-Authenticate", "Bearer")
    return Response(body.dump(), kind.status, found, MEDIA_TYPE)


def internal(error: Exception) -> Response:
    """The answer to our own bug; the log has what the client must not see."""
    _log.error("http.crashed", exc_info=error)
    return problem(LumoraError())


def register(app: FastAPI) -> None:
    """Every failure inside the app becomes a problem."""
    app.add_exception_handler(LumoraError, _of_tree)
    app.add_exception_handler(RequestValidationError, _of_parameters)
    app.add_exception_handler(HTTPException, _of_routing)
    app.add_exception_handler(ClientDisconnect, _of_nobody)


def _of_tree(_request: Request, error: Any) -> Response:
    return problem(error)


def _of_nobody(_request: Request, _error: Any) -> Response:
    """The client left in the middle of its request: whatever is answered, nobody reads it."""
    return Response(status_code=400)


def _of_parameters(_request: Request, error: Any) -> Response:
    """Query parameters; a path has none but ids, which cannot be malformed."""
    parts = [f"{'.'.join(str(step) for step in item['loc'][1:])}: {item['msg']}" for item in error.errors()[:5]]
    return problem(Rejected("; ".join(parts)))


def _of_routing(_request: Request, error: Any) -> Response:
    """Starlette's own 404 and 405."""
    code = _CODES.get(error.status_code, "internal" if error.status_code >= ERRORS["internal"].status else "conflict")
    return problem(LumoraError(code=code), error.headers)
