"""What reading Ollama's token stream costs, by client: CPU seconds of this process per 1,000 tokens.

20 streams at once from a fake model that speaks Ollama's protocol, unpaced and paced at 50 tokens/s a stream; nothing
is done with the tokens but counting them. `ours` is the product's own provider, errors, timeouts and stop included.

    uv run --with httpx-aiohttp python bench/readers_cost.py --fake PATH/fake_llm.py
    uv run python bench/readers_cost.py --url http://127.0.0.1:21000          (a server that is running already)

The fake must know model names of the form fake-n<tokens>-r<rate>. Without httpx-aiohttp its row is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import importlib.util
import json
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import aiohttp
import httpx
import ollama
import orjson
import uvloop

STREAMS, TOKENS = 20, 200
HELLO = [{"role": "user", "content": "hello"}]
Once = Callable[[str], Awaitable[int]]


def body(model: str) -> dict[str, object]:
    return {"model": model, "messages": HELLO, "stream": True}


@contextlib.asynccontextmanager
async def ollama_client(url: str) -> AsyncIterator[Once]:
    async with ollama.AsyncClient(url) as client:

        async def once(model: str) -> int:
            return len([1 async for part in await client.chat(model, HELLO, stream=True) if part.message.content])

        yield once


async def count_lines(pieces: AsyncIterator[bytes], parse: Callable[[bytes], dict[str, dict[str, str]]]) -> int:
    """Own split of whatever arrives into lines."""
    rest, count = b"", 0
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if parse(line)["message"]["content"]:
                count += 1
    return count


@contextlib.asynccontextmanager
async def httpx_raw(url: str) -> AsyncIterator[Once]:
    limits = httpx.Limits(max_connections=STREAMS)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:

        async def once(model: str) -> int:
            async with client.stream("POST", "/api/chat", json=body(model)) as answer:
                return await count_lines(answer.aiter_raw(), orjson.loads)

        yield once


@contextlib.asynccontextmanager
async def httpx_over_aiohttp(url: str) -> AsyncIterator[Once]:
    """The official client's own httpx client, with the transport changed through its public argument."""
    transport = importlib.import_module("httpx_aiohttp").AiohttpTransport()
    async with ollama.AsyncClient(url, transport=transport) as client:
        wire = client._client  # noqa: SLF001 - the row measures exactly this object

        async def once(model: str) -> int:
            async with wire.stream("POST", "/api/chat", json=body(model)) as answer:
                return await count_lines(answer.aiter_raw(), orjson.loads)

        yield once


@contextlib.asynccontextmanager
async def aiohttp_lines(url: str) -> AsyncIterator[Once]:
    async with aiohttp.ClientSession(url) as session:

        async def once(model: str) -> int:
            count = 0
            async with session.post("/api/chat", json=body(model)) as answer:
                async for line in answer.content:
                    if orjson.loads(line)["message"]["content"]:
                        count += 1
            return count

        yield once


def aiohttp_any(parse: Callable[[bytes], dict[str, dict[str, str]]], *, limit_s: float | None = None) -> object:
    """Whatever the socket gave at once, split by us; with `limit_s` each read has an asyncio.timeout around it."""

    @contextlib.asynccontextmanager
    async def reader(url: str) -> AsyncIterator[Once]:
        async with aiohttp.ClientSession(url) as session:

            async def timed(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
                while True:
                    async with asyncio.timeout(limit_s):
                        piece = await content.readany()
                    if not piece:
                        return
                    yield piece

            async def once(model: str) -> int:
                async with session.post("/api/chat", json=body(model)) as answer:
                    pieces = timed(answer.content) if limit_s else answer.content.iter_any()
                    return await count_lines(pieces, parse)

            yield once

    return reader


def readers() -> dict[str, Callable[[str], contextlib.AbstractAsyncContextManager[Once]]]:
    rows: dict[str, object] = {"ollama client": ollama_client, "httpx raw, orjson": httpx_raw}
    if importlib.util.find_spec("httpx_aiohttp"):
        rows["httpx over aiohttp, orjson"] = httpx_over_aiohttp
    rows["aiohttp lines, orjson"] = aiohttp_lines
    rows["aiohttp any, json"] = aiohttp_any(json.loads)
    rows["aiohttp any, orjson"] = aiohttp_any(orjson.loads)
    rows["aiohttp any, orjson, timeout a read"] = aiohttp_any(orjson.loads, limit_s=20)
    rows["ours"] = ours
    return rows  # type: ignore[return-value]  # decorated functions of one shape


@contextlib.asynccontextmanager
async def ours(url: str) -> AsyncIterator[Once]:
    from inference_service.domain.model import Pieces, Prompt  # noqa: PLC0415 - the rows above need no product
    from inference_service.outbound.ollama_model import OllamaModel  # noqa: PLC0415 - the same

    model_of_the_house = OllamaModel(url)

    async def once(model: str) -> int:
        prompt = Prompt(system="", history=(), question="hello", passages=(), model=model)
        deadline = asyncio.get_running_loop().time() + 60
        stream = model_of_the_house.stream(prompt, deadline=deadline)
        return sum([len(got.texts) async for got in stream if isinstance(got, Pieces)])

    yield once
    await model_of_the_house.close()


async def cpu_per_1k(once: Once, rate: int) -> float:
    model = f"fake-n{TOKENS}-r{rate}"
    cpu = time.process_time()
    counts = await asyncio.gather(*(once(model) for _ in range(STREAMS)))
    spent = time.process_time() - cpu
    if counts != [TOKENS] * STREAMS:
        raise AssertionError(counts)
    return spent / sum(counts) * 1000


async def measure(url: str, repeats: int, only: str) -> None:
    rows = {name: reader for name, reader in readers().items() if only in name}
    print(f"{'CPU s per 1,000 tokens':36}{'unpaced':>10}{'(min-max)':>16}{'paced 50/s':>12}{'(min-max)':>16}")
    found: dict[tuple[str, int], list[float]] = {}
    for repeat in range(repeats + 1):  # the first one warms up
        for name, reader in rows.items():
            async with reader(url) as once:
                for rate in (0, 50):
                    spent = await cpu_per_1k(once, rate)
                    found.setdefault((name, rate), []).extend([spent] if repeat else [])
    for name in rows:
        cells = [found[name, rate] for rate in (0, 50)]
        print(
            f"{name:36}{statistics.median(cells[0]):10.4f}{min(cells[0]):9.4f}-{max(cells[0]):.4f}"
            f"{statistics.median(cells[1]):12.4f}{min(cells[1]):9.4f}-{max(cells[1]):.4f}"
        )


@contextlib.contextmanager
def fake(path: str, port: int) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, path, "--port", str(port)])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


async def wait_ready(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(100):
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(url):
                    return
            await asyncio.sleep(0.1)
    raise TimeoutError(f"nothing answers at {url}")


async def main(url: str, repeats: int, only: str) -> None:
    await wait_ready(url)
    await measure(url, repeats, only)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="of a running fake model")
    parser.add_argument("--fake", help="path of a fake_llm.py to start on --port")
    parser.add_argument("--port", type=int, default=21050)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="rows whose name contains this")
    args = parser.parse_args()
    server = fake(args.fake, args.port) if args.fake else contextlib.nullcontext(args.url or "http://127.0.0.1:21000")
    with server as address:
        uvloop.run(main(address, args.repeats, args.only))
