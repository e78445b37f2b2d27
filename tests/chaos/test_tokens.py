"""Tokens across crashes: in order, once, without gap, whoever dies (reliability section 14)."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.support import scenarios
from tests.support.checker import check_all
from tests.support.report import Played, Tell
from tests.support.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

BUSINESSES, RUNNING = 5, 8
WORKERS = 2
ATTEMPT_WITHIN_S = 12.0
FETCHED_WITHIN_S = 6.0


@pytest.mark.parametrize("play", [scenarios.gateway_killed, scenarios.asked_fifty_times, scenarios.filter_killed])
async def test_quick_scenario(stage: Stage, tell: Tell, play: Callable[[Stage], Awaitable[Played]]) -> None:
    """Cases 2 and 9, and a filter replica's death."""
    tell(await play(stage))


@pytest.mark.parametrize("victims", [1, 2])
async def test_case_1_kill_inference_with_forty_answers_running(stage: Stage, tell: Tell, victims: int) -> None:
    businesses = [await stage.business("ollama/simulated-n140-r10") for _ in range(BUSINESSES)]
    chats = [business.chat(number % 3) for business in businesses for number in range(RUNNING)]
    await asyncio.gather(*(chat.open() for chat in chats))
    answers = [await chat.ask() for chat in chats]
    await asyncio.gather(*(chat.reached(answer, 20) for chat, answer in zip(chats, answers, strict=True)))
    killed_at = time.monotonic()
    held = stage.answering()  # a worker may have fetched nearly all of the jobs: the other's death would prove nothing
    assert sum(held.values()) == len(answers)
    killed = list(held)[:victims]
    for name in killed:
        await scenarios.kill(stage, name)
    returning = asyncio.create_task(_back_s(stage, since=killed_at))
    await asyncio.gather(*(chat.ended(chat.answers[0], timeout_s=90) for chat in chats))
    await scenarios.close(chats)
    back_s = await returning
    for business in businesses:
        await check_all(business, [answer for chat in business.chats for answer in chat.answers])
    assert all(answer.end and answer.end["type"] == "message.completed" for answer in answers), "something was lost"
    again = [answer for answer in answers if answer.attempt != 1]
    assert {answer.attempt for answer in again} == {2}
    assert len(again) >= sum(held[name] for name in killed)
    waits_s = sorted(_second_start(answer.frames, answer.times) - killed_at for answer in again)
    line = (
        f"{victims} of 2 workers killed with {len(answers)} answers running: {len(again)} at attempt 2 from "
        f"seq 0 after {waits_s[0]:.1f} to {waits_s[-1]:.1f} s (killed workers ready again after {back_s:.1f} s); "
        "shown = stored, one usage record"
    )
    pause_s = scenarios.longest_silence_s(answers, since=killed_at)
    tell(Played(f"1 with {victims} of {WORKERS}", line, pause_s))
    assert victims < WORKERS or len(again) == len(answers)
    # Where nobody is left the next attempt also waits for a process to start, on a busy machine the longest part.
    bound_s = ATTEMPT_WITHIN_S if victims < WORKERS else max(ATTEMPT_WITHIN_S, back_s + FETCHED_WITHIN_S)
    assert waits_s[-1] < bound_s


async def _back_s(stage: Stage, *, since: float) -> float:
    await stage.recovered(timeout_s=90)
    return time.monotonic() - since


def _second_start(frames: list[dict[str, object]], times: list[float]) -> float:
    """When the first token of attempt 2 came."""
    return next(
        at for frame, at in zip(frames, times, strict=True) if (frame["type"], frame.get("attempt")) == ("token", 2)
    )
