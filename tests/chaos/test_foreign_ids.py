"""Ids of another business, and patterns, wherever an id can be said: answered as unknown ones, byte for byte."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from contracts.ids import uuid7
from tests.support.business import Business
from tests.support.chat import Chat, Frame
from tests.support.checker import check_all
from tests.support.platform import eventually
from tests.support.report import Played, Tell
from tests.support.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

SECRET = "zanzibar"
"""In every text of the victim, and in nobody else's."""
BODY = {"name": "Mine", "content": "Hello?"}
ODD = ("*", ">", "%", "..", "%00", "' OR 1=1 --", "{}", "x" * 5_000)
PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass
class Victim:
    """A business with one of everything; `ids` are by the names of path parameters."""

    business: Business
    ids: dict[str, str]
    things: dict[str, Any]


async def test_case_15_foreign_ids_look_like_unknown_ones_everywhere(stage: Stage, tell: Tell) -> None:
    victim, thief = await _victim(stage), await stage.business()
    routes = list(_routes((await stage.rest.get("/openapi.json")).json()))
    # Of what the victim has none there is no foreign id: patterns and nonsense alone are tried.
    for name in {name for _, path in routes for name in PARAMETER.findall(path)}:
        victim.ids.setdefault(name, str(uuid7()))
    bodies: list[bytes] = []
    for method, path in routes:
        bodies += await _compare(thief, victim, method, path)
    bodies += await _search_elsewhere(thief, victim)
    frames = await _resume_elsewhere(thief, victim)
    told = b"".join(bodies).lower() + json.dumps(frames).encode().lower()
    for foreign in (SECRET, victim.business.email, *victim.ids.values()):
        assert foreign.lower().encode() not in told, "a foreign byte was told"
    assert await _things(victim.business, victim.ids) == victim.things, "the victim was changed"
    async with victim.business.chat() as chat:
        answer = await chat.answered()
    await check_all(victim.business, [*(a for c in victim.business.chats for a in c.answers)])
    assert answer.end
    line = (
        f"{len(routes)} routes with ids, search filters and resume entries: {len(bodies) + len(frames)} answers to "
        f"foreign ids, patterns and nonsense, each as for an unknown id; no foreign byte, nothing changed"
    )
    tell(Played("15", line, 0.0))


async def _victim(stage: Stage) -> Victim:
    business = await stage.business()
    agent_id = await business.make_agent("ollama/simulated", persona=SECRET)
    key = await business.call("POST", "/api/auth/api-keys", json={"name": SECRET, "scopes": ["chat"]})
    file = ("zanzibar.md", f"# {SECRET}\n\nThe {SECRET} is blue.\n".encode(), "text/markdown")
    document = await business.call("POST", "/api/documents", files={"file": file})

    async def is_ready() -> bool:
        return bool((await business.call("GET", f"/api/documents/{document['id']}"))["state"] == "ready")

    await eventually(is_ready, timeout_s=60, every_s=0.25)
    async with business.chat() as chat:
        answer = await chat.answered(f"What is {SECRET}?")
    ids = {
        "agent_id": agent_id,
        "key_id": key["id"],
        "document_id": document["id"],
        "conversation_id": answer.conversation_id,
        "message_id": answer.message_id,
    }
    return Victim(business, ids, await _things(business, ids))


async def _things(business: Business, ids: dict[str, str]) -> dict[str, Any]:
    paths = {
        "agent": f"/api/agent/{ids['agent_id']}",
        "document": f"/api/documents/{ids['document_id']}",
        "messages": f"/api/conversations/{ids['conversation_id']}/messages",
        "keys": "/api/auth/api-keys",
    }
    found = {name: await business.call("GET", path) for name, path in paths.items()}
    for key in found["keys"]["items"]:
        key.pop("last_used_at")
    return found


def _routes(spec: Any) -> Iterator[tuple[str, str]]:
    for path, methods in spec["paths"].items():
        if PARAMETER.search(path):
            yield from ((method.upper(), path) for method in methods)


