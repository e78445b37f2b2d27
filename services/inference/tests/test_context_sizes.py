"""What a model takes is asked of its provider, and prompts are fitted into it."""

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from inference_service.domain.model import Prompt, Turn
from inference_service.outbound.context_sizes import listed_size, litellm_sizes, llamacpp_size
from inference_service.outbound.openai_model import OpenAIModel
from runtime.testing.ollama_server import SimulatedOllama
from runtime.testing.openai_server import SimulatedOpenAI
from runtime.testing.scripted_server import Script
from services.inference.tests.test_providers import MAKERS, SERVERS, closing, hear

SAID = "word " * 700
"""About 1,050 tokens by our estimate."""
TURNS = tuple(Turn(role, SAID) for _ in range(50) for role in ("user", "assistant"))
"""About 105,000 tokens: more than any fallback but Anthropic's."""


def ask(model: str) -> Prompt:
    return Prompt("Be kind.", TURNS, "Open?", (), model, max_tokens=100)


def told(server: Any) -> int:
    """How many messages of the history reached the server in the last question."""
    return sum(SAID.strip() in str(message["content"]) for message in server.generations[-1].body["messages"])


@pytest.mark.parametrize("name", sorted(SERVERS))
async def test_prompts_fit_into_what_the_provider_tells(name: str) -> None:
    models = {"small": Script(words=2, context=4000), "smaller": Script(words=2, context=1500)}
    async with SERVERS[name](models=models) as server, closing(MAKERS[name](server.url, None)) as model:
        await hear(model, ask("small"))
        untold = told(server)
        await model.names()
        await hear(model, ask("small"))
        assert told(server) == 2
        await hear(model, ask("smaller"))
        assert told(server) == 0
        assert untold > 2


async def test_ollama_is_asked_for_no_larger_context_than_the_model_has() -> None:
    models = {"small": Script(words=2, context=4000), "large": Script(words=2, context=131_072)}
    async with SimulatedOllama(models=models) as server, closing(MAKERS["ollama"](server.url, None)) as model:
        await model.names()
        for name in ("small", "small:latest", "large"):
            await hear(model, Prompt("", (), "Open?", (), name))
        asked: list[Any] = [generation.body["options"] for generation in server.generations]
    assert [options["num_ctx"] for options in asked] == [4000, 4000, 8192]


class OneMore(SimulatedOpenAI):
    """Tells what its models take elsewhere than in their list."""

    def __init__(self, path: str, answer: Callable[[], web.Response]) -> None:
        super().__init__(models={"m": Script(words=2)})
        self._more = (path, answer)

    def routes(self) -> list[web.RouteDef]:
        path, answer = self._more

        async def tell(_: web.Request) -> web.Response:
            return answer()

        return [*super().routes(), web.get(path, tell)]


LITELLM = {"data": [{"model_name": "m", "model_info": {"max_input_tokens": 4000}}]}
LLAMACPP = {"default_generation_settings": {"n_ctx": 4000}, "total_slots": 4}


@pytest.mark.parametrize(("path", "body"), [("/model/info", LITELLM), ("/props", LLAMACPP)])
async def test_servers_that_tell_it_elsewhere_are_asked_there(path: str, body: object) -> None:
    async with OneMore(path, lambda: web.json_response(body)) as server:
        model = OpenAIModel("", server.url)
        assert await model.names() == ("m",)
        await hear(model, ask("m"))
        await model.close()
    assert told(server) == 2


@pytest.mark.parametrize("answer", [lambda: web.Response(text="<html>"), lambda: web.json_response([1])])
async def test_what_cannot_be_read_leaves_the_fallback(answer: Callable[[], web.Response]) -> None:
    async with OneMore("/model/info", answer) as server:
        model = OpenAIModel("", server.url)
        assert await model.names() == ("m",)
        await hear(model, ask("m"))
        await model.close()
    assert told(server) > 20


@pytest.mark.parametrize(
    ("entry", "size"),
    [
        ({"max_model_len": 8192}, 8192),
        ({"context_length": 131_072}, 131_072),
        ({"meta": {"n_ctx": 4096, "n_ctx_train": 131_072}}, 4096),
        ({"meta": {"n_ctx_train": 131_072}}, None),
        ({"meta": {"n_ctx": 0}}, None),
        ({"max_model_len": True, "meta": None}, None),
        ({"max_model_len": "8192"}, None),
        ({}, None),
    ],
)
def test_a_size_is_a_positive_number_of_what_the_server_was_started_with(
    entry: dict[str, object], size: int | None
) -> None:
    assert listed_size(entry) == size


def test_the_smallest_deployment_of_a_name_counts() -> None:
    sizes = (128_000, 8_000, None, 32_000)
    entries = [{"model_name": "m", "model_info": {"max_input_tokens": size}} for size in sizes]
    assert litellm_sizes({"data": [*entries, {"model_name": "n"}]}) == {"m": 8_000}


@pytest.mark.parametrize("body", [None, [], "x", {"data": None}, {"default_generation_settings": None}])
def test_what_says_nothing_is_nothing(body: object) -> None:
    assert litellm_sizes(body) == {}
    assert llamacpp_size(body) is None
