"""What only Anthropic's protocol has, beside the official client on the same server."""

import anthropic
import pytest

from inference_service.domain.errors import ModelOverloaded, ModelRejected
from inference_service.domain.model import Prompt
from inference_service.outbound.anthropic_events import AnthropicEvents
from inference_service.outbound.anthropic_model import AnthropicModel
from runtime.testing.anthropic_server import SimulatedAnthropic
from runtime.testing.scripted_server import Script
from services.inference.tests.test_providers import hear

ASK = Prompt("Be kind.", (), "Open?", (), "simulated-n3", temperature=0.5, max_tokens=9)


@pytest.mark.parametrize("ending", ["", "/", "/v1"])
async def test_asks_as_the_official_client_does(ending: str) -> None:
    async with SimulatedAnthropic() as server:
        async with anthropic.AsyncAnthropic(api_key="k1", base_url=server.url) as official:
            stream = await official.messages.create(
                model="simulated-n3",
                max_tokens=9,
                system=[{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
                messages=[{"role": "user", "content": "Open?"}],
                stream=True,
            )
            parts = [event.delta async for event in stream if event.type == "content_block_delta"]
        model = AnthropicModel("k1", server.url + ending)
        heard = await hear(model, ASK)
        await model.close()
        theirs, ours = server.generations
    assert heard.text == "".join(part.text for part in parts if part.type == "text_delta") == "w0 w1 w2"
    assert ours.body == theirs.body
    keys = [name for name in theirs.headers if name.lower() in ("authorization", "x-api-key")]
    assert keys
    for name in (*keys, "anthropic-version", "User-Agent", "Content-Type"):
        assert ours.headers[name] == theirs.headers[name]


async def test_a_limit_is_always_sent() -> None:
    async with SimulatedAnthropic() as server:
        model = AnthropicModel("k1", server.url)
        await hear(model, Prompt("", (), "Open?", (), "simulated-n3"))
        await model.close()
    assert server.generations[0].body["max_tokens"] == 4096
    assert "system" not in server.generations[0].body


async def test_a_refusal_is_a_rejection() -> None:
    async with SimulatedAnthropic(models={"it-refuses": Script(words=2)}) as server:
        model = AnthropicModel("k1", server.url)
        with pytest.raises(ModelRejected, match="refused"):
            await hear(model, Prompt("", (), "Open?", (), "it-refuses"))
        await model.close()


async def test_retired_models_are_not_offered() -> None:
    async with SimulatedAnthropic(models={"new": Script(), "old-retired": Script()}) as server:
        model = AnthropicModel("k1", server.url)
        assert await model.names() == ("new",)
        await model.close()


def test_overload_in_mid_stream_is_told() -> None:
    with pytest.raises(ModelOverloaded, match="Overloaded"):
        AnthropicEvents(0).feed(
            b'data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
        )
