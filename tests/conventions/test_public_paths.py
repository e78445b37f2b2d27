"""docs/api.md names every path of the public interface, and tells truly which of them are served."""

import re
from functools import cache
from typing import Any, cast

from contracts.messages import messages
from gateway_service.inbound import openapi
from gateway_service.inbound.http import make_app
from gateway_service.inbound.http_desk import HttpDesk
from tests.conventions.source import ROOT

# Other programs are written against these: a path may be added here, never taken away.
PROMISED = """
    POST /api/auth/register, /api/auth/login, /api/auth/refresh, /api/auth/logout
    GET /api/auth/me
    POST /api/auth/forgot-password, /api/auth/reset-password
    GET POST /api/auth/api-keys
    DELETE /api/auth/api-keys/:id
    GET POST /api/auth/members
    DELETE /api/auth/members/:id
    GET /.well-known/jwks.json
    GET PUT /api/business/profile
    GET /api/business/stats, /api/business/analytics, /api/business/export
    DELETE /api/business
    GET DELETE /api/customers/:id
    GET /api/customers/:id/export
    POST /api/agent/create
    GET PUT DELETE /api/agent/:id
    GET /api/agents, /api/agent/:id/status, /api/agent/:id/voice
    POST /api/agent/:id/feedback, /api/agent/:id/train
    GET POST /api/agent/:id/experiments
    GET /api/conversations, /api/conversations/:id, /api/conversations/stats
    POST /api/conversations/:id/escalate, /api/conversations/:id/assign
    POST /api/conversations/:id/hand-back, /api/conversations/:id/resolve
    GET POST /api/conversations/:id/messages
    GET /api/conversations/:id/messages/:message_id/trace
    GET /api/drafts
    POST /api/drafts/:id/approve, /api/drafts/:id/reject
    GET POST /api/documents
    GET DELETE /api/documents/:id
    POST /api/documents/:id/reprocess
    POST /api/attachments
    GET /api/knowledge/gaps
    POST /api/knowledge/gaps/:id/resolve
    GET /api/audit
    POST /api/search
    GET /api/models
    POST /api/integrations/email, /api/integrations/slack, /api/integrations/webhook
    GET /api/integrations
    DELETE /api/integrations/:id
    POST /api/integrations/:id/test
    GET /api/integrations/:id/deliveries
    GET /health/live, /health/ready, /health
    GET /api/chat/schema
    POST /api/widget/sessions
    POST /v1/chat/completions
    GET /v1/models
    POST /v1/embeddings
"""
ROW = re.compile(r"^\| (GET|POST|PUT|PATCH|DELETE) \| `([^`]+)` \|", re.MULTILINE)


def promised() -> set[tuple[str, str]]:
    pairs = set()
    for line in PROMISED.strip().splitlines():
        methods, paths = re.findall(r"\b[A-Z]+\b(?= )", line), re.findall(r"/[^\s,]+", line)
        pairs |= {(method, path) for method in methods for path in paths}
    return pairs


@cache
def documented() -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """What docs/api.md calls served, and what it calls not there yet."""
    served, later = (ROOT / "docs" / "api.md").read_text().split("## Not there yet")
    return set(ROW.findall(served)), set(ROW.findall(later))


@cache
def served() -> set[tuple[str, str]]:
    """What the gateway's own description says, parameters written as `:id`."""
    nothing = cast("Any", None)
    app = make_app(
        HttpDesk(services=nothing, tokens=nothing, limits=nothing, inbox=nothing, uploads=nothing, health=nothing)
    )
    paths = openapi.document(app)["paths"]
    # Under a conversation's own id the second one is named, as the page does.
    written = {path: re.sub(r"\{\w+\}", ":id", path.replace("{message_id}", ":message_id")) for path in paths}
    return {(method.upper(), written[path]) for path, found in paths.items() for method in found}


def test_no_promised_path_is_missing_from_the_page() -> None:
    now, later = documented()
    assert promised() - now - later == set()


def test_nothing_stands_in_both_lists() -> None:
    now, later = documented()
    assert now & later == set()


def test_what_the_page_calls_served_is_served_and_nothing_else() -> None:
    assert documented()[0] == served()


def test_the_page_names_every_frame() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    frames = {m.name.split(".", 2)[2] for m in messages() if m.kind == "frame"}
    assert {frame for frame in frames if f"`{frame}`" not in text} == set()
