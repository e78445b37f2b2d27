import asyncio

import pytest

from ingest_service.domain.places import NoPlace
from ingest_service.domain.slots import Slots


async def test_a_process_that_ends_ends_what_is_at_work_and_takes_up_nothing_more():
    slots, done, begun = Slots(1), asyncio.Event(), asyncio.Event()

    async def at_work() -> str:
        async with slots.one():
            begun.set()
            await done.wait()
            return "read"

    first = asyncio.create_task(at_work())
    await begun.wait()
    waiting = [asyncio.create_task(at_work()) for _ in range(3)]
    await asyncio.sleep(0)
    await slots.leave()
    done.set()
    assert await first == "read"
    for each in waiting:
        with pytest.raises(NoPlace):
            await each
