"""Every process is asked to end, one after the other, while customers are being answered."""

import asyncio
import json
import time
from typing import Any

import psutil
import pytest

from tests.support.load import customers
from tests.support.platform import eventually
from tests.support.report import Played, Tell
from tests.support.scenarios import longest_silence_s, second_filter
from tests.support.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(480)]

DRAINED_WITHIN_S = 90
ONLY_RESTART = {1012}


async def test_case_13_rolling_sigterm_of_everything_under_load(stage: Stage, tell: Tell) -> None:
    took_s: dict[str, float] = {}
    began_at = time.monotonic()
    # Every service has a second replica but those that no running answer needs.
    async with (
        second_filter(stage),
        customers(stage, businesses=3, chats=3, model="ollama/simulated-n40-r20") as load,
    ):
        for name in stage.platform.process_names():
            took_s[name] = await _roll(stage, name)
            await stage.recovered()
        await asyncio.sleep(1)
    await load.check()
    again = [answer for answer in load.answers if answer.attempt != 1]
    closes = sum(len(chat.close_codes) for chat in load.chats) - len(load.chats)
    slowest = max(took_s, key=lambda name: took_s[name])
    line = (
        f"SIGTERM of {len(took_s)} processes under load: each exited 0 (slowest {slowest}, "
        f"{took_s[slowest]:.1f} s); {len(load.answers)} answers complete, {len(again)} by a later attempt, "
        f"{closes} sockets moved, close codes {sorted(load.close_codes)}"
    )
    tell(Played("13", line, longest_silence_s(load.answers, since=began_at)))
    assert all(answer.end and answer.end["type"] == "message.completed" for answer in load.answers)
    assert load.close_codes <= ONLY_RESTART


async def _roll(stage: Stage, name: str) -> float:
    """SIGTERM, and the seconds until it has drained; another life begins by itself."""
    process = await eventually(lambda: stage.platform.process_of(name))
    assert isinstance(process, psutil.Process)
    seen, begin = len(stage.platform.lines), time.monotonic()
    process.terminate()
    died = await eventually(lambda: _death(stage.platform.lines[seen:], name), timeout_s=DRAINED_WITHIN_S)
    assert died["code"] == 0, died
    return time.monotonic() - begin


def _death(lines: list[str], name: str) -> dict[str, Any] | None:
    """What the supervisor said of its end."""
    for line in lines:
        if '"process.died"' in line and f'"{name}"' in line:
            said: dict[str, Any] = json.loads(line)
            return said
    return None
