"""Uploads documents, names pages of the web, and follows them until they can be searched."""

import asyncio
import time
from collections.abc import Callable, Sequence
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


async def upload(api: Api, path: Path, tags: Sequence[str] = ()) -> dict[str, Any]:
    """Send one file; returns the document as the platform answers it (with `id` and `state`).

    Raises:
        Refused: the file cannot be read, or the platform declines it.
    """
    try:
        content = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    files = {"file": (path.name, content)}
    found: dict[str, Any] = await api.call("POST", "/api/documents", files=files, data={"tags": list(tags)})
    return found


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
    until, pause_s = time.monotonic() + timeout_s, _FIRST_PAUSE_S
    while True:
        # Questions count against the rate limit: a small document is ready at the first, a long one is asked about less
        # and less.
        await asyncio.sleep(pause_s)
        document: dict[str, Any] = await api.call("GET", f"/api/documents/{document_id}")
        progress(document)
        if document["state"] in ENDED:
            return document
        if time.monotonic() > until:
            raise TookTooLong(f"{document['title']} is still {document['state']} after {timeout_s:g} s.")
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
