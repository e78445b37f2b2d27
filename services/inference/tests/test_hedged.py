"""A second call beside a silent one: who wins, who is stopped, and when there is none."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from inference_service.domain.errors import ModelBroken, ModelFailed, ModelOverloaded
from inference_service.domain.guarded import GuardedModel
from inference_service.domain.hedge import Limits
from inference_service.domain.hedged import MOST_NAMES, HedgedModel
from inference_service.domain.model import End, Pieces, Prompt
from inference_service.outbound.openai_model import OpenAIModel
from inference_service.outbound.prometheus_providers import PrometheusProviders
from runtime.testing.openai_server import SimulatedOpenAI
from runtime.testing.scripted_server import Script
from services.inference.tests.fakes import END
from services.inference.tests.test_guarded import MemoryWatch
from tests.support.platform import eventually
from tests.support.probe import metric

ASK = Prompt("", (), "why?", (), "m")
EAGER = Limits(floor_s=0.01, enough=1, calls_each=1)
Item = Pieces | End | Exception


@dataclass
class Call:
    """What one call says, once it may speak."""

    items: tuple[Item, ...] = (Pieces(("hi",)), END)
    may_speak: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: bool = False
    is_stopped: bool = False

    def speaking(self) -> "Call":
        self.may_speak.set()
        return self


@dataclass
class Calls:
    """A provider whose n-th call is the n-th of `script`; one that is not there speaks at once."""

    script: list[Call] = field(default_factory=list)
    made: list[Call] = field(default_factory=list)

    async def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[Pieces | End, None]:
        call = self.script.pop(0) if self.script else Call().speaking()
        self.made.append(call)
        try:
            await call.may_speak.wait()
            for item in call.items:
                if isinstance(item, Exception):
                    raise item
                yield item
            call.is_over = True
        finally:
            call.is_stopped = not call.is_over

    async def names(self) -> tuple[str, ...]:
        return ("m",)

    async def reached(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.made) < count:  # noqa: ASYNC110 - the fake has no event
                await asyncio.sleep(0)


@dataclass
class MemoryHedges:
    started: int = 0
    won: int = 0

    def hedged(self, provider: str, model: str) -> None:
        self.started += 1

    def hedge_won(self, provider: str, model: str) -> None:
        self.won += 1


class House:
    def __init__(self, *, places: int = 8, limits: Limits = EAGER) -> None:
        self.calls, self.hedges = Calls(), MemoryHedges()
        self.skipped_s = 0.0
        self.guarded = GuardedModel("p", self.calls, MemoryWatch(), places=places, clock=self._breakers_time)
        self.model = HedgedModel("p", self.guarded, self.hedges, limits=limits)

    def _breakers_time(self) -> float:
        return asyncio.get_running_loop().time() + self.skipped_s

    async def hear(self) -> list[Pieces | End]:
        return [item async for item in self.model.stream(ASK, deadline=float("inf"))]

    async def teach(self, calls: int = 1) -> "House":
        """Let the model be known for its quick first tokens."""
        for _ in range(calls):
            await self.hear()
        self.calls.made.clear()
        return self

    async def race(self, *script: Call) -> "asyncio.Task[list[Pieces | End]]":
        """Ask, and return when all calls of the script are under way."""
        self.calls.script = list(script)
        asking = asyncio.create_task(self.hear())
        await self.calls.reached(len(script))
        return asking


async def test_the_second_call_wins_and_the_first_is_stopped_at_once() -> None:
    house = await House().teach()
    slow, quick = Call(), Call((Pieces(("from the second",)), END))
    asking = await house.race(slow, quick)
    quick.may_speak.set()
    assert await asking == [Pieces(("from the second",)), END]
    assert (slow.is_stopped, quick.is_over) == (True, True)
    assert (house.hedges.started, house.hedges.won) == (1, 1)


async def test_the_first_call_may_still_win() -> None:
    house = await House().teach()
    first, second = Call((Pieces(("from the first",)), END)), Call()
    asking = await house.race(first, second)
    first.may_speak.set()
    assert await asking == [Pieces(("from the first",)), END]
    assert (first.is_over, second.is_stopped) == (True, True)
    assert (house.hedges.started, house.hedges.won) == (1, 0)


async def test_the_loser_is_stopped_before_the_first_word_is_passed_on() -> None:
    house = await House().teach()
    slow, quick = Call(), Call().speaking()
    house.calls.script = [slow, quick]
    async with aclosing(house.model.stream(ASK, deadline=float("inf"))) as items:
        await anext(items)
        assert slow.is_stopped
        assert not quick.is_over


@pytest.mark.parametrize("failing", [0, 1])
async def test_one_that_fails_leaves_it_to_the_other(failing: int) -> None:
    house = await House().teach()
    calls = [Call(), Call()]
    calls[failing].items = (ModelBroken(),)
    asking = await house.race(*calls)
    calls[failing].may_speak.set()
    while not calls[failing].is_stopped:  # noqa: ASYNC110 - the fake has no event
        await asyncio.sleep(0)
    calls[1 - failing].may_speak.set()
    assert await asking == [Pieces(("hi",)), END]


async def test_when_both_fail_the_first_one_says_why() -> None:
    house = await House().teach()
    calls = [Call((ModelOverloaded(retry_after_s=7),)), Call((ModelBroken(),))]
    asking = await house.race(*calls)
    for call in calls:
        call.may_speak.set()
    with pytest.raises(ModelFailed) as raised:
        await asking
    assert (raised.value.code, raised.value.retry_after_s) == ("model_overloaded", 7)


async def test_whoever_stops_asking_stops_both() -> None:
    house = await House().teach()
    calls = [Call(), Call()]
    asking = await house.race(*calls)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert [call.is_stopped for call in calls] == [True, True]


async def test_a_failure_before_the_second_call_is_left_to_the_job() -> None:
    house = await House().teach()
    house.calls.script = [Call((ModelBroken(),)).speaking()]
    with pytest.raises(ModelBroken):
        await house.hear()
    assert (len(house.calls.made), house.hedges.started) == (1, 0)


async def never_hedged(house: House) -> None:
    """A call that is silent for many times the floor has no second one beside it."""
    silent = Call()
    before = len(house.calls.made)
    asking = await house.race(silent)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(asking), 20 * EAGER.floor_s)
    assert len(house.calls.made) == before + 1
    silent.may_speak.set()
    assert await asking == [Pieces(("hi",)), END]
    assert house.hedges.started == 0


async def test_no_second_call_while_too_little_is_known() -> None:
    await never_hedged(await House(limits=Limits(floor_s=0.01, enough=3, calls_each=1)).teach(2))


async def test_no_second_call_that_was_not_earned() -> None:
    await never_hedged(await House(limits=Limits(floor_s=0.01, enough=1, calls_each=20)).teach(18))


async def test_no_second_call_while_the_places_are_nearly_taken() -> None:
    house = await House(places=4).teach()
    held = [Call(), Call(), Call()]
    house.calls.script = list(held)
    holding = [asyncio.create_task(_until_told(house.guarded)) for _ in held]
    await house.calls.reached(3)
    house.calls.made.clear()
    await never_hedged(house)
    for call in held:
        call.may_speak.set()
    await asyncio.gather(*holding)


async def _until_told(model: GuardedModel) -> None:
    async for _ in model.stream(ASK, deadline=float("inf")):
        pass


async def test_no_second_call_while_the_breaker_is_not_closed() -> None:
    house = await House().teach()
    house.calls.script = [Call((ModelOverloaded(retry_after_s=30),)).speaking()]
    with pytest.raises(ModelOverloaded):
        await house.hear()
    house.calls.made.clear()
    assert not house.guarded.has_room("m")
    house.skipped_s = 30.0  # the next call is the probe
    await never_hedged(house)
    assert house.guarded.has_room("m")


async def test_silences_of_many_models_do_not_fill_the_memory() -> None:
    house = House()
    for n in range(MOST_NAMES + 20):
        async for _ in house.model.stream(Prompt("", (), "why?", (), f"m{n}"), deadline=float("inf")):
            pass
    assert len(house.model._hedges) == MOST_NAMES


async def test_the_loser_is_hung_up_on_and_the_metrics_tell() -> None:
    """On real connections, with the limits that are in force: the 21st call is late, the one beside it is not."""
    async with SimulatedOpenAI(models={"m": Script(words=3)}) as server:
        model = OpenAIModel("", server.url)
        hedged = HedgedModel("test", GuardedModel("test", model, MemoryWatch(), places=8), PrometheusProviders())
        for _ in range(20):
            assert await _text(hedged) == "w0 w1 w2"
        server.models["m"] = Script(words=3, fault="late", strikes=21)
        assert await _text(hedged) == "w0 w1 w2"
        await eventually(lambda: all(generation.is_over for generation in server.generations))
        first, second = server.generations[20:]
        await model.close()
    assert (first.outcome, first.sent, second.outcome) == ("client_gone", 0, "done")
    for event in ("started", "won"):
        assert metric("inference_hedges_total", provider="test", model="m", event=event) == 1


async def _text(model: HedgedModel) -> str:
    deadline = asyncio.get_running_loop().time() + 30
    return "".join(
        ["".join(item.texts) async for item in model.stream(ASK, deadline=deadline) if isinstance(item, Pieces)]
    )
