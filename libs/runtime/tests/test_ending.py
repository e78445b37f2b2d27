import asyncio

import pytest

from runtime import ending
from runtime.ending import end_all


async def test_a_loop_whose_answer_comes_with_its_cancellation_ends_all_the_same(monkeypatch: pytest.MonkeyPatch):
    """As nats-py asks. The first cancellation is lost: without that the test would show nothing."""
    monkeypatch.setattr(ending, "AGAIN_S", 0.01)
    loop = asyncio.get_running_loop()
    answers = [loop.create_future()]

    async def ask_for_ever() -> None:
        while True:
            await asyncio.wait_for(answers[-1], timeout=60)
            answers.append(loop.create_future())

    asking = asyncio.create_task(ask_for_ever())
    await asyncio.sleep(0)
    answers[-1].set_result(None)
    await end_all([asking])
    assert asking.cancelled()
    assert len(answers) == 2, "the answer was taken, and the cancellation lost"


async def test_a_task_that_failed_or_has_ended_is_no_reason_to_wait():
    async def fail() -> None:
        raise ValueError

    failed, done = asyncio.create_task(fail()), asyncio.create_task(asyncio.sleep(0))
    await asyncio.wait({failed, done})
    await end_all([failed, done])
    await end_all([])
    assert isinstance(failed.exception(), ValueError)
