"""One business sends ten thousand turns: it is told to come later, and the others wait no longer than before."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.support.business import Business
from tests.support.chat import Answer, Chat
from tests.support.checker import check_all
from tests.support.report import Played, Tell
from tests.support.scenarios import close
from tests.support.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

TURNS = 10_000
SOCKETS, WINDOW = 6, 40
OTHERS, CUSTOMERS, QUIET_QUESTIONS = 3, 2, 8
MODEL = "ollama/simulated-n30-r60-d400"
"""A first word after 400 ms, as a large model gives one."""
FLOOD_MODEL = "ollama/simulated-n10-d4000"
TIMES = 2.0
REST_EVERY_S = 0.25


async def test_case_12_ten_thousand_turns_of_one_business(stage: Stage, tell: Tell) -> None:
    flooding = await stage.business(FLOOD_MODEL)
    others = [await stage.business(MODEL) for _ in range(OTHERS)]
    chats = [other.chat(number % len(stage.urls)) for number, other in enumerate(others * CUSTOMERS)]
    await asyncio.gather(*(chat.open() for chat in chats))
    quiet = await _waits(chats, questions=QUIET_QUESTIONS)
    begun, beside = time.monotonic(), list[float]()
    flood = asyncio.create_task(_flood(flooding))
    over_rest = asyncio.create_task(_flood_over_rest(flooding, flood))
    while not flood.done():
        beside += await _waits(chats, questions=1)
    took_s = time.monotonic() - begun
    rest, tried = await over_rest
    floods = [*await flood, rest]
    await asyncio.gather(*(each.chat.follow(timeout_s=120) for each in floods))
    drained_s = time.monotonic() - begun - took_s
    await close([*chats, *(each.chat for each in floods)])
    for business in (*others, flooding):
        await check_all(business, [answer for chat in business.chats for answer in chat.answers], timeout_s=60)
    refused = sum((each.refused for each in floods), Counter[str]())
    accepted = sum(len(each.chat.answers) for each in floods)
    quiet_s, beside_s = _p95(quiet), _p95(beside)
    line = (
        f"{TURNS} turns of one business in {took_s:.0f} s: {accepted} accepted and ended, the last {drained_s:.1f} s "
        f"later, {refused.total()} refused, {rest.refused.total()} of {tried} over REST with 429 and Retry-After; the "
        f"others' p95 wait for a first word {beside_s:.2f} s ({len(beside)} answers), before {quiet_s:.2f} s"
    )
    tell(Played("12", line, max(beside)))
    assert set(refused) == {"too_many_turns"}
    assert rest.refused, "REST refused nothing"
    assert beside_s < TIMES * quiet_s


@dataclass
class Flood:
    """One socket's share: what was accepted is kept in `chat`, what was refused is counted."""

    chat: Chat
    refused: Counter[str] = field(default_factory=Counter)


async def _flood(business: Business) -> list[Flood]:
    floods = [Flood(business.chat(number % len(business.urls))) for number in range(SOCKETS)]
    await asyncio.gather(*(flood.chat.open() for flood in floods))
    shares = [TURNS // SOCKETS + (number < TURNS % SOCKETS) for number in range(SOCKETS)]
    await asyncio.gather(*(_send_share(flood, share) for flood, share in zip(floods, shares, strict=True)))
    return floods


async def _send_share(flood: Flood, share: int) -> None:
    """So many at a time, as a program does that does not wait for answers."""
    for first in range(0, share, WINDOW):
        asked = [await flood.chat.ask("Flood") for _ in range(min(WINDOW, share - first))]
        for answer in asked:
            await flood.chat.told(answer, timeout_s=60)
        for answer in asked:
            if answer.refused is not None:
                assert answer.refused["retry_after"], answer.refused
                flood.refused[answer.refused["code"]] += 1
                flood.chat.answers.remove(answer)


async def _flood_over_rest(business: Business, flood: "asyncio.Task[Any]") -> tuple[Flood, int]:
    """The same over REST: what was accepted, and how often it was tried."""
    opened = await business.chat().open()
    first = await opened.answered()
    path = f"/api/conversations/{first.conversation_id}/messages"
    mine, tried = Flood(opened), 0
    while not flood.done():
        tried += 1
        answer = await business.rest.post(path, headers=business.bearer, json={"content": "Flood"})
        if answer.status_code == httpx.codes.ACCEPTED:
            question = {"client_message_id": answer.json()["client_message_id"], "content": "Flood"}
            opened.answers.append(Answer(question, accepted=answer.json()))
        else:
            assert answer.status_code == httpx.codes.TOO_MANY_REQUESTS, answer.text
            assert int(answer.headers["Retry-After"]) >= 1
            mine.refused[answer.json()["code"]] += 1
        await asyncio.sleep(REST_EVERY_S)
    # Nobody followed these on a socket: connecting again asks for what was missed.
    await opened.open()
    return mine, tried


async def _waits(chats: list[Chat], *, questions: int) -> list[float]:
    """Seconds to the first word of each answer, each customer asking one after the other."""

    async def ask(chat: Chat) -> list[float]:
        answers = [await chat.answered(timeout_s=60) for _ in range(questions)]
        assert all(answer.tokens for answer in answers), "an answer without a word"
        return [_first_word_s(answer) for answer in answers]

    return [wait for waits in await asyncio.gather(*map(ask, chats)) for wait in waits]


def _first_word_s(answer: Answer) -> float:
    first = next(at for frame, at in zip(answer.frames, answer.times, strict=True) if frame["type"] == "token")
    return first - answer.asked_at


def _p95(waits: list[float]) -> float:
    return sorted(waits)[int(0.95 * len(waits))]
