"""Clients that break every rule at once, among a thousand that say nothing: nobody else notices."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.support.business import Business
from tests.support.chat import Answer, Chat
from tests.support.checker import check_all
from tests.support.faults import memory_of
from tests.support.report import Played, Tell
from tests.support.scenarios import close, longest_silence_s, sockets
from tests.support.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

IDLE, AT_ONCE = 1_000, 50
TALKING = 4
MODEL = "ollama/simulated-n160-r20"
NOISE_S = 1.5
"""This program opens the sockets, on the cores that the platform runs on."""


async def test_case_17_rude_and_idle_sockets_beside_running_answers(stage: Stage, tell: Tell) -> None:
    business = await stage.business()
    gateway = stage.platform.process_of(stage.platform.gateway_names()[0])
    assert gateway is not None
    async with sockets(business, TALKING) as chats:
        before = await _talk(chats)
        async with memory_of(gateway) as memory, _idle(business) as idle:
            talking = asyncio.create_task(_talk(chats))
            codes = await _offend(business)
            after = await talking
            assert [chat.close_code for chat in idle] == [None] * IDLE, "an idle socket was closed"
            asked = [await chat.ask() for chat in idle[:: IDLE // 10]]
            woken = [await chat.ended(answer) for chat, answer in zip(idle[:: IDLE // 10], asked, strict=True)]
    await check_all(business, [*before, *after, *woken])
    quiet_s, beside_s = longest_silence_s(before, since=0), longest_silence_s(after, since=0)
    line = (
        f"{IDLE} idle sockets (gateway +{memory.grown_mib:.0f} MiB) and {len(codes)} rude ones: closed with "
        f"{', '.join(f'{code} ({what})' for what, code in codes.items())}; running answers whole, longest silence "
        f"{beside_s:.2f} s, before {quiet_s:.2f} s"
    )
    tell(Played("17", line, beside_s))
    assert codes == {what: code for what, (code, _) in OFFENCES.items()}
    assert beside_s < quiet_s + NOISE_S


async def _talk(chats: list[Chat]) -> list[Answer]:
    answers = await asyncio.gather(*(chat.answered(model=MODEL, timeout_s=60) for chat in chats))
    return list(answers)


@asynccontextmanager
async def _idle(business: Business) -> AsyncIterator[list[Chat]]:
    """They say hello at one gateway, and no more."""
    chats = [business.chat(0) for _ in range(IDLE)]
    for first in range(0, IDLE, AT_ONCE):
        await asyncio.gather(*(chat.open() for chat in chats[first : first + AT_ONCE]))
    try:
        yield chats
    finally:
        for first in range(0, IDLE, AT_ONCE):
            await close(chats[first : first + AT_ONCE])


async def _offend(business: Business) -> dict[str, int]:
    """Every offence at once, at the gateway of the idle ones; the close code of each."""

    async def commit(what: str) -> int:
        _, offence = OFFENCES[what]
        chat = business.chat(0, origin="https://evil.example" if what == "wrong Origin" else None)
        await (chat.connect() if what == "no hello" else chat.open())
        await offence(chat)
        code = await chat.closed(timeout_s=20)
        await chat.close()
        return code

    return dict(zip(OFFENCES, await asyncio.gather(*map(commit, OFFENCES)), strict=True))


async def _say_nothing(_chat: Chat) -> None:
    """Being there is the offence."""


async def _send_binary(chat: Chat) -> None:
    await chat.send(b"{}")


async def _send_too_much(chat: Chat) -> None:
    await chat.send(json.dumps({"type": "ping", "nonce": "n" * 66_560}))


async def _send_bad_utf8(chat: Chat) -> None:
    await chat.send_as_text(b'{"type":"ping","nonce":"\xff"}')


async def _send_bad_frames(chat: Chat) -> None:
    for _ in range(20):
        await chat.send("{")


OFFENCES: dict[str, tuple[int, Callable[[Chat], Awaitable[None]]]] = {
    "wrong Origin": (4403, _say_nothing),
    "no hello": (4401, _say_nothing),
    "binary": (1003, _send_binary),
    "65 kB frame": (1009, _send_too_much),
    "bad UTF-8": (1007, _send_bad_utf8),
    "20 bad frames": (4429, _send_bad_frames),
}
