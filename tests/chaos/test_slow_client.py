"""Clients that read one byte a second: they cost nobody anything but themselves."""

import asyncio
from uuid import uuid4

import pytest

from tests.support.business import Business
from tests.support.chat import Answer
from tests.support.checker import check_all
from tests.support.faults import memory_of
from tests.support.platform import eventually
from tests.support.report import Played, Tell
from tests.support.scenarios import close, longest_silence_s
from tests.support.slow_chat import SlowChat
from tests.support.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

SLOW, ASKING, OTHERS = 10, 2, 6
MERGED, GIVEN_UP = "gateway_merged_frames_total", "gateway_slow_sockets_total"
MODEL = "ollama/simulated-n200-r20"
LONG = "ollama/simulated-n1500-r150"
NONCE = "n" * 60_000
BEHIND, OVERFLOW = 8, 20
"""Pongs of 60 kB: more than the kernel and the server hold for a connection; more than the 1 MiB left unread."""
NOISE_S = 1.0
MEMORY_MIB = 64


async def test_case_8_clients_that_read_one_byte_a_second(stage: Stage, tell: Tell) -> None:
    business = await stage.business()
    before = await _others(business)
    name = stage.platform.gateway_names()[0]
    port = stage.platform.internal_port(name)
    merged, given_up = await stage.metric(port, MERGED), await stage.metric(port, GIVEN_UP)
    gateway = stage.platform.process_of(name)
    assert gateway is not None
    async with memory_of(gateway) as memory:
        slow = [await SlowChat(stage.urls[0], business.api_key).open() for _ in range(SLOW)]
        beside = asyncio.create_task(_others(business))
        for chat in slow:
            await _leave_unread(chat, BEHIND)
        asked = [await _ask(chat) for chat in slow[:ASKING]]
        await eventually(lambda: _is_above(stage, port, MERGED, merged), timeout_s=60, every_s=0.5)
        for chat in slow:
            await _leave_unread(chat, OVERFLOW)
        await eventually(lambda: _is_above(stage, port, GIVEN_UP, given_up + SLOW - 1), timeout_s=30)
        await asyncio.gather(*(chat.wake() for chat in slow[:ASKING]))
        after = await beside
    resumed = [await _resume(business, chat, answer) for chat, answer in zip(slow, asked, strict=False)]
    await asyncio.gather(*(chat.close() for chat in slow))
    await check_all(business, [*before, *after, *resumed], timeout_s=60)
    quiet_s, beside_s = longest_silence_s(before, since=0), longest_silence_s(after, since=0)
    line = (
        f"{SLOW} clients read 1 byte/s: {await stage.metric(port, MERGED) - merged:.0f} frames merged, all given up at "
        f"1 MiB unread, 1013 for {ASKING} who wake in time and resume without a gap; gateway "
        f"+{memory.grown_mib:.0f} MiB at most; the others' longest silence {beside_s:.2f} s, before {quiet_s:.2f} s"
    )
    tell(Played("8", line, beside_s))
    assert {chat.close_code for chat in slow[:ASKING]} == {1013}
    assert beside_s < quiet_s + NOISE_S
    assert memory.grown_mib < MEMORY_MIB


async def _is_above(stage: Stage, port: int, name: str, value: float) -> bool:
    return await stage.metric(port, name) > value


async def _others(business: Business) -> list[Answer]:
    """Customers at the same gateway who read as they should."""
    chats = [business.chat(0) for _ in range(OTHERS)]
    await asyncio.gather(*(chat.open() for chat in chats))
    answers = await asyncio.gather(*(chat.answered(model=MODEL, timeout_s=60) for chat in chats))
    await close(chats)
    return list(answers)


async def _leave_unread(chat: SlowChat, pongs: int) -> None:
    for _ in range(pongs):
        await chat.send({"type": "ping", "nonce": NONCE})


async def _ask(chat: SlowChat) -> Answer:
    options = {"use_knowledge": False, "model": LONG}
    question = {"type": "message.send", "client_message_id": str(uuid4()), "content": "Hello?", "options": options}
    await chat.send(question)
    return Answer(question)


async def _resume(business: Business, slow: SlowChat, answer: Answer) -> Answer:
    """What the slow client had read, and the rest over a socket that is read; asked again where `accepted` was lost."""
    for frame in slow.frames:
        if frame["type"] == "message.accepted":
            answer.accepted = frame
        elif frame.get("message_id"):
            answer.take(frame)
    chat = business.chat(1)
    chat.answers.append(answer)
    await chat.follow(timeout_s=60)
    await chat.close()
    return answer
