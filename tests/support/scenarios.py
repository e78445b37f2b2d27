"""Faults of reliability section 14 that are quick to play: each returns what was measured."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import pairwise
from uuid import uuid4

import psutil

from tests.support.business import Business
from tests.support.chat import Answer, Chat
from tests.support.checker import check_all
from tests.support.children import bound
from tests.support.platform import eventually
from tests.support.ports import free_ports
from tests.support.report import Played
from tests.support.stage import Stage

WORKERS_REOPENED = "inference_streams_reopened_total"
OPEN_STREAMS = "filter_open_streams"


async def kill(stage: Stage, name: str) -> psutil.Process:
    """kill -9 by the name in the log; returns who it was."""
    process = await eventually(lambda: stage.platform.process_of(name))
    assert isinstance(process, psutil.Process)
    process.kill()
    return process


async def gateway_killed(stage: Stage, *, chats: int = 6) -> Played:
    """Case 2: kill -9 of the gateway that holds the sockets, in mid-answer; resume at another replica."""
    business = await stage.business()
    other, holder = stage.platform.gateway_names()[:2]
    customers = [business.chat(1) for _ in range(chats)]
    for chat in customers:
        await chat.open()
    answers = [await chat.ask(model="ollama/simulated-n100-r20") for chat in customers]
    await asyncio.gather(*(chat.reached(answer, 20) for chat, answer in zip(customers, answers, strict=True)))
    killed_at = time.monotonic()
    await kill(stage, holder)
    waits_s = await asyncio.gather(*(_resume(chat, stage.urls[0]) for chat in customers))
    await close(customers)
    assert all(answer.attempt == 1 for answer in answers), "a gateway's death is no reason to generate again"
    await check_all(business, answers)
    await stage.recovered()
    line = (
        f"gateway killed: {chats} answers of {holder} resumed at {other}, each (attempt, seq) once; first token "
        f"{1000 * min(waits_s):.0f} to {1000 * max(waits_s):.0f} ms after connecting began"
    )
    return Played("2", line, longest_silence_s(answers, since=killed_at))


async def _resume(chat: Chat, url: str) -> float:
    """Seconds from connecting to the first token that was missed."""
    (answer,) = chat.answers
    await chat.closed()
    seen, begin = len(answer.frames), time.monotonic()
    await chat.open(url)
    await chat.ended(answer, timeout_s=40)
    return answer.times[seen] - begin


async def asked_fifty_times(stage: Stage, *, times: int = 50) -> Played:
    """Case 9: the same client_message_id from 50 sockets at once, over all gateways."""
    business = await stage.business()
    customers = [business.chat(number % len(stage.urls)) for number in range(times)]
    await asyncio.gather(*(chat.open() for chat in customers))
    text = f"Once {uuid4().hex}"
    options = {"use_knowledge": False, "model": "ollama/simulated-n40-r20"}
    question = {"type": "message.send", "client_message_id": str(uuid4()), "content": text, "options": options}
    answers = []
    for chat in customers:
        chat.answers.append(Answer(question))
        answers += chat.answers
    begin = time.monotonic()
    await asyncio.gather(*(chat.send(question) for chat in customers))
    await asyncio.gather(*(chat.ended(chat.answers[0], timeout_s=60) for chat in customers))
    took_s = time.monotonic() - begin
    await close(customers)
    assert len({answer.message_id for answer in answers}) == 1
    assert [answer.ids["duplicate"] for answer in answers].count(False) == 1
    assert len(stage.generations(text)) == 1
    # The counters say one acceptance and one usage record.
    await check_all(business, answers)
    line = (
        f"asked {times} times over {len(stage.urls)} gateways: one message, one generation, one charge; "
        f"all {times} saw all of it within {took_s:.1f} s"
    )
    return Played("9", line, longest_silence_s(answers, since=begin))


async def filter_killed(stage: Stage, *, chats: int = 8) -> Played:
    """kill -9 of the filter replica that holds the streams: the other one takes them over in mid-attempt."""
    business = await stage.business()
    async with second_filter(stage) as (process, port), sockets(business, chats) as customers:
        ports = (stage.platform.internal_port("filter"), port)
        reopened = await _reopened(stage)
        # Answers that broke off leave streams behind for a while; nobody moves those.
        left = [await stage.metric(port_, OPEN_STREAMS) for port_ in ports]
        answers = [await chat.ask(model="ollama/simulated-n240-r30") for chat in customers]
        await asyncio.gather(*(chat.reached(answer, 20) for chat, answer in zip(customers, answers, strict=True)))
        held = [await stage.metric(port_, OPEN_STREAMS) - before for port_, before in zip(ports, left, strict=True)]
        killed_at = time.monotonic()
        if held[0] >= held[1]:
            await kill(stage, "filter")
        else:
            process.kill()
        await asyncio.gather(*(chat.ended(chat.answers[0], timeout_s=40) for chat in customers))
        moved = await _reopened(stage) - reopened
        await check_all(business, answers)
        # The one that is left goes when the supervised one is back.
        await stage.recovered()
    assert moved > 0, f"no stream moved of {held}"
    assert all(answer.attempt == 1 for answer in answers), "a filter's death is no reason to generate again"
    line = f"filter killed: {moved:.0f} of {chats} streams moved, no token lost or doubled"
    return Played("2 for the filter", line, longest_silence_s(answers, since=killed_at))


async def _reopened(stage: Stage) -> float:
    ports = [stage.platform.internal_port(name) for name in stage.platform.worker_names()]
    return sum([await stage.metric(port, WORKERS_REOPENED) for port in ports])


@asynccontextmanager
async def second_filter(stage: Stage) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """One more filter process beside the supervised one, and its internal port."""
    port = free_ports(1)
    process = await asyncio.create_subprocess_exec(
        *bound("-m", "filter_service"),
        env=stage.platform.env("filter", port),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await eventually(lambda: stage.is_ready(port), timeout_s=40)
        yield process, port
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def sockets(business: Business, count: int) -> AsyncIterator[list[Chat]]:
    """Customers of one business, spread over the gateways."""
    chats = [business.chat(number % len(business.urls)) for number in range(count)]
    await asyncio.gather(*(chat.open() for chat in chats))
    try:
        yield chats
    finally:
        await close(chats)


async def close(chats: Iterable[Chat]) -> None:
    await asyncio.gather(*(chat.close() for chat in chats))


def longest_silence_s(answers: Iterable[Answer], *, since: float) -> float:
    """The longest time in which one answer showed nothing, from its question on, of those that end after `since`."""
    moments = [(answer.asked_at, *answer.times) for answer in answers]
    return max(
        (later - before for times in moments for before, later in pairwise(times) if later >= since), default=0.0
    )
