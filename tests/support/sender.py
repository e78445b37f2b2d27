"""Whoever sends many documents by a process of its own that gives way: it is not what answers, nor who measures."""

import asyncio
import multiprocessing
import os
from collections.abc import Sequence
from typing import Final

import httpx

from tests.support.business import Business

NICENESS: Final = 10
PATIENCE_S: Final = 600.0


async def send_beside(business: Business, files: Sequence[bytes]) -> None:
    """Send PDF files as fast as they are taken.

    Raises:
        SystemExit: One was refused.
    """
    given = (business.urls[0], dict(business.bearer), list(files))
    process = multiprocessing.get_context("spawn").Process(target=_send, args=given)
    process.start()
    await asyncio.to_thread(process.join)
    if process.exitcode:
        raise SystemExit("the documents could not be sent")


def _send(url: str, bearer: dict[str, str], files: Sequence[bytes]) -> None:
    os.nice(NICENESS)
    with httpx.Client(base_url=url, headers=bearer, timeout=PATIENCE_S) as rest:
        for number, data in enumerate(files):
            sent = {"file": (f"{number}.pdf", data, "application/pdf")}
            rest.post("/api/documents", files=sent).raise_for_status()
