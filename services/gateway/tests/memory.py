"""Memory fakes of what the HTTP doors need."""

from collections.abc import AsyncIterable, Callable
from typing import Any

import httpx

from contracts.base import Reply, Request
from contracts.channel import Rpc
from contracts.ids import TenantId, uuid7
from gateway_service.domain.errors import NotAuthenticated
from gateway_service.domain.limits import LocalCounters, RateLimits
from gateway_service.domain.principal import Principal
from gateway_service.domain.upload_turns import UploadTurns
from gateway_service.inbound.http import make_app
from gateway_service.inbound.http_desk import HttpDesk
from runtime.clock import FrozenClock
from runtime.errors import LumoraError, Unavailable
from runtime.health import Health
from runtime.tenancy import TenantScope

TENANT = TenantId(uuid7())
OWNERS = "owner"
"""The token of an owner."""
OWNER = Principal("user", TENANT, uuid7(), role="owner")


class MemoryServices:
    """Answers what it was told to; whoever was told nothing is away."""

    def __init__(self) -> None:
        self.answers: dict[str, Reply | LumoraError | Callable[[Any], Reply]] = {}
        self.asked: list[tuple[str, Any, TenantScope | None]] = []

    def tell(self, rpc: Rpc[Any, Any], answer: Reply | LumoraError | Callable[[Any], Reply]) -> None:
        self.answers[rpc.schema] = answer

    async def ask(
        self, rpc: Rpc[Any, Any], request: Request, scope: TenantScope | None = None, *, timeout_s: float = 1
    ) -> Any:
        assert isinstance(request, rpc.request)
        assert (scope is not None) == rpc.is_tenant_scoped
        self.asked.append((rpc.verb, request, scope))
        answer = self.answers.get(rpc.schema, Unavailable(f"{rpc.owner} does not answer", retry_after_s=2))
        if isinstance(answer, LumoraError):
            raise answer
        return answer(request) if callable(answer) else answer


class MemoryTokens:
    def __init__(self) -> None:
        self.known: dict[str, Principal | LumoraError] = {"owner": OWNER}

    async def verify(self, token: str) -> Principal:
        found = self.known.get(token, NotAuthenticated("the access token is not valid, or has expired"))
        if isinstance(found, LumoraError):
            raise found
        return found


class MemoryInbox:
    def __init__(self) -> None:
        self.files: dict[tuple[TenantId, str], bytes] = {}

    async def put(self, tenant_id: TenantId, name: str, pieces: AsyncIterable[bytes]) -> None:
        content = b"".join([piece async for piece in pieces])
        self.files[tenant_id, name] = content

    async def drop(self, tenant_id: TenantId, name: str) -> None:
        self.files.pop((tenant_id, name), None)


class Edge:
    """The whole HTTP application over fakes, and a client of it."""

    def __init__(self, *, limit: int = 1_000, origins: tuple[str, ...] = ()) -> None:
        self.services, self.tokens, self.inbox = MemoryServices(), MemoryTokens(), MemoryInbox()
        self.clock, self.health = FrozenClock(), Health()
        self.limits = RateLimits(LocalCounters(), self.clock, limit=limit)
        self.uploads = UploadTurns(self.clock)
        desk = HttpDesk(self.services, self.tokens, self.limits, self.inbox, self.uploads, self.health, origins)
        self.app = make_app(desk)
        transport = httpx.ASGITransport(app=self.app, client=("192.0.2.7", 40_000))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://shop.example")

    async def call(self, method: str, path: str, *, token: str | None = OWNERS, **more: Any) -> httpx.Response:
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **more.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **more)
