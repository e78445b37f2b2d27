"""The simulated server, as the official client and a command line see it."""

import asyncio
import sys
from collections.abc import AsyncIterator

import aiohttp
import ollama
import pytest

from runtime.testing.ollama_server import SimulatedOllama
from runtime.testing.scripted_server import Script

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture
async def server() -> AsyncIterator[SimulatedOllama]:
    async with SimulatedOllama(default=Script(say="We are open. Come in!")) as running:
        yield running


async def say(url: str, model: str) -> str:
    async with ollama.AsyncClient(url) as client:
        return "".join([part.message.content or "" async for part in await client.chat(model, HELLO, stream=True)])


async def test_a_script_is_said_and_a_number_of_words_too(server: SimulatedOllama) -> None:
    assert await say(server.url, "simulated-r1000") == "We are open. Come in!"
    assert await say(server.url, "simulated-n3-d1") == "w0 w1 w2"
    assert await say(server.url, "simulated-fempty") == ""


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("f429", "too many requests"),
        ("f500", "llama runner process has terminated"),
        ("f503", "server busy"),
        ("ferror-k2", "an error was encountered"),
    ],
)
async def test_faults_read_as_the_real_ones(server: SimulatedOllama, fault: str, sentence: str) -> None:
    with pytest.raises(ollama.ResponseError, match=sentence):
        await say(server.url, f"simulated-{fault}")


async def test_a_fault_may_strike_only_the_first_requests(server: SimulatedOllama) -> None:
    for _ in range(2):
        with pytest.raises(ollama.ResponseError):
            await say(server.url, "simulated-n1-f500-x2")
    assert await say(server.url, "simulated-n1-f500-x2") == "w0"


async def test_a_stream_may_be_cut_without_its_last_line(server: SimulatedOllama) -> None:
    async with ollama.AsyncClient(server.url) as client:
        parts = [part async for part in await client.chat("simulated-n5-fcut-k2", HELLO, stream=True)]
    assert [part.done for part in parts] == [False, False]


async def test_models_are_listed_shown_and_unknown_ones_refused(server: SimulatedOllama) -> None:
    async with ollama.AsyncClient(server.url) as client:
        assert [entry.model for entry in (await client.list()).models] == ["simulated"]
        assert (await client.show("simulated")).capabilities == ["completion"]
        with pytest.raises(ollama.ResponseError, match="model 'nobody' not found"):
            await client.show("nobody")


async def test_the_command_line_says_where_it_listens_and_what_was_asked() -> None:
    arguments = ("-m", "runtime.testing.ollama_server", "--port", "0", "--say", "Hi there", "--model", "tiny")
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        url = line.split()[-1]
        assert line.startswith("simulated ollama listening on http://127.0.0.1:")
        assert await say(url, "tiny") == "Hi there"
        async with aiohttp.ClientSession() as session, session.get(f"{url}/simulated/generations") as answer:
            (generation,) = await answer.json()
        assert generation["outcome"] == "done"
        assert generation["body"]["messages"] == HELLO
    finally:
        process.terminate()
        await process.communicate()
