"""The REST interface, with its errors as sentences."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from lumora.refused import Refused

_BUSY = (429, 503)  # both say when to come back
_TRIES_WHEN_BUSY = 5
_LONGEST_WAIT_S = 65.0


class CannotReach(Refused):
    """Nothing answers at the URL."""

    code = "unreachable"


class Declined(Refused):
    """The platform said no; `code`, `status` and the detail are its own."""

    def __init__(self, detail: str, *, code: str, status: int = 0) -> None:
        super().__init__(detail)
        self.code = code
        self.status = status


class Api:
    """One principal's REST calls. Use `open_api`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """Ask, and again when the platform says that it is too busy for now; returns the decoded JSON.

        A POST carries one Idempotency-Key through all its tries, so that none of them makes a thing twice.

        Raises:
            CannotReach: nothing listens, or it broke off.
            Declined: any answer that is not a success.
        """
        if method == "POST":
            options["headers"] = {"Idempotency-Key": str(uuid.uuid4()), **options.get("headers", {})}
        for _ in range(_TRIES_WHEN_BUSY):
            answer = await self._send(method, path, **options)
            if answer.status_code not in _BUSY:
                break
            await asyncio.sleep(_wait_s(answer))
        if answer.is_success:
            return answer.json() if answer.content else None
        raise problem(answer)

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return await self._client.request(method, path, **options)
        except httpx.TransportError as error:
            raise unreachable(str(self._client.base_url), error) from error

    async def items(self, path: str, *, limit: int = 100, **parameters: Any) -> list[dict[str, Any]]:
        """All items of a list, page after page."""
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            asked = {"limit": limit, **parameters, **({"cursor": cursor} if cursor else {})}
            page = await self.call("GET", path, params=asked)
            found += page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return found


@asynccontextmanager
async def open_api(url: str, token: str | None = None, *, timeout_s: float = 30.0) -> AsyncIterator[Api]:
    """An `Api` at a base URL, with an API key or an access token."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    # Proxies of the environment are for the outside; a platform on loopback is not to be sent through one.
    is_local = "//127." in url or "//localhost" in url or "//[::1]" in url
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=timeout_s, trust_env=not is_local) as client:
        yield Api(client)


def _wait_s(answer: httpx.Response) -> float:
    try:
        return min(float(answer.headers.get("Retry-After", "1")), _LONGEST_WAIT_S)
    except ValueError:
        return 1.0


def problem(answer: httpx.Response) -> Declined:
    """RFC 9457 problem details as an error; any other body by its status."""
    try:
        content = answer.json()
        detail = content.get("detail") or content.get("title") or ""
        return Declined(f"{detail} ({content['code']})", code=content["code"], status=answer.status_code)
    except (ValueError, KeyError, AttributeError):
        return Declined(
            f"The platform answered with status {answer.status_code}.", code="http", status=answer.status_code
        )


def unreachable(url: str, error: Exception) -> CannotReach:
    """What to do when nothing answers."""
    told = str(error) or type(error).__name__
    return CannotReach(f"Nothing answers at {url} ({told}): start the platform with `make up`, or give its --url.")