async def _compare(thief: Business, victim: Victim, method: str, path: str) -> list[bytes]:
    """One route: what each foreign or odd id is answered, after it was compared with an unknown one's answer."""
    unknown = {name: str(uuid7()) for name in victim.ids}
    expected = await _ask(thief, method, path, unknown)
    assert expected[0] == httpx.codes.NOT_FOUND, f"{method} {path}: {expected}"
    bodies = []
    for ids in _claims(victim.ids, unknown):
        status, headers, body = await _ask(thief, method, path, ids)
        assert (status, headers, body) == expected, f"{method} {path} with {str(ids)[:80]}"
        bodies.append(body)
    return bodies


def _claims(foreign: dict[str, str], unknown: dict[str, str]) -> Iterator[dict[str, str]]:
    yield foreign
    yield {name: value.upper() for name, value in foreign.items()}
    for odd in ODD:
        # A dot is written out, because clients take `..` out of a path before they send it.
        yield {name: quote(odd, safe="").replace(".", "%2E") for name in unknown}


async def _ask(thief: Business, method: str, path: str, ids: dict[str, str]) -> tuple[int, list[str], bytes]:
    """Status, names of headers and body, but for what is new in every answer."""
    is_upload = (method, path) == ("PUT", "/api/documents/{document_id}")
    body: dict[str, Any] = {"files": {"file": ("mine.md", b"# Mine", "text/markdown")}} if is_upload else {"json": BODY}
    body = body if method in {"POST", "PUT"} else {}
    address = PARAMETER.sub(lambda found: ids[found[1]], path)
    answer = await thief.rest.request(method, address, headers=thief.bearer, **body)
    told = re.sub(rb'"trace_id": ?"[0-9a-f]*"', b'"trace_id":""', answer.content)
    return answer.status_code, sorted(answer.headers), told


async def _search_elsewhere(thief: Business, victim: Victim) -> list[bytes]:
    """In documents of others there is nothing, as in documents that are not there."""
    bodies = []
    for document_id in (str(uuid7()), victim.ids["document_id"], victim.ids["document_id"].upper()):
        body = {"query": SECRET[:-1], "filters": {"document_ids": [document_id]}}
        answer = await thief.rest.post("/api/search", headers=thief.bearer, json=body)
        assert answer.status_code == httpx.codes.OK
        bodies.append(answer.content)
    assert len(set(bodies)) == 1
    for cursor in (victim.ids["document_id"], *ODD[:4]):
        answer = await thief.rest.get("/api/documents", headers=thief.bearer, params={"cursor": cursor})
        bodies.append(answer.content)
    return bodies


async def _resume_elsewhere(thief: Business, victim: Victim) -> list[Frame]:
    """Over the socket an entry that is no UUID is a bad frame, and every other one unknown."""
    unknown, foreign = (str(uuid7()), str(uuid7())), (victim.ids["conversation_id"], victim.ids["message_id"])
    pairs = [
        unknown,
        foreign,
        (foreign[0].upper(), foreign[1].upper()),
        (foreign[0], unknown[1]),
        (unknown[0], foreign[1]),
    ]
    told = [await _resume(thief, *pair) for pair in pairs]
    assert all(frame == told[0] for frame in told), told
    assert told[0]["code"] == "not_found"
    odd = [await _resume(thief, value, value) for value in ODD]
    assert {frame["code"] for frame in odd} == {"invalid_request"}
    return told + odd


async def _resume(thief: Business, conversation_id: str, message_id: str) -> Frame:
    point = {"conversation_id": conversation_id, "message_id": message_id, "attempt": 1, "after_seq": 0}
    chat = Chat(thief.urls[0], thief.api_key)
    await chat.connect()
    await chat.send({"type": "hello", "token": thief.api_key, "resume": [point]})
    told = await chat.error()
    await chat.close()
    return {name: value for name, value in told.items() if name not in {"in_reply_to", "detail"}}
