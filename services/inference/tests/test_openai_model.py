"""What only OpenAI's protocol has, beside the official client on the same server."""

import openai
import pytest
from aiohttp import web

from inference_service.domain.errors import ModelFailed, ModelRejected
from inference_service.domain.model import Prompt
from inference_service.outbound.openai_events import OpenAIEvents
from inference_service.outbound.openai_model import OpenAIModel, address
from runtime.testing.openai_server import SimulatedOpenAI
from services.inference.tests.test_providers import hear

ASK = Prompt("Be kind.", (), "Open?", (), "simulated-n3", temperature=0.5, max_tokens=9)
KEY = "sk-secret-0123456789"


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
async def test_asks_as_the_official_client_does(ending: str) -> None:
    async with SimulatedOpenAI() as server:
        async with openai.AsyncOpenAI(api_key=KEY, base_url=f"{server.url}/v1") as official:
            stream = await official.chat.completions.create(
                model="simulated-n3",
                messages=[{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Open?"}],
                stream=True,
                stream_options={"include_usage": True},
                temperature=0.5,
                max_tokens=9,
            )
            text = "".join([part.choices[0].delta.content or "" async for part in stream if part.choices])
        model = OpenAIModel(KEY, server.url + ending)
        assert (await hear(model, ASK)).text == text == "w0 w1 w2"
        await model.close()
        theirs, ours = server.generations
    assert ours.body == theirs.body
    for name in ("Authorization", "User-Agent", "Content-Type", "Accept"):
        assert ours.headers[name] == theirs.headers[name]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("http://h:1", "http://h:1/v1"),
        ("http://h:1/litellm/", "http://h:1/litellm/v1"),
        ("https://h/api/v3", "https://h/api/v3"),
        ("https://h/v1beta/openai/", "https://h/v1beta/openai"),
        ("https://v1.example", "https://v1.example/v1"),
    ],
)
def test_the_version_is_added_where_none_is_named(given: str, meant: str) -> None:
    assert address(given) == meant


class ClosedDoor(SimulatedOpenAI):
    """Refuses everybody, and quotes the key as it does so."""

    def routes(self) -> list[web.RouteDef]:
        async def refuse(_: web.Request) -> web.Response:
            return web.json_response({"error": {"message": f"Incorrect API key provided: {KEY}"}}, status=401)

        return [web.get("/v1/models", refuse), web.post("/v1/chat/completions", refuse)]


async def test_a_refused_key_is_not_repeated() -> None:
    async with ClosedDoor() as server:
        model = OpenAIModel(KEY, server.url)
        for asking in (hear(model, ASK), model.names()):
            with pytest.raises(ModelRejected, match="401") as raised:
                await asking
            assert KEY not in f"{raised.value} {raised.value.__cause__}"
        await model.close()


def test_an_answer_that_the_provider_filtered_is_rejected() -> None:
    with pytest.raises(ModelFailed, match="filter"):
        OpenAIEvents(0).feed(b'data: {"choices":[{"delta":{},"finish_reason":"content_filter"}]}\n\n')


def test_events_may_be_torn_and_have_other_line_ends() -> None:
    events = OpenAIEvents(3)
    said = 'data:{"choices":[{"delta":{"content":"é"},"finish_reason":"stop"}]}\r\n\r\n'.encode()
    assert "".join("".join(events.feed(bytes([byte]))) for byte in said) == "é"
    assert not events.is_over
    events.close()
    assert events.is_over, "a server may leave [DONE] out"
