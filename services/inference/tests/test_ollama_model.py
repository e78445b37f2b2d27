"""What only Ollama's protocol has, beside the official client on the same server; the rest is in `test_providers`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import ollama
import pytest

from inference_service.domain.errors import (
    ModelBroken,
    ModelLate,
    ModelRejected,
    PromptTooLong,
)
from inference_service.domain.model import End, Pieces, Timeouts, Turn
from inference_service.outbound.ollama_model import OllamaModel, Traits
from runtime.testing.ollama_server import SimulatedOllama
from runtime.testing.scripted_server import Script
from services.inference.tests.test_providers import SAY, hear, prompt


@asynccontextmanager
async def asked(
    server: SimulatedOllama, timeouts: Timeouts | None = None, context_tokens: int = 8192
) -> AsyncIterator[OllamaModel]:
    model = OllamaModel(server.url, timeouts=timeouts, context_tokens=context_tokens)
    try:
        yield model
    finally:
        await model.close()


@pytest.fixture
async def server() -> AsyncIterator[SimulatedOllama]:
    async with SimulatedOllama(models={"simulated": Script(say=SAY), "other": Script()}) as running:
        yield running


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - the server under test has no event to wait for
            await asyncio.sleep(0.01)


async def settled(server: SimulatedOllama) -> str:
    """Return how the last generation ended, once the server knows."""
    await eventually(lambda: bool(server.generations) and server.generations[-1].is_over)
    return server.generations[-1].outcome


async def test_gives_the_same_text_as_the_official_client(server: SimulatedOllama) -> None:
    async with ollama.AsyncClient(server.url) as official:
        theirs = "".join([part.message.content or "" async for part in await official.chat("simulated", stream=True)])
    async with asked(server) as model:
        ours = await hear(model, prompt())
    assert ours.text == theirs == SAY
    assert ours.end == End("stop", prompt_tokens=11, completion_tokens=len(Script(say=SAY).pieces()), estimated=False)


async def test_sends_what_the_official_client_sends(server: SimulatedOllama) -> None:
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi!"},
        {"role": "user", "content": "When are you open?"},
    ]
    options = {"temperature": 0.5, "num_predict": 3, "num_ctx": 8192}
    async with ollama.AsyncClient(server.url) as official:
        async for _ in await official.chat("simulated", messages, stream=True, options=options):
            pass
    async with asked(server, context_tokens=8192) as model:
        await hear(model, prompt(max_tokens=3))
    theirs, ours = server.generations
    assert ours.body == {name: value for name, value in theirs.body.items() if name != "tools"}
    assert ours.headers["User-Agent"] == theirs.headers["User-Agent"]
    assert ours.headers["Content-Type"] == theirs.headers["Content-Type"]


async def test_sends_the_key_of_the_environment(server: SimulatedOllama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "k1")
    async with asked(server) as model:
        await hear(model, prompt())
    assert server.generations[0].headers["Authorization"] == "Bearer k1"


async def test_finds_the_server_as_ollama_host_says(server: SimulatedOllama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{server.port}/")
    model = OllamaModel()
    assert (await hear(model, prompt())).text == SAY
    await model.close()


async def test_goes_through_the_proxy_of_the_environment(
    server: SimulatedOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    model = OllamaModel("http://nowhere.invalid:1")
    assert (await hear(model, prompt())).text == SAY
    await model.close()


async def test_says_who_it_is_to_the_proxy(server: SimulatedOllama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url.replace("://", "://us%40er:word@"))
    model = OllamaModel("http://nowhere.invalid:1")
    await hear(model, prompt())
    assert server.generations[0].headers["Proxy-Authorization"] == "Basic dXNAZXI6d29yZA=="
    await model.close()


async def test_a_netrc_says_nothing_beside_the_servers_own_key(
    server: SimulatedOllama, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    model = OllamaModel(server.url, headers={"Authorization": "Bearer k1"})
    assert (await hear(model, prompt())).text == SAY
    assert server.generations[0].headers["Authorization"] == "Bearer k1"
    await model.close()


async def test_a_body_that_never_ends_does_not_hold_back_the_end(server: SimulatedOllama) -> None:
    async with asked(server) as model:
        assert (await hear(model, prompt("simulated-n2-e60000"), within_s=5)).end is not None
        assert await settled(server) == "client_gone"


async def test_missing_figures_are_estimated(server: SimulatedOllama) -> None:
    async with asked(server) as model:
        heard = await hear(model, prompt("simulated-n7-fnousage"))
    assert heard.end is not None
    assert heard.end.estimated
    assert heard.end.completion_tokens == 7
    assert 5 < heard.end.prompt_tokens < 40


async def test_thinking_is_not_shown(server: SimulatedOllama) -> None:
    async with asked(server) as model:
        assert (await hear(model, prompt("simulated-n2-t5"))).text == "w0 w1"


@pytest.mark.parametrize("name", ["simulated-d5000", "simulated-n1000-r50", "simulated-fstall-k2"])
async def test_the_deadline_ends_every_wait(server: SimulatedOllama, name: str) -> None:
    async with asked(server) as model:
        with pytest.raises(ModelLate):
            await hear(model, prompt(name), within_s=0.2)


async def test_a_slow_reader_is_not_a_silent_server(server: SimulatedOllama) -> None:
    timeouts = Timeouts(first_token_s=0.2, stall_s=0.2)
    async with asked(server, timeouts) as model:
        text = ""
        async for item in model.stream(prompt("simulated-n3-r20"), deadline=asyncio.get_running_loop().time() + 10):
            text += "".join(item.texts) if isinstance(item, Pieces) else "."
            await asyncio.sleep(0.3)
    assert text == "w0 w1 w2."


async def test_cancelling_the_reader_stops_the_model(server: SimulatedOllama) -> None:
    async with asked(server) as model:
        task = asyncio.create_task(hear(model, prompt("simulated-n5000-r100")))
        await eventually(lambda: bool(server.generations) and server.generations[0].sent > 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await settled(server) == "client_gone"


@pytest.mark.parametrize("name", ["simulated", "simulated-e20"])
async def test_connections_are_used_again(server: SimulatedOllama, name: str) -> None:
    async with asked(server) as model:
        for _ in range(5):
            await hear(model, prompt(name))
    assert len({generation.peer for generation in server.generations}) == 1


async def test_a_fresh_connection_is_not_retried(server: SimulatedOllama) -> None:
    async with asked(server) as model:
        with pytest.raises(ModelBroken):
            await hear(model, prompt("simulated-n3-fdrop-x1"))
    assert len(server.generations) == 1


async def test_many_streams_run_at_once() -> None:
    async with SimulatedOllama() as server, asked(server) as model:
        heard = await asyncio.gather(*(hear(model, prompt("simulated-n20-r100")) for _ in range(150)))
    assert {one.text for one in heard} == {" ".join(f"w{i}" for i in range(20))}


async def test_names_and_traits_come_from_the_server(server: SimulatedOllama) -> None:
    async with asked(server) as model:
        assert await model.names() == ("simulated", "other")
        assert await model.describe("other") == Traits(context_tokens=8192, capabilities=("completion",))
        with pytest.raises(ModelRejected):
            await model.describe("nobody")


async def test_a_prompt_is_fitted_into_the_context(server: SimulatedOllama) -> None:
    said = tuple(Turn(role, f"{n} " * 200) for n in range(40) for role in ("user", "assistant"))
    async with asked(server, context_tokens=4096) as model:
        await hear(model, replace(prompt(), history=said))
        with pytest.raises(PromptTooLong) as raised:
            await hear(model, prompt(question="word " * 16_000))
    sent = server.generations[0].body["messages"]
    assert isinstance(sent, list)
    assert sent[0]["content"] == "Be kind."
    assert sent[-1]["content"] == "When are you open?"
    assert 2 < len(sent) < 40
    assert sent[-2]["content"] == said[-1].text
    assert not raised.value.retryable
    assert len(server.generations) == 1
