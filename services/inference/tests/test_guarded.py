"""A model behind breaker and bulkhead: what is asked, what is told."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest
from prometheus_client import REGISTRY

from inference_service.domain.breaker import Limits
from inference_service.domain.errors import ModelBroken, ModelFailed, ModelOverloaded, ModelRejected, PromptTooLong
from inference_service.domain.guarded import MOST_NAMES, GuardedModel
from inference_service.domain.model import End, Pieces, Prompt
from inference_service.outbound.ollama_model import OllamaModel
from inference_service.outbound.prometheus_providers import PrometheusProviders
from runtime.testing.ollama_server import SimulatedOllama
from services.inference.tests.fakes import END

FAILURES = Limits().failures
WORD = Pieces(("hi",))


@dataclass
class Provider:
    """Says `items`, which may be changed; `asked` counts."""

    items: tuple[Pieces | End | Exception, ...] = (WORD, END)
    asked: int = 0
    is_held: bool = False
    """Falls silent after its first item."""
    is_mute: bool = False
    """Falls silent before it."""

    async def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[Pieces | End, None]:
        self.asked += 1
        if self.is_mute:
            await asyncio.Event().wait()
        for item in self.items:
            if isinstance(item, Exception):
                raise item
            yield item
            if self.is_held:
                await asyncio.Event().wait()

    async def names(self) -> tuple[str, ...]:
        return ("m",)


@dataclass
class MemoryWatch:
    states: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def breaker(self, provider: str, model: str, state: str) -> None:
        self.states[model] = state

    def forgotten(self, provider: str, model: str) -> None:
        self.states.pop(model, None)

    def failed(self, provider: str, code: str) -> None:
        self.failures.append(code)

    def refused(self, provider: str, reason: str) -> None:
        self.refusals.append(reason)


class House:
    def __init__(self, *items: Pieces | End | Exception, places: int = 4) -> None:
        self.now = 0.0
        self.provider = Provider(items or (WORD, END))
        self.watch = MemoryWatch()
        self.model = GuardedModel("p", self.provider, self.watch, places=places, clock=lambda: self.now)

    async def ask(self, name: str = "m") -> list[Pieces | End]:
        prompt = Prompt("", (), "why?", (), name)
        return [item async for item in self.model.stream(prompt, deadline=float("inf"))]

    async def fail(self, times: int, name: str = "m") -> ModelFailed:
        for _ in range(times):
            with pytest.raises(ModelFailed) as raised:
                await self.ask(name)
        return raised.value


async def test_passes_on_what_the_model_says() -> None:
    house = House()
    assert await house.ask() == [WORD, END]
    assert house.watch.states == {"m": "closed"}


async def test_a_dead_model_is_left_alone_then_probed_then_back() -> None:
    house = House(ModelBroken())
    refusal = await house.fail(20)
    assert isinstance(refusal, ModelOverloaded)
    assert refusal.retry_after_s == pytest.approx(5)
    assert house.provider.asked == FAILURES
    assert house.watch.states == {"m": "open"}
    assert house.watch.failures == ["model_broken"] * FAILURES
    assert house.watch.refusals == ["breaker"] * (20 - FAILURES)
    house.now, house.provider.items = 5.0, (WORD, END)
    assert await house.ask() == [WORD, END]
    assert house.watch.states == {"m": "closed"}


async def test_breakers_are_per_model() -> None:
    house = House(ModelBroken())
    await house.fail(FAILURES + 1)
    await house.fail(1, "other")
    assert house.provider.asked == FAILURES + 1


async def test_retry_after_is_honoured_at_once() -> None:
    house = House(ModelOverloaded(retry_after_s=30))
    await house.fail(1)
    house.now = 29.0
    await house.fail(1)
    assert house.provider.asked == 1
    house.now = 30.0
    await house.fail(1)
    assert house.provider.asked == 2


@pytest.mark.parametrize("error", [ModelRejected(), PromptTooLong()])
async def test_a_refused_request_is_no_failing_model(error: ModelFailed) -> None:
    house = House(error)
    await house.fail(30)
    assert house.provider.asked == 30
    assert house.watch.states == {}


async def test_a_model_that_breaks_off_in_mid_answer_is_left_alone_too() -> None:
    house = House(WORD, ModelBroken())
    await house.fail(20)
    assert house.provider.asked == FAILURES


async def test_the_first_word_of_a_probe_lets_the_others_in() -> None:
    house = House(ModelBroken())
    await house.fail(FAILURES)
    house.now, house.provider.items, house.provider.is_held = 5.0, (WORD, END), True
    prompt = Prompt("", (), "why?", (), "m")
    async with aclosing(house.model.stream(prompt, deadline=float("inf"))) as items:
        assert await anext(items) == WORD
        assert house.watch.states == {"m": "closed"}


async def test_only_one_probe_is_under_way_and_one_that_is_cancelled_leaves_the_next_one_free() -> None:
    house = House(ModelBroken())
    await house.fail(FAILURES)
    house.now, house.provider.items, house.provider.is_mute = 5.0, (WORD, END), True
    probe = asyncio.create_task(house.ask())
    while house.provider.asked == FAILURES:  # noqa: ASYNC110 - the fake has no event
        await asyncio.sleep(0)
    assert house.watch.states == {"m": "half_open"}
    await house.fail(3)
    assert house.provider.asked == FAILURES + 1
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    assert house.watch.states == {"m": "open"}
    house.provider.is_mute = False
    assert await house.ask() == [WORD, END]


async def test_a_probe_that_was_never_sent_shows_nothing() -> None:
    house = House(ModelBroken())
    await house.fail(FAILURES)
    house.now, house.provider.items = 5.0, (PromptTooLong(),)
    await house.fail(1)
    assert house.watch.states == {"m": "open"}
    house.provider.items = (WORD, END)
    assert await house.ask() == [WORD, END]


async def test_a_full_bulkhead_refuses_after_a_short_wait_and_others_go_on() -> None:
    house = House(places=1)
    house.provider.is_held = True
    held = asyncio.create_task(house.ask())
    while not house.provider.asked:  # noqa: ASYNC110 - the fake has no event
        await asyncio.sleep(0)
    refusal = await house.fail(1)
    assert isinstance(refusal, ModelOverloaded)
    assert house.watch.refusals == ["bulkhead"]
    house.provider.is_held = False
    assert await house.ask("other") == [WORD, END]
    held.cancel()
    await asyncio.gather(held, return_exceptions=True)
    assert await house.ask() == [WORD, END], "the place is free again"


async def test_names_of_models_do_not_fill_the_memory() -> None:
    house = House()
    for n in range(MOST_NAMES + 50):
        await house.ask(f"m{n}")
    assert len(house.watch.states) == MOST_NAMES
    assert f"m{MOST_NAMES + 49}" in house.watch.states


async def test_states_and_failures_are_metrics_and_a_killed_server_is_left_alone() -> None:
    async with SimulatedOllama() as server:
        model = OllamaModel(server.url)
        guarded = GuardedModel("test", model, PrometheusProviders(), places=4)
        prompt = Prompt("", (), "why?", (), "simulated-n1")
        await _hear(guarded, prompt)
        assert _metric("inference_breaker_state", provider="test", model="simulated-n1") == 0
    for _ in range(20):
        with pytest.raises(ModelFailed):
            await _hear(guarded, prompt)
    await model.close()
    assert _metric("inference_breaker_state", provider="test", model="simulated-n1") == 2
    assert _metric("inference_provider_failures_total", provider="test", code="model_unreachable") == FAILURES
    assert _metric("inference_provider_refusals_total", provider="test", reason="breaker") == 20 - FAILURES


async def _hear(model: GuardedModel, prompt: Prompt) -> None:
    async for _ in model.stream(prompt, deadline=asyncio.get_running_loop().time() + 5):
        pass


def _metric(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)
