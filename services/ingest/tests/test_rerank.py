import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from ingest_service.domain.rerank import CONSIDERED, reranked
from ingest_service.outbound.http_reranker import HttpReranker
from runtime.errors import Unavailable


class MemoryReranker:
    """Prefers the longer text; away when it is told to be."""

    def __init__(self, *, is_away: bool = False) -> None:
        self.is_away, self.asked = is_away, 0

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        if self.is_away:
            raise Unavailable
        self.asked += len(texts)
        return [float(len(text)) for text in texts]


async def test_the_best_come_first_and_equals_stay_as_they_were():
    assert await reranked("q", ["a", "ccc", "b", "dd"], str, MemoryReranker()) == ["ccc", "dd", "a", "b"]


async def test_no_more_than_the_best_are_looked_at():
    ranked, reranker = ["a"] * CONSIDERED + ["bb"], MemoryReranker()
    assert await reranked("q", ranked, str, reranker) == ranked
    assert reranker.asked == CONSIDERED
    assert await reranked("q", ["a"], str, reranker) == ["a"]
    assert reranker.asked == CONSIDERED


async def test_without_the_reranker_the_order_stays():
    assert await reranked("q", ["a", "ccc"], str, MemoryReranker(is_away=True)) == ["a", "ccc"]


@dataclass
class SimulatedRerank:
    """A server of `/v1/rerank` on loopback: words in common with the question are its score. There is no model."""

    url: str = ""
    answer: Any = None
    """Said instead; an int is a status, `stall` is silence."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    async def rerank(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        self.keys.append(request.headers.get("Authorization", ""))
        if self.answer == "stall":
            await asyncio.Event().wait()
        if isinstance(self.answer, int):
            return web.Response(status=self.answer)
        if self.answer is not None:
            return web.json_response(self.answer)
        words = set(body["query"].lower().split())
        found = [(len(words & set(text.lower().split())), place) for place, text in enumerate(body["documents"])]
        results = [{"index": place, "relevance_score": score / 9} for score, place in sorted(found, reverse=True)]
        return web.json_response({"model": body["model"], "results": results, "usage": {"total_tokens": 9}})


@pytest.fixture
async def server() -> AsyncIterator[SimulatedRerank]:
    simulated = SimulatedRerank()
    app = web.Application()
    app.add_routes([web.post("/v1/rerank", simulated.rerank)])
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    simulated.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/rerank"
    yield simulated
    await runner.cleanup()


@pytest.fixture
async def reranker(server: SimulatedRerank) -> AsyncIterator[HttpReranker]:
    made = HttpReranker(server.url, model="bge-reranker", key=SecretStr("the key"), timeout_s=0.5)
    yield made
    await made.close()


TEXTS = ["gas stove", "tents for two people", "a tent"]


async def test_scores_come_back_in_the_order_of_the_texts(server, reranker):
    assert await reranker.scores("which tents for two", TEXTS) == pytest.approx([0, 3 / 9, 0])
    assert server.asked == [
        {"model": "bge-reranker", "query": "which tents for two", "documents": TEXTS, "top_n": 3},
    ]
    assert server.keys == ["Bearer the key"]


@pytest.mark.parametrize(
    "answer",
    [
        429,
        500,
        "stall",
        {},
        {"results": []},
        {"results": [{"index": 0, "relevance_score": 1}, {"index": 7, "relevance_score": 1}]},
        {"results": [{"index": place, "relevance_score": "high"} for place in range(3)]},
        ["not", "an", "object"],
    ],
)
async def test_whatever_is_no_answer_leaves_the_order_as_it_was(server, reranker, answer):
    server.answer = answer
    with pytest.raises(Unavailable) as caught:
        await reranker.scores("which tents", TEXTS)
    assert "tents" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert await reranked("which tents", TEXTS, str, reranker) == TEXTS


async def test_a_server_that_is_not_there_leaves_the_order_as_it_was(server):
    nowhere = HttpReranker("http://127.0.0.1:9/v1/rerank", model="", key=None, timeout_s=0.5)
    assert await reranked("which tents", TEXTS, str, nowhere) == TEXTS
    await nowhere.close()
