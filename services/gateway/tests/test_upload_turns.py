import asyncio
from contextlib import AsyncExitStack

import pytest

from contracts.ids import TenantId, uuid7
from gateway_service.domain.upload_turns import AT_ONCE, FIRST_TOKEN_S, UploadTurns
from runtime.clock import FrozenClock, SystemClock

BUSINESS, OTHER = TenantId(uuid7()), TenantId(uuid7())
SOON_S = FIRST_TOKEN_S / 4


async def test_an_upload_waits_for_a_question_that_just_came_in():
    turns = UploadTurns(SystemClock())
    turns.asked()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SOON_S), turns.one(BUSINESS):
            pass


async def test_it_waits_for_no_question_that_is_out_of_the_way():
    clock = FrozenClock()
    turns = UploadTurns(clock)
    turns.asked()
    clock.advance(FIRST_TOKEN_S)
    async with asyncio.timeout(SOON_S), turns.one(BUSINESS):
        pass


async def test_questions_that_never_end_slow_uploads_down_and_do_not_stop_them():
    turns = UploadTurns(SystemClock())

    async def ask() -> None:
        while True:
            turns.asked()
            await asyncio.sleep(SOON_S)

    asking = asyncio.create_task(ask())
    await asyncio.sleep(0)
    async with asyncio.timeout(FIRST_TOKEN_S * 10), turns.one(BUSINESS):
        assert not asking.done()
    asking.cancel()


async def test_a_business_has_so_many_turns_and_takes_none_from_others():
    turns = UploadTurns(FrozenClock())
    async with AsyncExitStack() as taken:
        for _ in range(AT_ONCE):
            await taken.enter_async_context(turns.one(BUSINESS))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SOON_S), turns.one(BUSINESS):
                pass
        async with asyncio.timeout(SOON_S), turns.one(OTHER):
            pass
    async with asyncio.timeout(SOON_S), turns.one(BUSINESS):
        pass
