"""A test run that is killed leaves nothing running."""

import asyncio
import shutil
import sys

import psutil
import pytest

from tests.support.platform import eventually

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's"),
    pytest.mark.timeout(180),
]

RUN = """
import asyncio
from tests.support.ingest_process import Ingest
from tests.support.stage import open_stage

async def play():
    async with open_stage(gateways=1, workers=1, without=("learning",)) as stage:
        service = Ingest(stage.platform, INGEST_INDEX_PATH=f"{stage.platform.settings.data}/other-index")
        service.start()
        pids = [one.pid for one in stage.platform.tree()]
        print(stage.platform.settings.data, *pids, service.process.pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(play())
"""


async def test_a_killed_run_takes_its_platform_along() -> None:
    run = await asyncio.create_subprocess_exec(sys.executable, "-c", RUN, stdout=asyncio.subprocess.PIPE)
    assert run.stdout is not None
    data, *pids = (await run.stdout.readline()).decode().split()
    started = [psutil.Process(int(pid)) for pid in pids]
    assert len(started) > 6
    run.kill()
    await run.wait()
    await eventually(lambda: not [one for one in started if _runs(one)], timeout_s=90)
    shutil.rmtree(data)


def _runs(process: psutil.Process) -> bool:
    """A dead one whose parent is gone too may wait for whoever adopted it."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
