"""Faults that last: something is away for a while, and what the platform says meanwhile is watched."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx
import psutil
from nats.aio.client import Client

from runtime.bus import Bus
from tests.support.business import Business
from tests.support.platform import Platform
from tests.support.probe import Streams
from tests.support.stage import Stage

KILL_EVERY_S = 0.2
ASK_EVERY_S = 0.5
LOOK_EVERY_S = 0.25


@asynccontextmanager
async def kept_dead(platform: Platform, service: str) -> AsyncIterator[None]:
    """kill -9 whatever of it lives, again and again: the supervisor starts it anew each time."""

    async def kill() -> None:
        while True:
            for process in platform.processes(service):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            await asyncio.sleep(KILL_EVERY_S)

    killing = asyncio.create_task(kill())
    try:
        yield
    finally:
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)


@asynccontextmanager
async def streams(stage: Stage) -> AsyncIterator[Streams]:
    """A look into the streams, as the provisioner."""
    async with as_user(stage, "provisioner") as nc:
        yield Streams(nc)


@asynccontextmanager
async def as_user(stage: Stage, user: str) -> AsyncIterator[Client]:
    """A NATS connection with the rights of one of the platform's own users."""
    bus = Bus(user, stage.platform.nats_url, stage.platform.seed(user))
    await bus.connect()
    try:
        yield bus.nc
    finally:
        await bus.stop()


@dataclass
class Asked:
    """What REST answered, over and over: (seconds, status, problem code or empty)."""

    answers: list[tuple[float, int, str]] = field(default_factory=list)
    without_retry_after: int = 0
    last_good_s: float = 0.0
    worst_pause_s: float = 0.0

    def good(self) -> None:
        now = time.monotonic()
        self.worst_pause_s = max(self.worst_pause_s, now - self.last_good_s)
        self.last_good_s = now


@asynccontextmanager
async def asking(business: Business, *paths: str) -> AsyncIterator[Asked]:
    """GET every path at every gateway twice a second, until the block ends."""
    asked = Asked(last_good_s=time.monotonic())

    async def ask(url: str) -> None:
        while True:
            begin = time.monotonic()
            answer = await business.rest.get(url, headers=business.bearer)
            _note(asked, answer, time.monotonic() - begin)
            await asyncio.sleep(ASK_EVERY_S)

    tasks = [asyncio.create_task(ask(url + path)) for url in business.urls for path in paths]
    try:
        yield asked
    finally:
        failed = [task.exception() for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert not failed, f"REST did not answer at all: {failed[:3]}"


def _note(asked: Asked, answer: httpx.Response, took_s: float) -> None:
    if answer.is_success:
        asked.good()
        asked.answers.append((took_s, answer.status_code, ""))
        return
    asked.answers.append((took_s, answer.status_code, answer.json()["code"]))
    asked.without_retry_after += "Retry-After" not in answer.headers


@dataclass
class Memory:
    """How much a process grew while it was watched, at most, in MiB of resident memory."""

    grown_mib: float = 0.0


@asynccontextmanager
async def memory_of(process: psutil.Process) -> AsyncIterator[Memory]:
    """Look four times a second until the block ends."""
    memory, at_first = Memory(), process.memory_info().rss

    async def look() -> None:
        while True:
            grown = (process.memory_info().rss - at_first) / (1 << 20)
            memory.grown_mib = max(memory.grown_mib, grown)
            await asyncio.sleep(LOOK_EVERY_S)

    looking = asyncio.create_task(look())
    try:
        yield memory
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
