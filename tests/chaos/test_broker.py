"""The broker dies while messages flow: nothing is lost, nothing counts twice, everybody comes back alone."""

import asyncio
import time

import psutil
import pytest

from tests.support.load import customers, facts
from tests.support.platform import eventually
from tests.support.report import Played, Tell
from tests.support.scenarios import longest_silence_s
from tests.support.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(420)]

DEATHS = 5
FACTS_PER_S = 200
FLOWING_S = 3.0
COUNTED_WITHIN_S = 150


async def test_case_3_broker_killed_five_times_under_load(stage: Stage, tell: Tell) -> None:
    counted = await stage.business()
    back_s: list[float] = []
    began_at = time.monotonic()
    async with (
        customers(stage, businesses=2, chats=3, model="ollama/simulated-n20-r20") as load,
        facts(stage, counted, per_second=FACTS_PER_S) as told,
    ):
        for _ in range(DEATHS):
            await asyncio.sleep(FLOWING_S)
            back_s.append(await _kill_broker(stage))
        await asyncio.sleep(FLOWING_S)
    begin = time.monotonic()

    async def is_counted() -> bool:
        stats = await counted.stats()
        assert stats["turns_accepted"] <= told.published, "a fact had its effect twice"
        return bool(stats["turns_accepted"] == told.published == stats["conversations"])

    await eventually(is_counted, timeout_s=COUNTED_WITHIN_S, every_s=1)
    caught_up_s = time.monotonic() - begin
    await load.check()
    spans = ", ".join(f"{seconds:.1f}" for seconds in back_s)
    again = sum(answer.attempt != 1 for answer in load.answers)
    line = (
        f"broker killed {DEATHS} times: {told.published} facts at {FACTS_PER_S}/s ({told.repeated} publishes "
        f"repeated), 0 lost, 0 counted twice, caught up in {caught_up_s:.0f} s; {len(load.answers)} answers, {again} "
        f"by a later attempt, 0 lost; all services ready {spans} s after the broker was back"
    )
    tell(Played("3", line, longest_silence_s(load.answers, since=began_at)))


async def _kill_broker(stage: Stage) -> float:
    """Seconds from the broker's return to everybody's readiness; how long it is away is the supervisor's patience."""
    (broker,) = stage.platform.processes("nats")
    broker.kill()

    def is_back() -> list[psutil.Process]:
        return [process for process in stage.platform.processes("nats") if process.pid != broker.pid]

    await eventually(is_back, timeout_s=60)
    return await stage.recovered()
