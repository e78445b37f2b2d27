"""The vector engine is away: answers come without sources, and documents wait.

The engine lives inside ingest, so ingest stands still with it: it hears nothing and its connections stay open; then it
dies of it, and the supervisor starts another.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

import httpx
import psutil
import pytest

from tests.support.business import Business
from tests.support.chat import Answer
from tests.support.checker import check_all
from tests.support.faults import streams
from tests.support.platform import eventually
from tests.support.probe import frozen
from tests.support.report import Played, Tell
from tests.support.scenarios import longest_silence_s, sockets
from tests.support.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

TEXT = "# Returns\n\nReturns are free within 30 days of delivery, for everything but used stoves.\n"
QUESTION = "Can I return a tent within 30 days?"
TOLD_WITHIN_S = 2.5
WAITING = 3


async def test_case_5_vector_engine_away(stage: Stage, tell: Tell) -> None:
    business = await stage.business()
    await _until_ready(business, [await _upload(business, 0)])
    async with streams(stage) as looking, sockets(business, 3) as chats:
        (known,) = await _ask(chats[:1])
        assert _sources(known), "the document should have been found"
        buried = await looking.last_seq("DLQ")
        waiting = [await _upload(business, number) for number in range(1, WAITING + 1)]
        ingest: list[psutil.Process] = stage.platform.processes("ingest")
        away_at = time.monotonic()
        with frozen(stage.platform, "ingest"):
            blind = await _ask(chats)
            told = await _search(business)
            for process in ingest:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        back_s = await stage.recovered(timeout_s=90)
        ready_s = await _until_ready(business, waiting)
        (again,) = await _ask(chats[:1])
        assert await looking.last_seq("DLQ") == buried
    await check_all(business, [known, *blind, again])
    assert all(answer.end and answer.end["type"] == "message.completed" for answer in blind)
    assert not any(_sources(answer) for answer in blind), "sources out of nowhere"
    assert _sources(again)
    assert told == (503, "unavailable")
    silence_s = longest_silence_s(blind, since=away_at)
    line = (
        f"vector engine frozen, then killed: {len(blind)} answers completed without sources, search 503; ready again "
        f"after {back_s:.1f} s, {WAITING} waiting documents {ready_s:.1f} s later, sources are back; DLQ unchanged"
    )
    tell(Played("5", line, silence_s))


async def _ask(chats: list[Any]) -> list[Answer]:
    answers = [chat.answered(QUESTION, options={"use_knowledge": True}, timeout_s=60) for chat in chats]
    return list(await asyncio.gather(*answers))


def _sources(answer: Answer) -> list[Any]:
    """What the reply stood on, as its first frame told."""
    started = next(frame for frame in answer.frames if frame["type"] == "message.started")
    return list(started["sources"])


async def _upload(business: Business, number: int) -> Any:
    content = f"{TEXT}\nParagraph {number}.\n".encode()
    return await business.call(
        "POST", "/api/documents", files={"file": (f"returns-{number}.md", content, "text/markdown")}
    )


async def _search(business: Business) -> tuple[int, str]:
    begin = time.monotonic()
    answer = await business.rest.post("/api/search", headers=business.bearer, json={"query": QUESTION})
    assert time.monotonic() - begin < TOLD_WITHIN_S
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert answer.headers["Retry-After"]
    return answer.status_code, answer.json()["code"]


async def _until_ready(business: Business, documents: list[Any]) -> float:
    """Wait for all; the seconds that took."""
    begin = time.monotonic()

    async def are_ready() -> bool:
        found = [await business.call("GET", f"/api/documents/{document['id']}") for document in documents]
        assert not [document for document in found if document["state"] == "failed"]
        return all(document["state"] == "ready" for document in found)

    await eventually(are_ready, timeout_s=120, every_s=0.25)
    return time.monotonic() - begin
