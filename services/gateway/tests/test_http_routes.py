"""What each route asks of which service, with which right, and what it answers."""

import hashlib
from datetime import UTC, datetime

import pytest

from contracts import auth, hand_off, ingest, models
from contracts import filter as rules
from contracts import inference as ai
from contracts.base import Nothing
from contracts.ids import AgentId, ApiKeyId, ConversationId, DocumentId, MessageId, UserId, uuid7
from contracts.inference import Agent
from contracts.learning import GET_STATS, Stats
from gateway_service.domain.principal import RIGHTS_OF_ROLE, Principal
from gateway_service.domain.sign_in import WRONG_PER_MINUTE
from runtime.errors import NotFound, Rejected
from services.gateway.tests.memory import OWNER, TENANT, Edge

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ID = uuid7()
BUSINESS = auth.Business(id=TENANT, name="Trails", industry="outdoor", created_at=NOW)
USER = auth.User(id=UserId(OWNER.id), email="a@example.com", role="owner", business=BUSINESS, created_at=NOW)
SESSION = auth.Session(user=USER, access_token="a", refresh_token="r", expires_in=900)
KEY = auth.ApiKey(
    id=ApiKeyId(ID), name="k", prefix="lum_abc", scopes=("chat",), created_at=NOW, expires_at=None, last_used_at=None
)
AGENT = Agent(
    id=AgentId(ID),
    name="A",
    persona="",
    instructions="",
    model="extractive/sentences",
    fallbacks=(),
    autonomy="auto",
    is_default=True,
    created_at=NOW,
    updated_at=NOW,
)

PROGRAM = Principal("api_key", TENANT, uuid7(), scopes=("chat",))

GUARDED = [
    ("GET", "/api/auth/api-keys", "business.read"),
    ("POST", "/api/auth/api-keys", "business"),
    ("DELETE", f"/api/auth/api-keys/{ID}", "business"),
    ("GET", "/api/business/profile", "business.read"),
    ("PUT", "/api/business/profile", "business"),
    ("GET", "/api/business/stats", "business.read"),
    ("POST", "/api/agent/create", "business"),
    ("GET", "/api/agents", "chat.read"),
    ("GET", "/api/models", "chat.read"),
    ("GET", f"/api/agent/{ID}", "chat.read"),
    ("PUT", f"/api/agent/{ID}", "business"),
    ("DELETE", f"/api/agent/{ID}", "business"),
    ("GET", f"/api/agent/{ID}/status", "chat.read"),
    ("GET", "/api/conversations", "chat.read"),
    ("GET", f"/api/conversations/{ID}", "chat.read"),
    ("GET", f"/api/conversations/{ID}/messages", "chat.read"),
    ("POST", f"/api/conversations/{ID}/messages", "chat"),
    ("GET", f"/api/conversations/{ID}/messages/{ID}/trace", "chat"),
    ("POST", f"/api/conversations/{ID}/escalate", "chat"),
    ("POST", f"/api/conversations/{ID}/assign", "inbox"),
    ("POST", f"/api/conversations/{ID}/hand-back", "inbox"),
    ("POST", f"/api/conversations/{ID}/resolve", "inbox"),
    ("GET", "/api/knowledge/settings", "documents.read"),
    ("PUT", "/api/knowledge/settings", "business"),
    ("GET", "/api/knowledge/gaps", "documents.read"),
    ("POST", f"/api/knowledge/gaps/{ID}/resolve", "documents"),
    ("POST", f"/api/knowledge/gaps/{ID}/reopen", "documents"),
    ("POST", "/api/documents", "documents"),
    ("GET", "/api/documents", "documents.read"),
    ("GET", f"/api/documents/{ID}", "documents.read"),
    ("PATCH", f"/api/documents/{ID}", "documents"),
    ("DELETE", f"/api/documents/{ID}", "documents"),
    ("POST", f"/api/documents/{ID}/reprocess", "documents"),
    ("POST", "/api/search", "documents.read"),
]


@pytest.fixture
async def edge():
    made = Edge()
    yield made
    await made.client.aclose()


