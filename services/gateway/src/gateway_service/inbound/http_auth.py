"""Registering, signing in and out, API keys, public keys."""

import hashlib

from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts import auth
from contracts.ids import ApiKeyId, UserId
from contracts.rest import NewApiKey, RefreshTokenBody
from gateway_service.domain.ports import SIGN_IN_S
from gateway_service.domain.principal import Principal
from gateway_service.domain.sign_in import sign_in
from gateway_service.inbound.edge import address
from gateway_service.inbound.http_desk import HttpDesk
from gateway_service.inbound.openapi import taking
from gateway_service.inbound.reading import (
    Id,
    Page,
    answer,
    caller_of,
    idempotency_of,
    no_content,
    read_body,
    with_right,
)
from runtime.errors import Forbidden

CLIENT_HEX = 32
_BUSINESS_READ, _BUSINESS = with_right("business.read"), with_right("business")


def routes(desk: HttpDesk) -> APIRouter:
    """Paths under /api/auth, and /.well-known/jwks.json."""
    router = APIRouter(tags=["auth"])
    _sessions(router, desk)
    _api_keys(router, desk)
    return router


def _sessions(router: APIRouter, desk: HttpDesk) -> None:
    @router.post(
        "/api/auth/register", status_code=201, response_model=auth.Session, openapi_extra=taking(auth.Register)
    )
    async def register(request: Request) -> Response:
        asked = await read_body(request, auth.Register, idempotency=await idempotency_of(request))
        return answer(await desk.services.ask(auth.REGISTER, asked, timeout_s=SIGN_IN_S), 201)

    @router.post("/api/auth/login", response_model=auth.Session, openapi_extra=taking(auth.Login))
    async def login(request: Request) -> Response:
        asked = await read_body(request, auth.Login)
        return answer(await sign_in(asked, services=desk.services, limits=desk.limits))

    @router.post("/api/auth/refresh", response_model=auth.Session, openapi_extra=taking(RefreshTokenBody))
    async def refresh(request: Request) -> Response:
        asked = await read_body(request, auth.Refresh, client=_client(request))
        return answer(await desk.services.ask(auth.REFRESH, asked))

    @router.post("/api/auth/logout", status_code=204, openapi_extra=taking(RefreshTokenBody))
    async def logout(request: Request) -> Response:
        asked = await read_body(request, auth.Refresh, client=_client(request))
        await desk.services.ask(auth.LOGOUT, asked)
        return no_content()

    @router.get("/api/auth/me", response_model=auth.User)
    async def me(request: Request) -> Response:
        principal = caller_of(request).known
        if principal.kind != "user":
            raise Forbidden("an API key is not a person")
        found = await desk.services.ask(auth.ME, auth.Me(user_id=UserId(principal.id)), principal.scope)
        return answer(found.user)

    @router.get("/.well-known/jwks.json", response_model=auth.KeySet)
    async def jwks() -> Response:
        found = answer(await desk.services.ask(auth.GET_KEYS, auth.GetKeys()))
        # Shorter than the time for which a new key is shown before it signs.
        found.headers["Cache-Control"] = "public, max-age=300"
        return found


def _api_keys(router: APIRouter, desk: HttpDesk) -> None:
    @router.get("/api/auth/api-keys", response_model=auth.ApiKeys)
    async def list_api_keys(page: Page, principal: Principal = _BUSINESS_READ) -> Response:
        question = auth.ListApiKeys(limit=page.limit, cursor=page.cursor)
        return answer(await desk.services.ask(auth.LIST_API_KEYS, question, principal.scope))

    @router.post(
        "/api/auth/api-keys", status_code=201, response_model=NewApiKey, openapi_extra=taking(auth.CreateApiKey)
    )
    async def create_api_key(request: Request, principal: Principal = _BUSINESS) -> Response:
        asked = await read_body(request, auth.CreateApiKey, idempotency=await idempotency_of(request))
        made = await desk.services.ask(auth.CREATE_API_KEY, asked, principal.scope)
        return answer(NewApiKey(**made.api_key.model_dump(), key=made.key), 201)

    @router.delete("/api/auth/api-keys/{key_id}", status_code=204)
    async def delete_api_key(key_id: Id, principal: Principal = _BUSINESS) -> Response:
        asked = auth.DeleteApiKey(key_id=ApiKeyId(key_id))
        await desk.services.ask(auth.DELETE_API_KEY, asked, principal.scope)
        return no_content()


def _client(request: Request) -> str:
    """What tells one client from another: its address and how it names itself."""
    told = f"{address(request.scope)}|{request.headers.get('user-agent', '')}"
    return hashlib.sha256(told.encode()).hexdigest()[:CLIENT_HEX]
