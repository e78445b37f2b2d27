"""One-shot after the first start: makes the demo business, through the public interface alone. `python -m lumora.seed`.

Every step is noted in demo.json as soon as it is done, so that a start that was cut off goes on where it stopped, and
one that finished has nothing to do.
"""

import asyncio
import json
import os
import secrets as random
import sys
from pathlib import Path
from typing import Any

from lumora.client.api import Api, Declined, open_api
from lumora.client.documents import follow, upload
from lumora.data_folder import DataFolder, write_private
from lumora.refused import Refused

EMAIL = "owner@cairnway.example.com"
COMPANY = "Cairnway"
AGENT = {
    "name": "Cairnway assistant",
    "persona": "You are the assistant of Cairnway, a small shop for outdoor gear. You are friendly, clear and brief.",
    "instructions": "Answer questions about orders, returns, products and stores from the shop's documents.",
}
_DOCUMENTS = Path(__file__).parent / "demo"
_DOCUMENT_WITHIN_S = 120.0


class Demo:
    """What is known of the demo business, kept in demo.json."""

    def __init__(self, path: Path, url: str) -> None:
        self._path = path
        self.known: dict[str, Any] = {"url": url, "email": EMAIL}
        if path.exists():
            self.known |= json.loads(path.read_text(encoding="utf-8"))
        self.note(url=url)

    def note(self, **facts: Any) -> None:
        """Remember, across crashes."""
        self.known |= facts
        write_private(self._path, self.known)

    def password(self) -> str:
        """The owner's; made before it is used, so that it is known whatever happens then."""
        if "password" not in self.known:
            self.note(password=random.token_urlsafe(12))
        return str(self.known["password"])


async def seed(url: str, folder: DataFolder) -> None:
    """Business, agent, API key, documents; whatever is there already is left alone."""
    demo = Demo(folder.demo, url)
    if demo.known.get("is_complete"):
        return
    async with open_api(url) as nobody:
        token = await sign_in(nobody, demo)
    async with open_api(url, token, timeout_s=60) as api:
        if "agent_id" not in demo.known:
            demo.note(agent_id=await make_agent(api))
        if "api_key" not in demo.known:
            made = await api.call("POST", "/api/auth/api-keys", json={"name": "demo", "scopes": ["chat", "documents"]})
            demo.note(api_key=made["key"])
        await read_documents(api)
    demo.note(is_complete=True)


async def sign_in(api: Api, demo: Demo) -> str:
    """Register, or log in when an earlier try got that far; returns an access token."""
    person = {"email": demo.known["email"], "password": demo.password()}
    company = {"company_name": COMPANY, "industry": "outdoor retail"}
    try:
        session = await api.call("POST", "/api/auth/register", json={**person, **company})
    except Declined as declined:
        if declined.code != "email_taken":
            raise
        session = await api.call("POST", "/api/auth/login", json=person)
    return str(session["access_token"])


async def make_agent(api: Api) -> str:
    """The id of the agent, which may be there already."""
    for agent in await api.items("/api/agents"):
        if agent["name"] == AGENT["name"]:
            return str(agent["id"])
    made = await api.call("POST", "/api/agent/create", json=AGENT)
    return str(made["id"])


async def read_documents(api: Api) -> None:
    """Upload every document of the shop and wait until all can be searched (the same bytes twice are one document).

    Raises:
        Refused: one of them failed.
    """
    uploaded = [await upload(api, path) for path in documents()]
    for document in uploaded:
        read = await follow(api, document["id"], lambda _document: None, timeout_s=_DOCUMENT_WITHIN_S)
        if read["state"] != "ready":
            raise Refused(f"The demo's document {read['title']} could not be read: {read['error']['detail']}")


def documents() -> list[Path]:
    """The shop's documents."""
    return sorted(path for path in _DOCUMENTS.iterdir() if path.suffix in (".md", ".txt"))


def main() -> None:
    """Seed the platform at LUMORA_URL."""
    try:
        asyncio.run(seed(os.environ["LUMORA_URL"], DataFolder(Path(os.environ["LUMORA_DATA"]))))
    except Refused as refused:
        print(json.dumps({"level": "debug", "event": "seed.failed", "sentence": f"The demo was not made: {refused}"}))
        sys.exit(1)


if __name__ == "__main__":
    main()
