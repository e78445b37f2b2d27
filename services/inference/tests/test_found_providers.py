"""Which models can be had, and which one an agent gets that names none."""

import asyncio
from collections.abc import AsyncGenerator

from inference_service.domain.errors import ModelUnreachable
from inference_service.domain.model import End, Model, Pieces, Prompt
from inference_service.domain.ports import Candidate
from inference_service.outbound.ollama_model import OllamaModel
from inference_service.outbound.openai_model import OpenAIModel
from inference_service.outbound.providers import FoundProviders
from runtime.testing.ollama_server import SimulatedOllama
from runtime.testing.openai_server import SimulatedOpenAI
from runtime.testing.scripted_server import Script


class Listing:
    """A provider that lists `models`; None is away, and `hangs` never answers."""

    def __init__(self, *models: str, hangs: bool = False) -> None:
        self.models: tuple[str, ...] | None = models
        self.hangs = hangs
        self.asked = 0

    async def names(self) -> tuple[str, ...]:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.models is None:
            raise ModelUnreachable
        return self.models

    async def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[Pieces | End, None]:
        yield Pieces(("",))


def found(**models: Listing) -> FoundProviders:
    told = {name: Candidate(model, "", needs_knowledge=name == "extractive") for name, model in models.items()}
    return FoundProviders(told, answers_within_s=0.05)


async def ids(providers: FoundProviders) -> list[str]:
    return [info.id for info in await providers.list()]


async def test_lists_what_was_found_without_asking_again() -> None:
    extractive, a = Listing("sentences"), Listing("x", "y")
    providers = found(extractive=extractive, a=a)
    assert await ids(providers) == []
    await providers.look()
    for _ in range(3):
        assert await ids(providers) == ["extractive/sentences", "a/x", "a/y"]
    assert a.asked == 1


async def test_one_that_is_away_or_hangs_does_not_hide_the_others() -> None:
    away = Listing()
    away.models = None
    providers = found(hangs=Listing("h", hangs=True), away=away, a=Listing("x"))
    await providers.look()
    assert await ids(providers) == ["a/x"]
    away.models = ("back",)
    await providers.look()
    assert await ids(providers) == ["away/back", "a/x"]


async def test_the_default_is_the_first_real_model_and_extractive_without_one() -> None:
    a, b = Listing(), Listing("y")
    a.models, b.models = None, None
    providers = found(extractive=Listing("sentences"), a=a, b=b)
    await providers.look()
    assert providers.default() == "extractive/sentences"
    b.models = ("y",)
    await providers.look()
    assert providers.default() == "b/y"


async def test_the_default_stays_while_it_is_listed_or_nothing_else_is() -> None:
    a, b = Listing("x"), Listing("y")
    a.models = None
    providers = found(a=a, b=b)
    await providers.look()
    b.models = None
    await providers.look()
    assert providers.default() == "b/y"
    a.models, b.models = ("x",), ("z", "y")
    await providers.look()
    assert providers.default() == "b/y"
    b.models = ()
    await providers.look()
    assert providers.default() == "a/x"


async def test_a_model_that_is_not_listed_can_be_named() -> None:
    providers = found(a=Listing())
    await providers.look()
    candidate = providers.find("a/org/model:tag")
    assert candidate is not None
    assert candidate.name == "org/model:tag"
    assert providers.find("nobody/x") is None


async def test_a_real_server_comes_and_goes() -> None:
    async with SimulatedOpenAI(models={"m": Script()}) as openai_server:
        openai = OpenAIModel("", openai_server.url)
        async with SimulatedOllama(models={"llama": Script()}) as ollama_server:
            ollama = OllamaModel(ollama_server.url)
            told: dict[str, Model] = {"ollama": ollama, "openai": openai}
            providers = FoundProviders({name: Candidate(m, "", needs_knowledge=False) for name, m in told.items()})
            await providers.look()
            assert await ids(providers) == ["ollama/llama", "openai/m"]
            assert providers.default() == "ollama/llama"
        await providers.look()
        assert await ids(providers) == ["openai/m"]
        assert providers.default() == "openai/m"
        await ollama.close()
        await openai.close()
