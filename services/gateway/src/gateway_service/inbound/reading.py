"""What was asked, read from an HTTP request: body, caller, page, Idempotency-Key."""

import hashlib
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import orjson
from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, BeforeValidator, ValidationError
from starlette.responses import Response

from contracts.base import Contract
from contracts.ids import uuid7
from contracts.paging import PAGE_LIMIT, Idempotency, PageRequest
from gateway_service.domain.principal import Principal, Right
from gateway_service.inbound.edge import Caller
from runtime.bus import describe
from runtime.errors import Rejected

ModelT = TypeVar("ModelT", bound=BaseModel)
IDEMPOTENCY_KEY_CHARS = 255
Unknown = Literal["ignore", "forbid"]


def _id(given: Any) -> Any:
    """A malformed id becomes one that nothing has: whoever is asked about it then answers as for any unknown one."""
    try:
        return UUID(given)
    except (TypeError, ValueError, AttributeError):
        return uuid7()


Id = Annotated[UUID, Path(), BeforeValidator(_id)]


def caller_of(request: Request) -> Caller:
    caller: Caller = request.scope["state"]["caller"]
    return caller


def with_right(right: Right) -> Any:
    """A dependency: the principal, once it may do this."""

    # async, as all of them: FastAPI hands any other to a thread, which each request would wait for
    async def authorize(request: Request) -> Principal:
        principal = caller_of(request).known
        principal.require(right)
        return principal

    return Depends(authorize)


async def page(
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 50, cursor: Annotated[str | None, Query(max_length=200)] = None
) -> PageRequest:
    return PageRequest(limit=limit, cursor=cursor)


Page = Annotated[PageRequest, Depends(page)]


async def read_body(request: Request, model: type[ModelT], *, unknown: Unknown = "ignore", **given: Any) -> ModelT:
    """The body as `model`; `given` are the fields that the gateway fills, whatever the body says.

    Unknown fields are ignored, or where `unknown` says so forbidden: a filter that is misspelt would find too much.

    Raises:
        Rejected: no JSON (`invalid_json`), or not of this shape (`invalid_request`).
    """
    raw = await request.body()
    return read(raw, model, unknown=unknown, **given)


def read(raw: bytes, model: type[ModelT], *, unknown: Unknown = "ignore", **given: Any) -> ModelT:
    """As `read_body`, for bytes; no bytes are an empty object."""
    try:
        body = orjson.loads(raw) if raw.strip() else {}
    except orjson.JSONDecodeError as error:
        raise Rejected(f"the body is not valid JSON: {error.msg}", code="invalid_json") from error
    if not isinstance(body, dict):
        raise Rejected("the body is one JSON object")
    if rb"\u0000" in raw and has_nul(body):
        raise Rejected("text holds no NUL characters")
    try:
        return model.model_validate({**body, **given}, extra=unknown)
    except ValidationError as error:
        raise Rejected(describe(error)) from error


def has_nul(value: Any) -> bool:
    """Postgres keeps no NUL in text: told here, it is the client's mistake and not our failure."""
    if isinstance(value, dict):
        return any(has_nul(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(has_nul(part) for part in value)
    return isinstance(value, str) and "\0" in value


async def idempotency_of(request: Request) -> Idempotency | None:
    """The caller's Idempotency-Key with the hash of the body it came with."""
    key = idempotency_key(request)
    return None if key is None else Idempotency(key=key, body_sha256=hashlib.sha256(await request.body()).hexdigest())


def idempotency_key(request: Request) -> str | None:
    """Raises Rejected when it is empty or too long."""
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= IDEMPOTENCY_KEY_CHARS:
        raise Rejected(f"Idempotency-Key: 1 to {IDEMPOTENCY_KEY_CHARS} characters")
    return key


def answer(content: Contract, status: int = 200) -> Response:
    """A contract as the answer's body; it is encoded once."""
    return Response(content.dump(), status, media_type="application/json")


def no_content() -> Response:
    return Response(status_code=204)
