"""What every HTTP request meets before any route: trace, who asks, how often, how much; and every answer's headers.

Bare ASGI, around the whole app: answers of routing and of our own bugs carry the same headers.
"""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import Counter, Histogram

from contracts.ingest import DOCUMENT_LIMIT_BYTES
from gateway_service.domain.errors import NotAuthenticated
from gateway_service.domain.limits import Allowance, RateLimits
from gateway_service.domain.ports import Tokens
from gateway_service.domain.principal import Principal
from gateway_service.inbound import problems
from runtime import tracing
from runtime.errors import LumoraError, Overloaded, Rejected

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_LIMIT_BYTES = 1 << 20
ENVELOPE_BYTES = 64 << 10
"""What a multipart upload may have around its file."""
UNCOUNTED = ("/health", "/assets/")
"""Probes and the page's own files use up nobody's requests."""
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
STRICT_CSP = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
UNCACHED = (b"cache-control", b"no-store")

REQUESTS = Counter("gateway_http_requests_total", "HTTP requests answered.", ["method", "route", "status"])
SECONDS = Histogram(
    "gateway_http_seconds",
    "Time from an HTTP request to the end of its answer.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30),
)


@dataclass
class Caller:
    """Who asks, as far as the credential told: `error` says why there is no principal."""

    principal: Principal | None = None
    error: LumoraError = field(default_factory=lambda: NotAuthenticated("send `Authorization: Bearer …`"))

    @property
    def known(self) -> Principal:
        """Raises NotAuthenticated, or Unavailable when the credential could not be checked."""
        if self.principal is None:
            raise self.error
        return self.principal


class Edge:
    """Wraps the app."""

    def __init__(self, app: App, *, tokens: Tokens, limits: RateLimits) -> None:
        self._app = app
        self._tokens = tokens
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        begin = time.perf_counter()
        with tracing.span(f"http {scope['method']}", headers.get(b"traceparent", b"").decode("latin-1")):
            answer = _Answer(send, is_secure=scope["scheme"] == "https")
            await self._serve(scope, headers, receive, answer)
        route = getattr(scope.get("route"), "path", "none")
        REQUESTS.labels(scope["method"], route, answer.status).inc()
        SECONDS.labels(route).observe(time.perf_counter() - begin)

    async def _serve(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, answer: "_Answer") -> None:
        try:
            caller = await self._identify(headers)
            scope.setdefault("state", {})["caller"] = caller
            if _is_counted(scope["path"]):
                answer.allowance = await self._limits.take(rate_key(scope, caller.principal))
                _refuse_too_many(answer.allowance)
            await self._app(scope, _Metered(receive, _limit(scope), headers), answer.send)
        except LumoraError as error:
            await problems.problem(error)(scope, receive, answer.send)
        except Exception as error:  # noqa: BLE001 - a bug is one request's, never the process's
            response = problems.internal(error)
            if answer.status == 0:
                await response(scope, receive, answer.send)

    async def _identify(self, headers: dict[bytes, bytes]) -> Caller:
        """A credential that opens nothing is told to those routes only that need one."""
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if not token or scheme.lower() != "bearer":
            return Caller()
        try:
            return Caller(await self._tokens.verify(token.strip()))
        except LumoraError as error:
            return Caller(error=error)


class _Answer:
    """The sending half: adds what every answer carries."""

    def __init__(self, send: Send, *, is_secure: bool) -> None:
        self._send = send
        self._is_secure = is_secure
        self.allowance: Allowance | None = None
        self.status = 0

    async def send(self, event: Event) -> None:
        if event["type"] == "http.response.start":
            self.status = event["status"]
            event["headers"] = [*event.get("headers", ()), *self._more(event.get("headers", ()))]
        await self._send(event)

    def _more(self, given: Any) -> list[tuple[bytes, bytes]]:
        names = {name for name, _ in given}
        more = [pair for pair in (*SECURITY, STRICT_CSP, UNCACHED) if pair[0] not in names]
        if self._is_secure:
            more.append((b"strict-transport-security", b"max-age=31536000"))
        if self.allowance is not None:
            more += rate_headers(self.allowance)
        return more


class _Metered:
    """The receiving half: no body grows beyond its limit, whatever its header says."""

    def __init__(self, receive: Receive, limit: int, headers: dict[bytes, bytes]) -> None:
        self._receive = receive
        self._left = limit
        self._limit = limit
        declared = headers.get(b"content-length", b"0")
        self._is_too_large = declared.isdigit() and int(declared) > limit

    async def __call__(self) -> Event:
        if self._is_too_large:
            raise too_large(self._limit)
        event = await self._receive()
        self._left -= len(event.get("body", b""))
        if self._left < 0:
            raise too_large(self._limit)
        return event


def too_large(limit_bytes: int) -> Rejected:
    return Rejected(f"at most {limit_bytes >> 20} MiB are taken", code="too_large")


def rate_key(scope: Scope, principal: Principal | None) -> str:
    """Whom a request counts for: the caller, or the address of somebody unknown."""
    return principal.key if principal is not None else f"address:{address(scope)}"


def address(scope: Scope) -> str:
    return str(scope["client"][0]) if scope.get("client") else "none"


def rate_headers(allowance: Allowance) -> list[tuple[bytes, bytes]]:
    return [
        (b"ratelimit-limit", str(allowance.limit).encode()),
        (b"ratelimit-remaining", str(allowance.remaining).encode()),
        (b"ratelimit-reset", str(allowance.reset_s).encode()),
    ]


def _refuse_too_many(allowance: Allowance) -> None:
    if not allowance.is_allowed:
        raise Overloaded(f"{allowance.limit} requests a minute are allowed", retry_after_s=allowance.reset_s)


def _is_counted(path: str) -> bool:
    return path != "/" and not path.startswith(UNCOUNTED)


def _limit(scope: Scope) -> int:
    is_upload = scope["path"] == "/api/documents"
    return DOCUMENT_LIMIT_BYTES + ENVELOPE_BYTES if is_upload else BODY_LIMIT_BYTES
