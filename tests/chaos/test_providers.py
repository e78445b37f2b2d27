"""Providers that refuse, fall silent or break off (reliability section 14)."""

import asyncio
import time

import pytest

from tests.support.business import Business
from tests.support.chat import Answer, Chat
from tests.support.checker import check_all
from tests.support.report import Played, Tell
from tests.support.scenarios import close, longest_silence_s, sockets
from tests.support.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

WORKERS, ROUNDS, AT_A_TIME = 2, 8, 6
BUSINESSES, RUNNING = 5, 8
CALLS_BEFORE_OPEN = 20
DEADLINE_S = 180.0
NEXT = "simulated-n40-r40"
DYING = ("reset", "cut", "error", "garbage")


@pytest.mark.parametrize(
    ("fault", "happens"),
    [("f529", "529 with Retry-After"), ("f500", "500"), ("d60000", "silence before the first token")],
)
async def test_case_6_a_provider_that_refuses_or_is_silent(stage: Stage, tell: Tell, fault: str, happens: str) -> None:
    name = f"simulated-n9-{fault}"
    business = await stage.business(f"ollama/{name}", fallbacks=[f"ollama/{NEXT}"])
    alone = await stage.business(f"ollama/{name}")
    waits_s: list[float] = []
    async with sockets(business, AT_A_TIME) as chats, alone.chat() as lonely:
        for _ in range(ROUNDS):
            waits_s += await asyncio.gather(*(_first_word_s(chat) for chat in chats))
        asked = len([generation for generation in stage.model.generations if generation.model == name])
        began = time.monotonic()
        failed = await lonely.answered(timeout_s=DEADLINE_S)
        failed_s = time.monotonic() - began
    answers = [answer for chat in chats for answer in chat.answers]
    await check_all(business, answers)
    await check_all(alone, [failed])
    assert {(answer.attempt, answer.shown) for answer in answers} == {(1, _words(40))}
    assert asked < CALLS_BEFORE_OPEN, "by both workers together"
    assert failed.end
    assert (failed.end["type"], failed.end["retryable"], failed.tokens) == ("message.failed", True, [])
    line = (
        f"{len(answers)} answers by the next model, the provider was asked {asked} times by "
        f"{WORKERS} workers; first word after {sorted(waits_s)[len(waits_s) // 2]:.1f} s, at worst "
        f"{max(waits_s):.1f} s; without another model {failed.end['code']} after {failed_s:.1f} s"
    )
    tell(Played(f"6 {happens}", line, max(waits_s)))


async def test_case_7_streams_that_die(stage: Stage, tell: Tell) -> None:
    await _break_off(stage, tell, DYING, "died")


async def test_case_7_streams_that_stall(stage: Stage, tell: Tell) -> None:
    await _break_off(stage, tell, ("stall",), "fell silent")


async def _break_off(stage: Stage, tell: Tell, faults: tuple[str, ...], happened: str) -> None:
    """Forty answers break off after 15 words each; as many as there are faults have no other model to go to."""
    businesses = [await stage.business(fallbacks=[f"ollama/{NEXT}"]) for _ in range(BUSINESSES)]
    alone = await stage.business()
    chats = [business.chat(number % 3) for business in businesses for number in range(RUNNING)]
    lonely = [alone.chat() for _ in faults]
    await asyncio.gather(*(chat.open() for chat in (*chats, *lonely)))
    for number, chat in enumerate((*chats, *lonely)):
        await chat.ask(model=f"ollama/simulated-n40-r5-f{faults[number % len(faults)]}-k15")
    ends = (chat.ended(chat.answers[0], timeout_s=DEADLINE_S) for chat in (*chats, *lonely))
    await asyncio.gather(*ends)
    await close((*chats, *lonely))
    for business in (*businesses, alone):
        await check_all(business, _asked(business))
    answers, failed = [chat.answers[0] for chat in chats], [chat.answers[0] for chat in lonely]
    assert {(answer.end or {})["type"] for answer in answers} == {"message.completed"}
    assert {answer.shown for answer in answers} == {_words(40)}
    assert {answer.attempt for answer in answers} <= {1, 2}
    again = [answer for answer in answers if answer.attempt == 2]
    assert len(again) > len(answers) / 2
    assert {(answer.end or {})["type"] for answer in failed} == {"message.failed"}
    line = (
        f"{len(again)} of {len(answers)} streams {happened} in mid-answer: attempt 2 by the next model; "
        f"{len(answers) - len(again)} never began there; "
        f"without another model {len(failed)} of {len(failed)} failed, none completed with half a text"
    )
    tell(Played(f"7 {happened}", line, longest_silence_s(answers, since=0)))


def _asked(business: Business) -> list[Answer]:
    return [answer for chat in business.chats for answer in chat.answers]


async def _first_word_s(chat: Chat) -> float:
    """Ask and hear it to the end; returns the seconds to the first word."""
    began = time.monotonic()
    answer = await chat.answered(timeout_s=DEADLINE_S)
    return next(at for frame, at in zip(answer.frames, answer.times, strict=True) if frame["type"] == "token") - began


def _words(count: int) -> str:
    return " ".join(f"w{number}" for number in range(count))
