"""What OpenAI's clients ask, in their words."""

import base64
import struct
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from contracts.ingest import EMBED, EMBED_AT_ONCE, EMBED_CHARACTERS, Embed, Embeddings
from contracts.rest import Embedding, EmbeddingList, EmbeddingsBody, EmbeddingUsage
from gateway_service.domain.ports import Services
from gateway_service.domain.principal import Principal
from gateway_service.inbound import problems
from gateway_service.inbound.http_desk import HttpDesk
from gateway_service.inbound.openapi import taking
from gateway_service.inbound.reading import answer, caller_of, read_body
from runtime.errors import LumoraError, Rejected

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
EMBED_S = 20.0
"""Of one part: it waits behind passages of documents."""


class _Route(APIRoute):
    """Refuses in a way that OpenAI's clients can read: a problem, with their `error` in it."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except LumoraError as error:
                return _refusal(error)

        return told


def routes(desk: HttpDesk) -> APIRouter:
    """Paths under /v1."""
    router = APIRouter(tags=["openai"], route_class=_Route)

    @router.post("/v1/embeddings", response_model=EmbeddingList, openapi_extra=taking(EmbeddingsBody))
    async def create_embeddings(request: Request, _: Principal = _MAY_EMBED) -> Response:
        body = await read_body(request, EmbeddingsBody)
        texts = (body.input,) if isinstance(body.input, str) else body.input
        parts = await _embed(desk.services, body.model, texts)
        return answer(_listed(parts, body))

    return router


def _refusal(error: LumoraError) -> Response:
    response = problems.problem(error)
    body = orjson.loads(bytes(response.body))
    kind = "server_error" if error.kind.retryable else "invalid_request_error"
    body["error"] = {"message": body["detail"], "type": kind, "param": None, "code": body["code"]}
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(orjson.dumps(body), response.status_code, headers)


async def _authorize(request: Request) -> Principal:
    """Keys for documents and keys for chats both need vectors."""
    principal = caller_of(request).known
    if not principal.may("documents"):
        principal.require("chat")
    return principal


_MAY_EMBED: Any = Depends(_authorize)


async def _embed(services: Services, model: str, texts: Sequence[str]) -> list[Embeddings]:
    parts = []
    for start in range(0, len(texts), EMBED_AT_ONCE):
        part = tuple(text[:EMBED_CHARACTERS] for text in texts[start : start + EMBED_AT_ONCE])
        asked = Embed(texts=part, model=model, is_urgent=False)
        parts.append(await services.ask(EMBED, asked, timeout_s=EMBED_S))
    return parts


def _listed(parts: Sequence[Embeddings], body: EmbeddingsBody) -> EmbeddingList:
    vectors = [vector for part in parts for vector in part.vectors]
    length = len(vectors[0])
    if body.dimensions not in {None, length}:
        raise Rejected(f"the vectors of {parts[0].model} have {length} numbers", code="not_supported")
    tokens = sum(part.tokens for part in parts)
    return EmbeddingList(
        data=tuple(Embedding(index=n, embedding=_as(vector, body.encoding_format)) for n, vector in enumerate(vectors)),
        model=parts[0].model,
        usage=EmbeddingUsage(prompt_tokens=tokens, total_tokens=tokens),
    )


def _as(vector: tuple[float, ...], encoding: Literal["float", "base64"]) -> tuple[float, ...] | str:
    if encoding == "float":
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
