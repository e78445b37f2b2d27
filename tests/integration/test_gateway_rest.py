"""The REST interface of two real gateways, in front of every other service."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import openai
import pytest

from contracts.ids import uuid7
from contracts.ingest import DOCUMENT_LIMIT_BYTES
from tests.support.business import Business, open_rest
from tests.support.platform import eventually
from tests.support.stage import Stage, open_stage

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

LIMIT = 80
AT_ONCE = 16
TEXT = b"# Returns\n\nYou can return anything within thirty days, unused and with its receipt.\n"


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    environment = {"LUMORA_REQUESTS_PER_MINUTE": str(LIMIT)}
    async with open_stage(gateways=2, workers=1, environment=environment) as stage:
        yield stage


@pytest.fixture(scope="module")
async def second(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with open_rest(stage.urls[1]) as rest:
        yield rest


@pytest.fixture
async def business(stage: Stage) -> Business:
    return await stage.business()


def inbox(stage: Stage) -> list[Path]:
    return [path for path in (stage.platform.folder.files / "inbox").rglob("*") if path.is_file()]


async def ready(business: Business, document_id: str) -> dict[str, Any]:
    async def settled() -> dict[str, Any] | None:
        found: dict[str, Any] = await business.call("GET", f"/api/documents/{document_id}")
        return found if found["state"] in {"ready", "failed"} else None

    found: dict[str, Any] = await eventually(settled, every_s=0.3)
    return found


async def test_gateways_count_a_caller_together(stage: Stage, second: httpx.AsyncClient, business: Business):
    async def ask(number: int) -> httpx.Response:
        rest = (stage.rest, second)[number % 2]
        # Nothing is behind this path, so that it is the edge alone that answers.
        return await rest.get("/api/nothing", headers=business.bearer)

    # A few at a time: all at once may take a busy broker longer than a gateway waits before it counts for itself.
    answers = [
        answer
        for first in range(0, 2 * LIMIT, AT_ONCE)
        for answer in await asyncio.gather(*(ask(number) for number in range(first, first + AT_ONCE)))
    ]
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {404, 429}
    assert statuses.count(404) < LIMIT
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "rate_limited"
    assert 0 < int(refused.headers["retry-after"]) <= 61


async def test_what_is_foreign_answers_as_what_does_not_exist(stage: Stage, business: Business):
    stranger = await stage.business()
    document = await stranger.call("POST", "/api/documents", files={"file": ("a.md", TEXT)})
    key = (await stranger.call("GET", "/api/auth/api-keys"))["items"][0]
    paths = [
        ("GET", "/api/agent/{}", stranger.agent_id),
        ("PUT", "/api/agent/{}", stranger.agent_id),
        ("DELETE", "/api/agent/{}", stranger.agent_id),
        ("GET", "/api/agent/{}/status", stranger.agent_id),
        ("GET", "/api/documents/{}", document["id"]),
        ("DELETE", "/api/documents/{}", document["id"]),
        ("POST", "/api/documents/{}/reprocess", document["id"]),
        ("DELETE", "/api/auth/api-keys/{}", key["id"]),
    ]
    for method, path, foreign in paths:
        answers = []
        for id_ in (foreign, str(uuid7()), "*"):
            answer = await stage.rest.request(method, path.format(id_), headers=business.bearer, json={"name": "x"})
            assert answer.status_code == 404, (method, path, id_, answer.text)
            answers.append({**answer.json(), "trace_id": ""})
        assert answers[0] == answers[1], (method, path)
    assert (await stranger.call("GET", f"/api/agent/{stranger.agent_id}"))["name"] == "Ada"


async def test_a_document_lives_from_upload_to_delete(stage: Stage, business: Business):
    uploaded = await business.call("POST", "/api/documents", files={"file": ("returns.md", TEXT)})
    document = await ready(business, uploaded["id"])
    assert (document["state"], document["progress"]) == ("ready", 1.0)
    listed = await business.call("GET", "/api/documents?state=ready")
    assert [item["id"] for item in listed["items"]] == [document["id"]]
    found = await business.call("POST", "/api/search", json={"query": "return within thirty days", "k": 3})
    assert found["items"][0]["document_id"] == document["id"]
    await business.call("DELETE", f"/api/documents/{document['id']}")

    async def is_gone() -> bool:
        answer = await stage.rest.get(f"/api/documents/{document['id']}", headers=business.bearer)
        return answer.status_code == 404

    await eventually(is_gone, every_s=0.3)
    assert (await business.call("POST", "/api/search", json={"query": "return within thirty days"}))["items"] == []
    assert inbox(stage) == []


async def test_an_upload_is_the_same_once_and_again(stage: Stage, second: httpx.AsyncClient, business: Business):
    headers = {**business.bearer, "Idempotency-Key": str(uuid4())}
    answers = [
        await rest.post("/api/documents", files={"file": (name, TEXT)}, headers=headers)
        for rest, name in ((stage.rest, "a.md"), (second, "a.md"), (stage.rest, "b.md"))
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 409]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[2].json()["code"] == "idempotency_conflict"
    await eventually(lambda: inbox(stage) == [])


async def test_too_large_is_said_while_it_streams_and_nothing_stays(stage: Stage, business: Business):
    async def too_much():
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        for _ in range((DOCUMENT_LIMIT_BYTES >> 20) + 1):
            yield b"x" * (1 << 20)
        yield b"\r\n--b--\r\n"

    headers = {**business.bearer, "Content-Type": "multipart/form-data; boundary=b"}
    answer = await stage.rest.post("/api/documents", content=too_much(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    declared = await stage.rest.post(
        "/api/documents", files={"file": ("a", b"x" * (52 << 20))}, headers=business.bearer
    )
    assert (declared.status_code, declared.json()["code"]) == (413, "too_large")
    assert inbox(stage) == []


async def test_a_client_that_leaves_in_the_middle_leaves_nothing(stage: Stage, business: Business):
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.platform.settings.port)
    head = (
        "POST /api/documents HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Authorization: Bearer {business.access_token}\r\nContent-Length: 30000000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    )
    writer.write(head.encode() + b"x" * (12 << 20))
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert await reader.read() == b""
    await eventually(lambda: inbox(stage) == [])
    assert (await business.call("GET", "/api/documents"))["items"] == []


async def test_a_file_that_is_not_what_it_says_is_refused(business: Business):
    assert await business.refused("POST", "/api/documents", files={"file": ("a.md", b"GIF89a\x01\x00 ...")}) == (
        415,
        "unsupported_type",
    )
    assert await business.refused("POST", "/api/documents", files={"file": ("a.md", b"")}) == (422, "empty_document")


async def test_a_revoked_key_is_refused_by_every_gateway(stage: Stage, second: httpx.AsyncClient, business: Business):
    made = await business.call("POST", "/api/auth/api-keys", json={"name": "k", "scopes": ["chat"]})
    headers = {"Authorization": f"Bearer {made['key']}"}
    for rest in (stage.rest, second):
        assert (await rest.get("/api/agents", headers=headers)).status_code == 200
        assert (await rest.get("/api/documents", headers=headers)).status_code == 403
    await business.call("DELETE", f"/api/auth/api-keys/{made['id']}")
    for rest in (stage.rest, second):

        async def is_refused(rest: httpx.AsyncClient = rest) -> bool:
            return (await rest.get("/api/agents", headers=headers)).status_code == 401

        await eventually(is_refused, every_s=0.2)


async def test_agents_are_made_once_listed_in_pages_and_changed(business: Business, stage: Stage):
    headers = {**business.bearer, "Idempotency-Key": "make"}
    made = [await stage.rest.post("/api/agent/create", json={"name": n}, headers=headers) for n in ("B", "B", "C")]
    assert [answer.status_code for answer in made] == [201, 201, 409]
    agent_id = made[0].json()["id"]
    assert made[1].json()["id"] == agent_id
    first = await business.call("GET", "/api/agents?limit=1")
    rest = await business.call("GET", f"/api/agents?limit=1&cursor={first['next_cursor']}")
    assert {page["items"][0]["id"] for page in (first, rest)} == {agent_id, business.agent_id}
    changed = await business.call("PUT", f"/api/agent/{agent_id}", json={"persona": "Kind."})
    assert (changed["name"], changed["persona"]) == ("B", "Kind.")
    assert (await business.call("GET", f"/api/agent/{agent_id}/status"))["status"] == "active"
    await business.call("DELETE", f"/api/agent/{agent_id}")
    assert await business.refused("GET", f"/api/agent/{agent_id}") == (404, "not_found")


async def test_a_profile_keeps_its_policy(business: Business):
    before = await business.call("GET", "/api/business/profile")
    assert before["moderation"]["version"] == 0
    after = await business.call(
        "PUT", "/api/business/profile", json={"name": "Cairn", "moderation": {"terms": ["foo"]}}
    )
    assert (after["name"], after["industry"], after["moderation"]["terms"]) == ("Cairn", "retail", ["foo"])
    assert after["moderation"]["version"] == 1
    assert await business.refused("PUT", "/api/business/profile", json={"moderation": {"terms": ["x" * 101]}}) == (
        422,
        "invalid_request",
    )


async def test_asking_through_rest_is_answered_in_the_conversation(stage: Stage, business: Business):
    async with business.chat() as chat:
        conversation = (await chat.answered("hello there")).conversation_id
    path = f"/api/conversations/{conversation}/messages"
    headers = {**business.bearer, "Idempotency-Key": "ask"}
    answers = [await stage.rest.post(path, json={"content": "and now?"}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [answer.json()["duplicate"] for answer in answers] == [False, True]
    other = await stage.rest.post(path, json={"content": "something else"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    message_id = answers[0].json()["message_id"]
    assert answers[1].json()["message_id"] == message_id

    async def answered() -> bool:
        return any(message["id"] == message_id for message in await business.messages(conversation))

    await eventually(answered, every_s=0.3)
    contents = [message["content"] for message in await business.messages(conversation)]
    assert contents.count("and now?") == 1
    listed = await business.call("GET", "/api/conversations")
    assert [(item["id"], item["title"]) for item in listed["items"]] == [(str(conversation), "hello there")]
    assert (await business.call("GET", f"/api/conversations/{conversation}"))["title"] == "hello there"
    assert await business.refused("POST", f"/api/conversations/{uuid7()}/messages", json={"content": "x"}) == (
        404,
        "not_found",
    )


async def test_a_service_that_hangs_is_a_503_in_time(stage: Stage, business: Business):
    learning = stage.platform.processes("learning")[0]
    learning.suspend()
    try:
        answer = await stage.rest.get("/api/business/stats", headers=business.bearer, timeout=2.5)
    finally:
        learning.resume()
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    await eventually(lambda: business.call("GET", "/api/business/stats"))


async def test_openais_client_gets_vectors(stage: Stage, business: Business):
    texts = [
        "You can return anything within thirty days.",
        "How long may I send something back?",
        "The Ridge tent.",
    ] * 9
    async with openai.AsyncOpenAI(api_key=business.api_key, base_url=f"{stage.urls[0]}/v1", timeout=60) as client:
        reply = await client.embeddings.create(model="all-MiniLM-L6-v2", input=texts)
        with pytest.raises(openai.NotFoundError, match="all-MiniLM-L6-v2"):
            await client.embeddings.create(model="text-embedding-3-small", input="one")
    vectors = [one.embedding for one in reply.data]
    assert [len(vector) for vector in vectors] == [384] * len(texts)
    near, far = (sum(a * b for a, b in zip(vectors[0], other, strict=True)) for other in vectors[1:3])
    assert near > 2 * abs(far)
    assert reply.usage.prompt_tokens > len(texts)


async def test_health_names_the_dependencies(stage: Stage):
    health = (await stage.rest.get("/health")).json()
    assert health["ready"]
    assert all(part["ok"] for part in health["dependencies"].values())
    assert {"nats", "auth", "files"} <= set(health["dependencies"])
    keys = (await stage.rest.get("/.well-known/jwks.json")).json()["keys"]
    assert all(key["alg"] == "ES256" and "d" not in key for key in keys)
