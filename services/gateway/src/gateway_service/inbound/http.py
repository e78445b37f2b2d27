"""The HTTP application: every route, every refusal, and the edge around them."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from gateway_service.inbound import (
    http_agents,
    http_auth,
    http_business,
    http_conversations,
    http_documents,
    http_hand_off,
    http_knowledge,
    http_openai,
    http_platform,
    pages,
    problems,
)
from gateway_service.inbound.edge import Edge
from gateway_service.inbound.http_desk import HttpDesk

VERSION = "0.1.0"
_READABLE = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After"]


def make_app(desk: HttpDesk) -> FastAPI:
    """The app with its REST routes and pages; a WebSocket door may be added to it."""
    app = FastAPI(
        title="Lumora", version=VERSION, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    problems.register(app)
    answering = (http_agents, http_conversations, http_hand_off, http_documents, http_knowledge, http_openai)
    for rooms in (http_auth, http_business, *answering):
        app.include_router(rooms.routes(desk))
    app.include_router(http_platform.routes(desk, app))
    pages.register(app)
    if desk.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(desk.origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
            expose_headers=_READABLE,
        )
    app.add_middleware(Edge, tokens=desk.tokens, limits=desk.limits)
    return app
