"""What every provider promises (domain/model.py), held against servers that speak each one's protocol."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

import pytest

from inference_service.domain.errors import (
    ModelBroken,
    ModelFailed,
    ModelLate,
    ModelOverloaded,
    ModelRejected,
    ModelStalled,
    ModelUnreachable,
    PromptTooLong,
)
from inference_service.domain.model import End, Model, Pieces, Prompt, Timeouts, Turn
from inference_service.outbound.anthropic_model import AnthropicModel
from inference_service.outbound.ollama_model import OllamaModel
from inference_service.outbound.openai_model import OpenAIModel
from runtime.testing.anthropic_server import SimulatedAnthropic
from runtime.testing.ollama_server import SimulatedOllama
from runtime.testing.openai_server import SimulatedOpenAI
from runtime.testing.scripted_server import Script, ScriptedServer

SAY = "We are open from 9 to 5 [1].\n\nÖffnungszeiten: 周一 bis Freitag  "
QUICK = Timeouts(connect_s=1, first_token_s=0.3, stall_s=0.3)
AnyModel = OllamaModel | OpenAIModel | AnthropicModel
SERVERS: dict[str, type[ScriptedServer]] = {
    "ollama": SimulatedOllama,
    "openai": SimulatedOpenAI,
    "anthropic": SimulatedAnthropic,
}
MAKERS: dict[str, Callable[[str, Timeouts | None], AnyModel]] = {
    "ollama": lambda url, timeouts: OllamaModel(url, timeouts=timeouts),
    "openai": lambda url, timeouts: OpenAIModel("k1", url, timeouts=timeouts),
    "anthropic": lambda url, timeouts: AnthropicModel("k1", url, timeouts=timeouts),
}


def prompt(model: str = "simulated", question: str = "When are you open?", max_tokens: int | None = None) -> Prompt:
    history = (Turn("user", "Hello"), Turn("assistant", "Hi!"))
    return Prompt("Be kind.", history, question, (), model, temperature=0.5, max_tokens=max_tokens)


@dataclass
class Heard:
    text: str = ""
    end: End | None = None


async def hear(model: Model, question: Prompt, *, within_s: float = 10, heard: Heard | None = None) -> Heard:
    heard = heard or Heard()
    deadline = asyncio.get_running_loop().time() + within_s
    async for item in model.stream(question, deadline=deadline):
        assert heard.end is None, "something came after the end"
        if isinstance(item, Pieces):
            assert item.texts
            assert all(item.texts)
            heard.text += "".join(item.texts)
        else:
            heard.end = item
    return heard


@asynccontextmanager
async def closing(model: AnyModel) -> AsyncIterator[AnyModel]:
    try:
        yield model
    finally:
        await model.close()


@dataclass
class Provider:
    name: str
    server: ScriptedServer

    def asked(self, timeouts: Timeouts | None = None):
        return closing(MAKERS[self.name](self.server.url, timeouts))

    async def settled(self) -> str:
        """Return how the last generation ended, once the server knows."""
        async with asyncio.timeout(5):
            while not (self.server.generations and self.server.generations[-1].is_over):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)
        return self.server.generations[-1].outcome


@pytest.fixture(params=sorted(SERVERS))
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    models = {"simulated": Script(say=SAY), "other": Script(), "old-retired": Script()}
    async with SERVERS[request.param](models=models) as server:
        yield Provider(request.param, server)


class TestEveryProvider:
    """The promises."""

    async def test_gives_the_whole_text_and_one_end(self, provider: Provider) -> None:
        async with provider.asked() as model:
            heard = await hear(model, prompt())
        count = len(Script(say=SAY).pieces())
        assert heard == Heard(SAY, End("stop", prompt_tokens=11, completion_tokens=count, estimated=False))

    async def test_an_answer_cut_at_its_limit_says_so(self, provider: Provider) -> None:
        async with provider.asked() as model:
            heard = await hear(model, prompt(max_tokens=4))
        assert heard.text == "We are open from"
        assert heard.end == End("length", prompt_tokens=11, completion_tokens=4, estimated=False)

    async def test_missing_figures_are_estimated(self, provider: Provider) -> None:
        async with provider.asked() as model:
            end = (await hear(model, prompt("simulated-n7-fnousage"))).end
        assert end is not None
        assert end.estimated
        assert 4 < end.completion_tokens < 9
        assert 5 < end.prompt_tokens < 40

    async def test_an_empty_answer_is_whole(self, provider: Provider) -> None:
        async with provider.asked() as model:
            heard = await hear(model, prompt("simulated-fempty"))
        assert heard == Heard("", End("stop", prompt_tokens=11, completion_tokens=0, estimated=False))

    async def test_events_of_an_unknown_type_are_ignored(self, provider: Provider) -> None:
        async with provider.asked() as model:
            assert (await hear(model, prompt("simulated-n3-funknown"))).text == "w0 w1 w2"

    @pytest.mark.parametrize(
        ("fault", "kind", "retry_after_s"),
        [
            ("f429", ModelOverloaded, 2.0),
            ("f503", ModelOverloaded, 2.0),
            ("f529", ModelOverloaded, 2.0),
            ("f500", ModelBroken, None),
            ("n9-freset-k4", ModelBroken, None),
            ("n9-ferror-k4", ModelBroken, None),
            ("n9-fgarbage-k4", ModelBroken, None),
            ("n9-fcut-k4", ModelBroken, None),
            ("n9-fcut-k0", ModelBroken, None),
            ("fdrop", ModelBroken, None),
            ("n9-fstall-k4", ModelStalled, None),
            ("d5000", ModelStalled, None),
        ],
    )
    async def test_each_fault_is_told_by_its_kind(
        self, provider: Provider, fault: str, kind: type[ModelFailed], retry_after_s: float | None
    ) -> None:
        async with provider.asked(QUICK) as model:
            with pytest.raises(ModelFailed) as raised:
                await hear(model, prompt(f"simulated-{fault}"))
        assert type(raised.value) is kind
        assert raised.value.retryable
        assert raised.value.retry_after_s == retry_after_s

    async def test_pieces_before_a_stall_were_given(self, provider: Provider) -> None:
        heard = Heard()
        async with provider.asked(QUICK) as model:
            with pytest.raises(ModelStalled):
                await hear(model, prompt("simulated-n9-fstall-k4"), heard=heard)
        assert heard == Heard("w0 w1 w2 w3", None)

    async def test_an_unknown_model_is_rejected_with_the_servers_words(self, provider: Provider) -> None:
        async with provider.asked() as model:
            with pytest.raises(ModelRejected, match="404: model 'nobody' not found") as raised:
                await hear(model, prompt("nobody"))
        assert not raised.value.retryable

    async def test_nobody_listening_is_unreachable(self, provider: Provider) -> None:
        async with SERVERS[provider.name]() as gone:
            url = gone.url
        async with closing(MAKERS[provider.name](url, None)) as model:
            with pytest.raises(ModelUnreachable):
                await hear(model, prompt())
            with pytest.raises(ModelUnreachable):
                await model.names()

    async def test_the_deadline_ends_the_answer(self, provider: Provider) -> None:
        async with provider.asked() as model:
            with pytest.raises(ModelLate):
                await hear(model, prompt("simulated-n1000-r50"), within_s=0.3)

    async def test_closing_the_generator_stops_the_model(self, provider: Provider) -> None:
        async with provider.asked() as model:
            deadline = asyncio.get_running_loop().time() + 10
            async with aclosing(model.stream(prompt("simulated-n5000-r100"), deadline=deadline)) as stream:
                async for _ in stream:
                    break
            assert await provider.settled() == "client_gone"

    async def test_connections_are_used_again(self, provider: Provider) -> None:
        async with provider.asked() as model:
            for _ in range(3):
                await hear(model, prompt())
        assert len({generation.peer for generation in provider.server.generations}) == 1

    async def test_a_stale_connection_is_retried_once(self, provider: Provider) -> None:
        async with provider.asked() as model:
            await hear(model, prompt())
            assert (await hear(model, prompt("simulated-n3-fdrop-x1"))).text == "w0 w1 w2"
        assert [one.outcome for one in provider.server.generations] == ["done", "fault:drop", "done"]

    async def test_names_come_from_the_server(self, provider: Provider) -> None:
        async with provider.asked() as model:
            assert (await model.names())[:2] == ("simulated", "other")

    async def test_a_prompt_beyond_the_context_is_not_sent(self, provider: Provider) -> None:
        async with provider.asked() as model:
            with pytest.raises(PromptTooLong):
                await hear(model, prompt(question="word " * 200_000))
        assert provider.server.generations == []
