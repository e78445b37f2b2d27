"""A business of its own for a test: registered over REST, with an agent and an API key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from tests.support.chat import Chat, Frame
from tests.support.platform import eventually

SIMULATED = "ollama/simulated"


@asynccontextmanager
async def open_rest(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """REST on one gateway; loopback needs neither proxy nor certificates."""
    transport = httpx.AsyncHTTPTransport(verify=False)
    async with httpx.AsyncClient(base_url=url, transport=transport, timeout=20, trust_env=False) as client:
        yield client


async def patiently(rest: httpx.AsyncClient, method: str, path: str, **options: Any) -> httpx.Response:
    """Ask, and again as long as the platform says to come later: what it did at the first call it does not do twice.

    A busy machine answers late, callers without a name share the limit of their address, and hashing waits its turn.
    """
    headers = {"Idempotency-Key": uuid4().hex, **options.pop("headers", {})}

    async def settled() -> httpx.Response | None:
        answer = await rest.request(method, path, headers=headers, **options)
        is_put_off = answer.status_code in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
        return None if is_put_off else answer

    answer = await eventually(settled, timeout_s=65, every_s=1)
    assert isinstance(answer, httpx.Response)
    return answer


@dataclass
class Business:
    """A tenant, its owner and one agent."""

    rest: httpx.AsyncClient
    urls: tuple[str, ...]
    id: str
    email: str
    password: str
    access_token: str
    api_key: str = ""
    agent_id: str = ""
    chats: list[Chat] = field(default_factory=list)

    @property
    def bearer(self) -> dict[str, str]:
        """The owner's credential as a header."""
        return {"Authorization": f"Bearer {self.access_token}"}

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """Ask as the owner; the decoded answer. Anything but a success fails the test."""
        headers = {**self.bearer, **options.pop("headers", {})}
        answer = await patiently(self.rest, method, path, headers=headers, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """Ask as the owner and be refused: status and code."""
        answer = await self.rest.request(method, path, headers=self.bearer, **options)
        assert answer.is_error, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.status_code, answer.json()["code"]

    def chat(self, gateway: int = 0, *, origin: str | None = None) -> Chat:
        """A customer's program at one of the gateways; not connected yet."""
        chat = Chat(self.urls[gateway], self.api_key, origin=origin)
        self.chats.append(chat)
        return chat

    async def make_agent(self, model: str, **fields: Any) -> str:
        agent = await self.call("POST", "/api/agent/create", json={"name": "Ada", "model": model, **fields})
        return str(agent["id"])

    async def set_policy(self, **policy: Any) -> None:
        """In force everywhere when this returns? The replica that stored it knows; the others hear of it at once."""
        await self.call("PUT", "/api/business/profile", json={"moderation": policy})

    async def messages(self, conversation_id: str) -> list[Frame]:
        """All messages of a conversation, oldest first, page by page."""
        found: list[Frame] = []
        cursor: str | None = None
        while True:
            parameters = {"limit": "100", **({"cursor": cursor} if cursor else {})}
            page = await self.call("GET", f"/api/conversations/{conversation_id}/messages", params=parameters)
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    async def stats(self) -> Frame:
        stats: Frame = await self.call("GET", "/api/business/stats")
        return stats


async def register(rest: httpx.AsyncClient, urls: tuple[str, ...], *, model: str = SIMULATED, **agent: Any) -> Business:
    """A new business with an owner, an API key, and an agent without fallbacks."""
    email, password = f"owner-{uuid4().hex}@example.com", f"pass-{uuid4().hex}"
    body = {"email": email, "password": password, "company_name": "Cairnway", "industry": "retail"}

    answer = await patiently(rest, "POST", "/api/auth/register", json=body)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    session = answer.json()
    business = Business(rest, urls, "", email, password, session["access_token"])
    business.id = (await business.call("GET", "/api/business/profile"))["id"]
    made = await business.call("POST", "/api/auth/api-keys", json={"name": "tests", "scopes": ["chat", "documents"]})
    business.api_key = made["key"]
    business.agent_id = await business.make_agent(model, **{"fallbacks": [], **agent})
    return business
