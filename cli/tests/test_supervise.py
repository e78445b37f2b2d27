import asyncio
import os
import signal

import psutil
import pytest

from cli.tests.children import Heard, python
from lumora.spawn import next_line
from lumora.supervise import RestartDelay

FOREVER = "import time; print('up'); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(600)"
POLITE = """
import signal, sys, time
def leave(*_):
    print('drained')
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print('up')
time.sleep(600)
"""
PARENT = "import subprocess, sys, time; p = subprocess.Popen(['sleep', '600']); print('up', p.pid); time.sleep(600)"


@pytest.fixture
async def heard():
    found = Heard()
    yield found
    found.supervisor.kill()
    await found.supervisor.stop()


def test_the_delay_doubles_to_a_limit_and_is_forgotten_after_a_long_life():
    delay = RestartDelay()
    assert [delay.after(1) for _ in range(8)] == [0.5, 1, 2, 4, 8, 10, 10, 10]
    assert delay.after(61) == 0.5
    assert delay.after(1) == 1


async def test_one_that_dies_is_started_again_and_said_so(heard):
    heard.supervisor.start([python("auth", "print('up'); raise SystemExit(3)")], tier=0)
    died = await heard.wait_for("process.died", times=2)
    assert (died.fields["process"], died.fields["code"], died.fields["restart_in_s"]) == ("auth", 3, 1.0)
    assert "auth ended with exit code 3; it starts again in 1 s." in died.fields["sentence"]
    assert heard.count("up") == 2


async def test_one_that_is_killed_is_started_again_with_another_pid(heard):
    (child,) = heard.supervisor.start([python("auth", FOREVER)], tier=0)
    await heard.wait_for("up")
    first = child.pid
    os.kill(first, signal.SIGKILL)
    died = await heard.wait_for("process.died")
    assert "SIGKILL" in died.fields["sentence"]
    await heard.wait_for("up", times=2)
    assert child.pid not in (None, first)


async def test_deaths_count_only_until_it_was_ready(heard):
    (child,) = heard.supervisor.start([python("auth", "print('up')")], tier=0)
    await heard.wait_for("process.died", times=2)
    assert child.deaths_before_ready == 2
    child.was_ready = True
    await heard.wait_for("process.died", times=3)
    assert child.deaths_before_ready == 2


async def test_stop_lets_it_finish_and_does_not_start_it_again(heard):
    (child,) = heard.supervisor.start([python("auth", POLITE)], tier=0)
    await heard.wait_for("up")
    await heard.supervisor.stop()
    assert heard.count("drained") == 1
    assert heard.count("process.died") == 0
    assert child.pid is None


async def test_one_that_does_not_finish_is_killed_and_said_so(heard):
    heard.supervisor.start([python("auth", STUBBORN, stop_within_s=0.2)], tier=0)
    await heard.wait_for("up")
    await heard.supervisor.stop()
    assert heard.count("process.killed") == 1


async def test_a_higher_tier_stops_first(heard):
    heard.supervisor.start([python("postgres", POLITE.replace("drained", "below"))], tier=0)
    heard.supervisor.start([python("auth", POLITE.replace("drained", "above"))], tier=1)
    await heard.wait_for("up", times=2)
    await heard.supervisor.stop()
    said = [line.event for line in heard.lines if line.event in ("below", "above")]
    assert said == ["above", "below"]


async def test_what_a_dead_one_started_ends_with_it(heard):
    (child,) = heard.supervisor.start([python("auth", PARENT)], tier=0)
    grandchild = psutil.Process(int((await heard.wait_for("up")).event.split()[1]))
    os.kill(child.pid, signal.SIGKILL)
    await heard.wait_for("process.died")
    psutil.wait_procs([grandchild], timeout=10)
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


async def test_stop_ends_the_wait_for_the_next_start(heard):
    heard.supervisor.start([python("auth", "raise SystemExit(1)")], tier=0)
    await heard.wait_for("process.died", times=3)
    async with asyncio.timeout(1):
        await heard.supervisor.stop()


async def test_a_program_that_is_not_there_is_said_so_and_tried_again(heard):
    spec = python("auth", "")
    heard.supervisor.start([type(spec)(**{**vars(spec), "argv": ("/nowhere/at/all",)})], tier=0)
    await heard.wait_for("process.died")
    assert any("FileNotFoundError" in line.event or "No such file" in line.event for line in heard.lines)


async def test_an_endless_line_is_cut_and_the_next_ones_are_read():
    reader = asyncio.StreamReader(limit=64)
    reader.feed_data(b"x" * 1000 + b"\n\n  \nnext\n\xff\xfe bad\n")
    reader.feed_eof()
    lines = [await next_line(reader) for _ in range(4)]
    assert "was cut" in lines[0]
    assert lines[1] == "next"
    assert "bad" in lines[2]
    assert lines[3] == ""
