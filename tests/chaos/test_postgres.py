"""Postgres is away for 20 seconds: everybody is told so at once, and nothing that was accepted is lost."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.chat import Answer, Chat
from tests.support.checker import check_all
from tests.support.faults import Asked, asking, kept_dead, streams
from tests.support.platform import Platform, eventually
from tests.support.probe import frozen
from tests.support.report import Played, Tell
from tests.support.scenarios import close, longest_silence_s
from tests.support.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

AWAY_S = 20.0
TOLD_WITHIN_S = 2.0
SLACK_S = 0.5
"""This program shares the machine's cores with the whole platform."""
DRAINED_WITHIN_S = 60.0
MODELS = ("ollama/simulated-n100-r20", "ollama/simulated-n320-r12", "ollama/simulated-n600-r20")
"""Answers that end while it is away, just behind, and long after."""


@pytest.mark.parametrize("how", ["frozen", "killed"])
async def test_case_4_postgres_away_20_seconds(stage: Stage, tell: Tell, how: str) -> None:
    business = await stage.business()
    chats = [business.chat(number % len(stage.urls)) for number in range(6)]
    await asyncio.gather(*(chat.open() for chat in chats))
    answers = [await chat.ask(model=MODELS[number % 3]) for number, chat in enumerate(chats)]
    await asyncio.gather(*(chat.reached(answer, 5) for chat, answer in zip(chats, answers, strict=True)))
    newcomer = await business.chat().open()
    async with streams(stage) as looking, asking(business, "/api/agents", "/api/business/stats") as asked:
        buried = await looking.last_seq("DLQ")
        away_at = time.monotonic()
        async with _away(stage.platform, how):
            refusals = await _refused_for(newcomer, AWAY_S)
        back_at = time.monotonic()
        await asyncio.gather(*(chat.ended(chat.answers[0], timeout_s=DRAINED_WITHIN_S) for chat in chats))
        drained_s = time.monotonic() - back_at
        codes = {answer.refused["code"] for _, answer in refusals if answer.refused}
        frames_s = [took_s for took_s, answer in refusals if answer.refused]
        await eventually(business.stats, timeout_s=DRAINED_WITHIN_S)
        await _asked_again(newcomer)
        assert await looking.last_seq("DLQ") == buried, "an outage is nobody's dead letter"
    await close([*chats, newcomer])
    await check_all(business, [answer for chat in business.chats for answer in chat.answers])
    _check_told(asked, codes, frames_s)
    again = sum(answer.attempt != 1 for answer in answers)
    silence_s = longest_silence_s(answers, since=away_at)
    line = (
        f"Postgres {how} for {AWAY_S:.0f} s: {_summary(asked, frames_s)}; {len(answers)} running answers ended "
        f"{drained_s:.1f} s after its return at the latest, {again} by a later attempt, longest silence of one "
        f"{silence_s:.1f} s; 0 lost, DLQ unchanged"
    )
    tell(Played(f"4 {how}", line, max(silence_s, asked.worst_pause_s)))


@asynccontextmanager
async def _away(platform: Platform, how: str) -> AsyncIterator[None]:
    if how == "frozen":
        with frozen(platform, "postgres"):
            yield
    else:
        async with kept_dead(platform, "postgres"):
            yield


async def _refused_for(chat: Chat, seconds: float) -> list[tuple[float, Answer]]:
    """Ask over an open socket, one question after the other: how long each was waited for, and its answer."""
    told: list[tuple[float, Answer]] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()
        answer = await chat.ask("Anybody there?")
        await chat.told(answer, timeout_s=20)
        told.append((time.monotonic() - begin, answer))
        await asyncio.sleep(0.5)
    return told


async def _asked_again(chat: Chat) -> None:
    """What was refused as unavailable may have been accepted all the same; the same id settles it."""
    for answer in chat.answers:
        if answer.refused is not None:
            answer.refused = None
            await chat.send(answer.question)
    await chat.follow(timeout_s=DRAINED_WITHIN_S)


def _check_told(asked: Asked, codes: set[str], frames_s: list[float]) -> None:
    refused = [answer for answer in asked.answers if answer[1] != 200]
    assert {(status, code) for _, status, code in refused} == {(503, "unavailable")}
    assert asked.without_retry_after == 0
    assert max(took_s for took_s, *_ in refused) < TOLD_WITHIN_S + SLACK_S
    assert codes == {"unavailable"}
    assert max(frames_s) < TOLD_WITHIN_S + SLACK_S


def _summary(asked: Asked, frames_s: list[float]) -> str:
    counted = Counter(status for _, status, _ in asked.answers)
    slowest = max(took_s for took_s, status, _ in asked.answers if status != 200)
    return (
        f"{counted[503]} answers 503 over REST within {slowest:.2f} s, {len(frames_s)} error frames within "
        f"{max(frames_s):.2f} s"
    )
