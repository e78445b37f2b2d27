"""Uploads documents, names pages of the web, and follows them until they can be searched."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from lumora.client.api import Api
from lumora.refused import Refused

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 3.0
ENDED = ("ready", "failed")

Progress = Callable[[dict[str, Any]], None]


class TookTooLong(Refused):
    """A document was not ready in the time given."""

    code = "timeout"


class Ambiguous(Refused):
    """More than one document could be meant."""

    code = "ambiguous"


async def upload(api: Api, path: Path, tags: Sequence[str] = ()) -> dict[str, Any]:
    """Send one file; returns the document as the platform answers it (with `id` and `state`).

    Raises:
        Refused: the file cannot be read, or the platform declines it.
    """
    files = {"file": (path.name, await _content(path))}
    found: dict[str, Any] = await api.call("POST", "/api/documents", files=files, data={"tags": list(tags)})
    return found


async def upload_version(api: Api, path: Path, tags: Sequence[str] = ()) -> dict[str, Any]:
    """Send one file as the new version of the document that was uploaded under its name; `tags` are for a first one.

    Raises:
        Ambiguous: several documents have that name.
        Refused: as of `upload`.
    """
    named = await api.items("/api/documents", filename=path.name)
    own = [each for each in named if each["filename"] == path.name and each.get("came_of") is None]
    known = [each for each in own if each["state"] != "deleting"]
    if not known:
        return await upload(api, path, tags)
    if len(known) > 1:
        raise Ambiguous(f"{len(known)} documents are called {path.name}. Delete those that are out of date first.")
    files = {"file": (path.name, await _content(path))}
    found: dict[str, Any] = await api.call("PUT", f"/api/documents/{known[0]['id']}", files=files)
    return found


async def _content(path: Path) -> bytes:
    try:
        return await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error


async def name_page(api: Api, url: str, depth: int, tags: Sequence[str] = ()) -> dict[str, Any]:
    """Have a page of the web fetched, and those it leads to up to `depth` links away; returns its document.

    Raises:
        Refused: the platform declines the address.
    """
    asked = {"url": url, "depth": depth, "tags": list(tags)}
    found: dict[str, Any] = await api.call("POST", "/api/documents", json=asked)
    return found


async def follow(api: Api, document_id: str, progress: Progress, *, timeout_s: float) -> dict[str, Any]:
    """Ask how far a document is until it is ready or failed; `progress` gets every answer.

    Raises:
        TookTooLong: it is neither after `timeout_s`.
    """
    until = time.monotonic() + timeout_s
    async for document in _looks(api, document_id):
        progress(document)
        if document["state"] in ENDED:
            return document
        if time.monotonic() > until:
            raise TookTooLong(f"{document['title']} is still {document['state']} after {timeout_s:g} s.")
    raise AssertionError("unreachable")


async def follow_led_to(api: Api, document: dict[str, Any], progress: Progress, *, timeout_s: float) -> dict[str, Any]:
    """Ask until all that came of a document is ready or failed; `progress` gets every answer, the last is returned.

    Raises:
        TookTooLong: for `timeout_s` none of it became either.
    """
    until, before = time.monotonic() + timeout_s, -1
    if at_rest(document) == led_to(document):
        return document
    async for told in _looks(api, document["id"]):
        progress(told)
        if at_rest(told) == led_to(told):
            return told
        if at_rest(told) != before:
            until, before = time.monotonic() + timeout_s, at_rest(told)
        if time.monotonic() > until:
            of_all = f"{led_to(told) - at_rest(told)} of {led_to(told)} documents that came of it"
            raise TookTooLong(f"{of_all} are still not ready, and none became so for {timeout_s:g} s.")
    raise AssertionError("unreachable")


async def failed_of(api: Api, document_id: str) -> list[dict[str, Any]]:
    """What came of a document and failed."""
    return await api.items("/api/documents", came_of=document_id, state="failed")


def led_to(document: dict[str, Any]) -> int:
    """How many documents came of it."""
    return document.get("led_to") or 0


def at_rest(document: dict[str, Any]) -> int:
    """How many of those are ready or failed."""
    return (document.get("led_to_ready") or 0) + (document.get("led_to_failed") or 0)


async def _looks(api: Api, document_id: str) -> AsyncIterator[dict[str, Any]]:
    """One answer after the other.

    Questions count against the rate limit: a small document is ready at the first, a long one is asked about less and
    less.
    """
    pause_s = _FIRST_PAUSE_S
    while True:
        await asyncio.sleep(pause_s)
        yield await api.call("GET", f"/api/documents/{document_id}")
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
