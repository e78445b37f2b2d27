"""Health, and the descriptions of the interface itself."""

from typing import Any

import orjson
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from contracts import frames
from gateway_service.inbound import openapi
from gateway_service.inbound.http_desk import HttpDesk

_CLIENT_FRAMES: tuple[type[BaseModel], ...] = (frames.Hello, frames.MessageSend, frames.MessageStop, frames.Ping)
_SERVER_FRAMES: tuple[type[BaseModel], ...] = (
    frames.Welcome,
    frames.MessageAccepted,
    frames.MessageStarted,
    frames.Token,
    frames.MessageCompletedFrame,
    frames.MessageBlocked,
    frames.MessageFailedFrame,
    frames.DocumentProgress,
    frames.ErrorFrame,
    frames.Pong,
)


def routes(desk: HttpDesk, app: FastAPI) -> APIRouter:
    """/health, /openapi.json, /api/chat/schema."""
    router = APIRouter(tags=["platform"])
    _health(router, desk)
    kept: dict[str, bytes] = {}

    @router.get("/openapi.json", include_in_schema=False)
    async def openapi_document() -> Response:
        if "openapi" not in kept:
            kept["openapi"] = orjson.dumps(openapi.document(app))
        return Response(kept["openapi"], media_type="application/json")

    @router.get("/api/chat/schema")
    async def chat_schema() -> Response:
        if "chat" not in kept:
            kept["chat"] = orjson.dumps(frame_schema())
        return Response(kept["chat"], media_type="application/json")

    return router


def _health(router: APIRouter, desk: HttpDesk) -> None:
    @router.get("/health/live")
    async def live() -> Response:
        is_alive = desk.health.is_alive()
        return _json({"alive": is_alive}, is_good=is_alive)

    @router.get("/health/ready")
    async def ready() -> Response:
        report = await desk.health.report()
        return _json({"ready": report["ready"], "draining": report["draining"]}, is_good=report["ready"])

    @router.get("/health")
    async def health() -> Response:
        report = await desk.health.report()
        return _json(report, is_good=report["ready"])


def frame_schema() -> dict[str, Any]:
    """One JSON Schema that every frame of the WebSocket fits; `client` and `server` tell the directions apart."""
    wanted = [(model, "validation") for model in (*_CLIENT_FRAMES, *_SERVER_FRAMES)]
    _, found = models_json_schema(wanted, ref_template="#/$defs/{model}")  # type: ignore[arg-type] # the mode is a Literal there
    directions = {
        "client": {"oneOf": [_ref(model) for model in _CLIENT_FRAMES]},
        "server": {"oneOf": [_ref(model) for model in _SERVER_FRAMES]},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": frames.SUBPROTOCOL,
        "oneOf": [{"$ref": "#/$defs/client"}, {"$ref": "#/$defs/server"}],
        "$defs": {**found["$defs"], **directions},
    }


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/$defs/{model.__name__}"}


def _json(content: dict[str, Any], *, is_good: bool) -> Response:
    return Response(orjson.dumps(content), 200 if is_good else 503, media_type="application/json")