@pytest.mark.parametrize(("method", "path", "right"), GUARDED)
async def test_a_route_opens_to_those_with_its_right_alone(edge: Edge, method, path, right):
    assert (await edge.call(method, path, token=None)).status_code == 401
    for role, rights in RIGHTS_OF_ROLE.items():
        edge.tokens.known[role] = Principal("user", TENANT, uuid7(), role=role)
        answer = await edge.call(method, path, token=role)
        assert (answer.status_code == 403) == (right not in rights), role
    edge.tokens.known["bare"] = Principal("api_key", TENANT, uuid7(), scopes=())
    assert (await edge.call(method, path, token="bare")).status_code == 403


def test_no_guarded_route_is_missing_above():
    listed = {(method, path.replace(str(ID), "{}")) for method, path, _ in GUARDED}
    import re

    found = {
        (method, re.sub(r"\{\w+\}", "{}", route.path))
        for route in Edge().app.routes
        for method in getattr(route, "methods", ())
        if route.path.startswith("/api/") and not route.path.startswith(("/api/auth/", "/api/chat"))
    }
    assert found <= listed


async def test_registering_answers_with_a_session(edge: Edge):
    edge.services.tell(auth.REGISTER, SESSION)
    body = b'{"email":"a@example.com","password":"long enough","company_name":"Trails","client":"x","idempotency":{}}'
    answer = await edge.call("POST", "/api/auth/register", token=None, content=body, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 201
    assert answer.json()["refresh_token"] == "r"
    asked = edge.services.asked[-1][1]
    assert asked.idempotency.key == "k"
    assert asked.idempotency.body_sha256 == hashlib.sha256(body).hexdigest()


async def test_wrong_passwords_are_counted_by_email_and_right_ones_are_not(edge: Edge):
    body = {"email": "A@example.com", "password": "x"}
    edge.services.tell(auth.LOGIN, SESSION)
    for _ in range(2 * WRONG_PER_MINUTE):
        assert (await edge.call("POST", "/api/auth/login", json=body)).status_code == 200
    edge.services.tell(auth.LOGIN, Rejected(code="wrong_credentials"))
    for _ in range(WRONG_PER_MINUTE):
        assert (await edge.call("POST", "/api/auth/login", json=body)).status_code == 401
    refused = await edge.call("POST", "/api/auth/login", json={**body, "email": "a@EXAMPLE.com"})
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    other = await edge.call("POST", "/api/auth/login", json={**body, "email": "b@example.com"})
    assert other.status_code == 401


async def test_a_refresh_names_the_client_without_saying_who_it_is(edge: Edge):
    edge.services.tell(auth.REFRESH, SESSION)
    for agent in ("one", "one", "two"):
        headers = {"User-Agent": agent}
        await edge.call("POST", "/api/auth/refresh", json={"refresh_token": "r", "client": "forged"}, headers=headers)
    clients = [request.client for _, request, _ in edge.services.asked]
    assert clients[0] == clients[1] != clients[2]
    assert "forged" not in clients


async def test_signing_out_has_nothing_to_tell(edge: Edge):
    edge.services.tell(auth.LOGOUT, Nothing())
    answer = await edge.call("POST", "/api/auth/logout", token=None, json={"refresh_token": "r"})
    assert (answer.status_code, answer.content) == (204, b"")


async def test_who_am_i_is_for_people(edge: Edge):
    edge.services.tell(auth.ME, auth.MeReply(user=USER))
    assert (await edge.call("GET", "/api/auth/me")).json() == USER.model_dump(mode="json")
    edge.tokens.known["key"] = Principal("api_key", TENANT, uuid7(), scopes=("admin",))
    assert (await edge.call("GET", "/api/auth/me", token="key")).status_code == 403


async def test_a_new_api_key_is_shown_once(edge: Edge):
    edge.services.tell(auth.CREATE_API_KEY, auth.CreatedApiKey(api_key=KEY, key="lum_secret"))
    made = await edge.call("POST", "/api/auth/api-keys", json={"name": "k"})
    assert (made.status_code, made.json()["key"], made.json()["id"]) == (201, "lum_secret", str(KEY.id))
    edge.services.tell(auth.LIST_API_KEYS, auth.ApiKeys(items=(KEY,), next_cursor="c"))
    listed = (await edge.call("GET", "/api/auth/api-keys?limit=1&cursor=b")).json()
    assert "key" not in listed["items"][0]
    assert listed["next_cursor"] == "c"
    assert (edge.services.asked[-1][1].limit, edge.services.asked[-1][1].cursor) == (1, "b")


async def test_a_profile_joins_business_and_policy_and_changes_what_is_given(edge: Edge):
    kept = rules.ModerationPolicy(version=3, terms=("foo",), terms_action="block", cards_action="off")
    edge.services.tell(auth.GET_BUSINESS, auth.BusinessReply(business=BUSINESS))
    edge.services.tell(rules.GET_POLICY, rules.PolicyReply(policy=kept))
    profile = (await edge.call("GET", "/api/business/profile")).json()
    assert profile["name"] == "Trails"
    assert profile["moderation"] == kept.model_dump(mode="json")
    edge.services.tell(rules.PUT_POLICY, lambda request: rules.PolicyReply(policy=request.policy))
    edge.services.asked.clear()
    await edge.call(
        "PUT", "/api/business/profile", json={"moderation": {"terms": ["bar"], "version": 99, "iban_action": "mask"}}
    )
    put = next(request for verb, request, _ in edge.services.asked if verb == "put_policy")
    assert put.policy == kept.model_copy(update={"terms": ("bar",), "iban_action": "mask"})
    assert "update_business" not in [verb for verb, _, _ in edge.services.asked]


async def test_a_refused_policy_changes_nothing_else(edge: Edge):
    edge.services.tell(rules.GET_POLICY, rules.PolicyReply(policy=rules.ModerationPolicy()))
    edge.services.tell(rules.PUT_POLICY, Rejected("a term is longer than the window"))
    answer = await edge.call("PUT", "/api/business/profile", json={"name": "New", "moderation": {"terms": ["x" * 90]}})
    assert answer.status_code == 422
    assert [verb for verb, _, _ in edge.services.asked] == ["get_policy", "put_policy"]


async def test_agents_are_made_changed_and_removed(edge: Edge):
    for rpc in (ai.CREATE_AGENT, ai.UPDATE_AGENT, ai.GET_AGENT):
        edge.services.tell(rpc, ai.AgentReply(agent=AGENT))
    edge.services.tell(ai.DELETE_AGENT, Nothing())
    made = await edge.call("POST", "/api/agent/create", json={"name": "A", "thresholds": {"unknown": 1}})
    assert (made.status_code, made.json()["id"]) == (201, str(ID))
    await edge.call("PUT", f"/api/agent/{ID}", json={"name": "B", "agent_id": str(uuid7())})
    assert edge.services.asked[-1][1] == ai.UpdateAgent(agent_id=AgentId(ID), name="B")
    status = await edge.call("GET", f"/api/agent/{ID}/status")
    assert status.json() == {"agent_id": str(ID), "status": "active"}
    assert (await edge.call("DELETE", f"/api/agent/{ID}")).status_code == 204


@pytest.mark.parametrize(
    ("query", "led_to"), [("", False), ("?led_to=true", True), ("?led_to=false", False), ("?pages=true", True)]
)
async def test_a_document_is_deleted_with_what_it_led_to_if_that_is_asked(edge: Edge, query: str, led_to: bool):
    edge.services.tell(ingest.DELETE_DOCUMENT, Nothing())
    assert (await edge.call("DELETE", f"/api/documents/{ID}{query}")).status_code == 204
    assert edge.services.asked[-1][1] == ingest.DeleteDocument(document_id=DocumentId(ID), led_to=led_to)
    assert (await edge.call("DELETE", f"/api/documents/{ID}?led_to=some")).status_code == 422


async def test_documents_are_listed_by_what_they_came_of(edge: Edge):
    edge.services.tell(ingest.LIST_DOCUMENTS, ingest.Documents(items=(), next_cursor=None))
    assert (await edge.call("GET", f"/api/documents?came_of={ID}&state=failed&filename=a.md")).status_code == 200
    asked = edge.services.asked[-1][1]
    assert (asked.came_of, asked.state, asked.filename) == (DocumentId(ID), "failed", "a.md")
    assert (await edge.call("GET", "/api/documents?came_of=a.zip")).status_code == 422


async def test_stats_and_models_pass_through(edge: Edge):
    edge.services.tell(GET_STATS, Stats(conversations=2))
    edge.services.tell(models.LIST_MODELS, models.Models(items=()))
    assert (await edge.call("GET", "/api/business/stats")).json()["conversations"] == 2
    assert (await edge.call("GET", "/api/models")).json() == {"items": [], "next_cursor": None}


async def test_a_message_through_rest_is_accepted_as_over_a_socket(edge: Edge):
    def accept(request: ai.AcceptTurn) -> ai.AcceptedTurn:
        return ai.AcceptedTurn(
            conversation_id=request.conversation_id,
            message_id=request.message_id,
            customer_message_id=request.customer_message_id,
            is_duplicate=False,
            state="queued",
        )

    edge.services.tell(ai.ACCEPT_TURN, accept)
    edge.tokens.known["program"] = PROGRAM
    path = f"/api/conversations/{ID}/messages"
    answer = await edge.call("POST", path, token="program", json={"content": "Hello?"})
    assert answer.status_code == 202
    asked = edge.services.asked[-1][1]
    assert answer.json()["message_id"] == str(asked.message_id)
    assert answer.json()["client_message_id"] == str(asked.client_message_id)
    assert (asked.is_new_conversation, asked.conversation_id, asked.customer) == (False, ID, PROGRAM.key)

    keyed = [
        await edge.call("POST", path, token="program", json={"content": "x"}, headers={"Idempotency-Key": k})
        for k in "aab"
    ]
    ids = [one.json()["client_message_id"] for one in keyed]
    assert ids[0] == ids[1] != ids[2]


async def test_the_same_key_with_another_message_is_a_conflict(edge: Edge):
    first, path = MessageId(uuid7()), f"/api/conversations/{ID}/messages"

    def duplicate(request: ai.AcceptTurn) -> ai.AcceptedTurn:
        return ai.AcceptedTurn(
            conversation_id=ConversationId(ID),
            message_id=request.message_id,
            customer_message_id=first,
            is_duplicate=True,
            state="completed",
        )

    def messages(question: ai.ListMessages) -> ai.Messages:
        if question.cursor is None:
            return ai.Messages(items=(), next_cursor="2")
        kept = ai.Message(
            id=first, conversation_id=ConversationId(ID), author="customer", content="Hello?", created_at=NOW
        )
        return ai.Messages(items=(kept,), next_cursor=None)

    edge.services.tell(ai.ACCEPT_TURN, duplicate)
    edge.tokens.known["program"] = PROGRAM
    edge.services.tell(ai.LIST_MESSAGES, messages)
    for where, content, status in (
        (path, "Hello?", 202),
        (path, "Bye.", 409),
        (path.replace(str(ID), str(uuid7())), "Hello?", 409),
    ):
        headers = {"Idempotency-Key": "k"}
        answer = await edge.call("POST", where, token="program", json={"content": content}, headers=headers)
        assert answer.status_code == status
    assert answer.json()["code"] == "idempotency_conflict"


async def test_a_message_to_an_unknown_conversation_is_not_found(edge: Edge):
    edge.services.tell(ai.ACCEPT_TURN, NotFound())
    edge.services.tell(hand_off.CHOOSE_AUTHOR, NotFound())
    edge.tokens.known["program"] = PROGRAM
    for token in ("program", "owner"):
        answer = await edge.call("POST", f"/api/conversations/{ID}/messages", token=token, json={"content": "Hello?"})
        assert answer.status_code == 404


async def test_lists_pass_their_filters_on(edge: Edge):
    edge.services.tell(ai.LIST_CONVERSATIONS, ai.Conversations(items=(), next_cursor=None))
    edge.services.tell(ai.LIST_MESSAGES, ai.Messages(items=(), next_cursor=None))
    edge.services.tell(ingest.LIST_DOCUMENTS, ingest.Documents(items=(), next_cursor=None))
    await edge.call("GET", f"/api/conversations?status=active&agent_id={ID}")
    assert edge.services.asked[-1][1] == ai.ListConversations(status="active", agent_id=AgentId(ID))
    await edge.call("GET", f"/api/conversations/{ID}/messages?cursor=x&order=desc")
    assert edge.services.asked[-1][1] == ai.ListMessages(
        conversation_id=ConversationId(ID), cursor="x", with_notes=True, order="desc"
    )
    await edge.call("GET", "/api/documents?state=failed&limit=5&tag=Tents")
    assert edge.services.asked[-1][1] == ingest.ListDocuments(state="failed", limit=5, tag="tents")
    assert (await edge.call("GET", "/api/documents?tag=,")).status_code == 422
    assert (await edge.call("GET", "/api/conversations?status=odd")).status_code == 422
    assert (await edge.call("GET", f"/api/conversations/{ID}/messages?order=odd")).status_code == 422


async def test_search_asks_ingest(edge: Edge):
    edge.services.tell(ingest.SEARCH, ingest.SearchReply(items=()))
    answer = await edge.call("POST", "/api/search", json={"query": "tents", "k": 3})
    assert answer.json() == {"items": []}
    assert edge.services.asked[-1][1] == ingest.Search(query="tents", k=3)
    filters = {"tags": [" Summer Sale ", "summer sale"], "created_since": "2026-05-01T00:00:00+02:00"}
    await edge.call("POST", "/api/search", json={"query": "tents", "filters": filters})
    asked = edge.services.asked[-1][1].filters
    assert asked.tags == ("summer sale",)
    assert asked.created_since == datetime(2026, 4, 30, 22, tzinfo=UTC)
    for wrong in (
        {"tags": ["x" * 41]},
        {"tags": ["-"]},
        {"tag": ["a"]},
        {"page": 3},
        {"created_until": "2026-05-01T00:00:00"},
    ):
        refused = await edge.call("POST", "/api/search", json={"query": "tents", "filters": wrong})
        assert refused.status_code == 422, wrong
    misspelt = await edge.call("POST", "/api/search", json={"query": "tents", "limit": 3})
    assert (misspelt.status_code, "limit" in misspelt.json()["detail"]) == (422, True)


async def test_tags_are_changed_or_left(edge: Edge):
    edge.services.tell(ingest.UPDATE_DOCUMENT, NotFound())
    for body, tags in (
        ({"tags": ["Über uns", "a"]}, ("über uns", "a")),
        ({"tags": []}, ()),
        ({}, None),
    ):
        await edge.call("PATCH", f"/api/documents/{ID}", json=body)
        assert edge.services.asked[-1][1] == ingest.UpdateDocument(document_id=DocumentId(ID), tags=tags)
    many = [f"tag {n}" for n in range(ingest.MOST_TAGS + 1)]
    for wrong in (many, ["a,b"], [""], ["a\u0000"], "a"):
        assert (await edge.call("PATCH", f"/api/documents/{ID}", json={"tags": wrong})).status_code == 422, wrong
    assert len(edge.services.asked) == 3


async def test_how_documents_are_cut_is_asked_and_changed(edge: Edge):
    settings = ingest.KnowledgeSettings(passage_tokens=128, overlap=0.25)
    edge.services.tell(ingest.GET_SETTINGS, ingest.KnowledgeSettingsReply(settings=settings))
    edge.services.tell(ingest.PUT_SETTINGS, lambda asked: ingest.KnowledgeSettingsReply(settings=asked.settings))
    assert (await edge.call("GET", "/api/knowledge/settings")).json() == {"passage_tokens": 128, "overlap": 0.25}
    changed = await edge.call("PUT", "/api/knowledge/settings", json={"passage_tokens": 64, "overlap": 0})
    assert changed.json() == {"passage_tokens": 64, "overlap": 0.0}
    asked = len(edge.services.asked)
    for wrong in ({"passage_tokens": 63, "overlap": 0}, {"passage_tokens": 221, "overlap": 0}, {"passage_tokens": 100}):
        assert (await edge.call("PUT", "/api/knowledge/settings", json=wrong)).status_code == 422
    assert len(edge.services.asked) == asked


async def test_every_question_is_asked_in_the_callers_own_business(edge: Edge):
    foreign = Principal("user", MessageId(uuid7()), uuid7(), role="owner")
    edge.tokens.known["foreign"] = foreign
    edge.services.tell(ingest.GET_DOCUMENT, NotFound())
    await edge.call("GET", f"/api/documents/{DocumentId(ID)}", token="foreign")
    _, _, scope = edge.services.asked[-1]
    assert scope == foreign.scope
