"""The whole platform with a simulated model behind it: what end-to-end and chaos tests play on."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psutil

from runtime.testing.ollama_server import SimulatedOllama
from runtime.testing.scripted_server import Generation
from tests.support.business import SIMULATED, Business, open_rest, register
from tests.support.platform import EVERYTHING, Platform, eventually, make_platform


@dataclass
class Stage:
    """A running platform, its simulated model, and REST on its first gateway."""

    platform: Platform
    model: SimulatedOllama
    rest: httpx.AsyncClient

    @property
    def urls(self) -> tuple[str, ...]:
        """One for each gateway."""
        first = self.platform.settings.port
        return tuple(f"http://127.0.0.1:{first + number}" for number in range(self.platform.settings.gateways))

    async def business(self, model: str = SIMULATED, **agent: Any) -> Business:
        return await register(self.rest, self.urls, model=model, **agent)

    def generations(self, text: str) -> list[Generation]:
        """What the model was asked with this text in its last message."""
        return [asked for asked in self.model.generations if text in _question(asked)]

    def answering(self) -> dict[str, int]:
        """How many answers of the model each worker has under way, by its name in the log; the busiest comes first."""
        asking = {asked.peer for asked in self.model.generations if not asked.is_over}
        names = self.platform.worker_names()
        held = {name: len(asking & _own_ends(self.platform.process_of(name))) for name in names}
        return dict(sorted(held.items(), key=lambda one: one[1], reverse=True))

    async def recovered(self, *, timeout_s: float = 60) -> float:
        """Wait until every process says that it is ready; returns the seconds that took."""
        begin = asyncio.get_running_loop().time()
        await eventually(self._is_ready, timeout_s=timeout_s)
        return asyncio.get_running_loop().time() - begin

    async def _is_ready(self) -> bool:
        names = self.platform.process_names()
        ports = [self.platform.internal_port(name) for name in names]
        return all(await asyncio.gather(*(self.is_ready(port) for port in ports)))

    async def is_ready(self, internal_port: int) -> bool:
        try:
            answer = await self.rest.get(f"http://127.0.0.1:{internal_port}/health/ready", timeout=3)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK

    async def metric(self, internal_port: int, name: str) -> float:
        """The sum of a counter or gauge over its labels, as one process tells it now."""
        answer = await self.rest.get(f"http://127.0.0.1:{internal_port}/metrics")
        lines = [line for line in answer.text.splitlines() if line.startswith((name + " ", name + "{"))]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def _own_ends(process: psutil.Process | None) -> set[str]:
    """Addresses of its connections, as who is asked sees them."""
    connections = process.net_connections("tcp") if process else []
    return {str((each.laddr.ip, each.laddr.port)) for each in connections if each.raddr}


@asynccontextmanager
async def open_stage(
    *, gateways: int = 2, workers: int = 2, without: tuple[str, ...] = (), environment: Mapping[str, str] | None = None
) -> AsyncIterator[Stage]:
    """Start it all, and drain it at the end."""
    async with SimulatedOllama() as model:
        platform = make_platform(
            gateways=gateways,
            workers=workers,
            only=tuple(service for service in EVERYTHING if service not in without),
            environment={"OLLAMA_HOST": model.url, "LUMORA_MODEL_SLOTS": "64", **(environment or {})},
        )
        platform.launch()
        await asyncio.to_thread(platform.wait_ready)
        try:
            async with open_rest(platform.url) as rest:
                yield Stage(platform, model, rest)
        finally:
            await asyncio.to_thread(platform.stop)
            shutil.rmtree(platform.settings.data, ignore_errors=True)


def _question(asked: Generation) -> str:
    messages: Any = asked.body.get("messages") or [{}]
    return str(messages[-1].get("content", ""))
