import asyncio
import json
import sys

import psutil
import pytest

from cli.tests.children import ENVIRONMENT, Heard
from lumora.one_shot import OneShot
from lumora.refused import StartFailed


def shot(code, heard):
    return OneShot("seed", [sys.executable, "-c", code], ENVIRONMENT, heard.say)


def line(**content):
    return f"print({json.dumps(json.dumps(content))}, flush=True)"


async def test_it_runs_to_its_end_and_its_lines_are_heard():
    heard = Heard()
    work = shot(line(event="half"), heard)
    half = work.event("half")
    await work.run()
    assert half.is_set()
    assert heard.count("half") == 1


async def test_one_that_fails_says_why_when_it_said_so_itself():
    with pytest.raises(StartFailed, match="seed failed with exit code 3; No shop today"):
        await shot(line(event="x", sentence="No shop today.") + "; raise SystemExit(3)", Heard()).run()


async def test_one_that_fails_without_a_word_points_at_the_log():
    with pytest.raises(StartFailed, match="the lines above say why"):
        await shot("raise SystemExit(1)", Heard()).run()


async def test_cancelling_ends_the_process():
    heard = Heard()
    running = asyncio.create_task(shot("import os, time; print('up', os.getpid()); time.sleep(600)", heard).run())
    pid = int((await heard.wait_for("up")).event.split()[1])
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not psutil.pid_exists(pid)
