"""What a second call beside a silent one gains and costs: the time to the first token, without and with it.

A simulated hosted model on loopback: most calls speak within some 100 ms, 4 in 100 are silent for 3 s. Two of them,
with one seed, get 25 calls a second each at the same time, one without hedging (the baseline), one with it; `asked` is
what the provider was asked. Calls begin at their time whether or not others have ended.

    make bench b=hedging
    make bench b=hedging ARGS="--calls 4000 --slow 0.1"
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from inference_service.domain.guarded import GuardedModel
from inference_service.domain.hedged import HedgedModel
from inference_service.domain.model import Model, Prompt
from inference_service.domain.rations import HOSTED
from inference_service.outbound.openai_model import OpenAIModel
from inference_service.outbound.prometheus_providers import PrometheusProviders
from runtime.testing.openai_server import SimulatedOpenAI
from runtime.testing.scripted_server import Script

A_SECOND = 25
HEDGED = "with hedging"
SLOW_S = 3.0
WARM_UP = 100
"""Calls that are not counted: hedging begins when the model's own silences are known."""


class Tailed(SimulatedOpenAI):
    """Silent for a while before each answer, now and then for long."""

    def __init__(self, slow: float) -> None:
        super().__init__(models={"m": Script(words=5)})
        self._dice, self._slow = random.Random(1), slow

    async def chat(self, request: web.Request) -> web.StreamResponse:
        is_slow = self._dice.random() < self._slow
        await asyncio.sleep(SLOW_S if is_slow else self._dice.lognormvariate(-2.5, 0.4))
        return await super().chat(request)

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/chat/completions", self._count), web.get("/v1/models", self._models)]

    async def _count(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        return await self.chat(request)

    asked = 0


@dataclass
class Side:
    """One of the two, and what was measured of it."""

    name: str
    server: Tailed
    model: Model
    waits_s: list[float] = field(default_factory=list)
    asked: int = 0

    async def measure(self, calls: int) -> None:
        before = self.server.asked
        self.waits_s = await ask(self.model, calls)
        self.asked = self.server.asked - before

    def row(self) -> str:
        cuts = statistics.quantiles(self.waits_s, n=1000)
        cells = " |".join(f"{1000 * cuts[n - 1]:8.0f}" for n in (500, 900, 950, 990))
        return f"| {self.name:16} | {len(self.waits_s):6} | {self.asked:6} |{cells} |"


@asynccontextmanager
async def opened(name: str, slow: float) -> AsyncIterator[Side]:
    async with Tailed(slow) as server:
        provider, watch = OpenAIModel("", server.url), PrometheusProviders()
        guarded = GuardedModel("openai", provider, watch, places=HOSTED.places)
        model = HedgedModel("openai", guarded, watch) if name == HEDGED else guarded
        await ask(model, WARM_UP)
        yield Side(name, server, model)
        await provider.close()


async def ask(model: Model, calls: int) -> list[float]:
    began = time.monotonic()

    async def once(number: int) -> float:
        await asyncio.sleep(began + number / A_SECOND - time.monotonic())
        return await first_token_s(model)

    return await asyncio.gather(*(once(number) for number in range(calls)))


async def first_token_s(model: Model) -> float:
    began, wait_s = time.monotonic(), 0.0
    prompt = Prompt("", (), "Open?", (), "m")
    async for _ in model.stream(prompt, deadline=asyncio.get_running_loop().time() + 60):
        wait_s = wait_s or time.monotonic() - began
    return wait_s


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1_500)
    parser.add_argument("--slow", type=float, default=0.04, help="share of the calls that are silent for 3 s")
    arguments = parser.parse_args()
    print("first token in ms, from a simulated model")
    print("|                  |  calls |  asked |     p50 |     p90 |     p95 |     p99 |")
    print("| ---------------- | ------ | ------ | ------- | ------- | ------- | ------- |")
    async with opened("without hedging", arguments.slow) as baseline, opened(HEDGED, arguments.slow) as hedged:
        await asyncio.gather(baseline.measure(arguments.calls), hedged.measure(arguments.calls))
    print(f"{baseline.row()}\n{hedged.row()}")


if __name__ == "__main__":
    asyncio.run(main())
