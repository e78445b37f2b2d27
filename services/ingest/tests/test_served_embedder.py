"""Embedding models on servers: the same promises through both official clients, on simulated servers."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from ingest_service.domain import served_embedder
from ingest_service.domain.embedding import EmbedderAway, IndexName, Traits, chosen
from ingest_service.domain.passage_index import DenseVector
from ingest_service.domain.remembered_queries import RememberedQueries
from ingest_service.domain.served_embedder import ServedEmbedder
from ingest_service.outbound.ollama_embedder import OllamaVectors
from ingest_service.outbound.openai_embedder import OpenAIVectors
from runtime.clock import FrozenClock
from runtime.errors import Rejected
from runtime.testing.ollama_server import SimulatedOllama
from runtime.testing.openai_server import SimulatedOpenAI
from services.ingest.tests.memory import MemoryEmbedder, WordCounter
from tests.support.platform import eventually

Server = SimulatedOllama | SimulatedOpenAI
FAULTS = ("429", "500", "503", "drop", "garbage", "dimension", "count", "nan", "zero")
KEY = "sk-secret-0123456789"


@dataclass
class Seen:
    """Implements `EmbedderWatch`."""

    reasons: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def away(self, model: str, reason: str) -> None:
        self.reasons.append(reason)
        self.said.append("away")

    def back(self, model: str) -> None:
        self.said.append("back")

    def slow(self, model: str) -> None:
        self.said.append("slow")

    def refused(self, model: str) -> None:
        self.said.append("refused")


@dataclass
class Room:
    """A simulated server, and embedders that ask it."""

    provider: str
    server: Server
    stack: AsyncExitStack
    clock: FrozenClock = field(default_factory=FrozenClock)
    seen: Seen = field(default_factory=Seen)

    def embedder(self, name: str = "simulated-embed", *, url: str = "", **changed: Any) -> ServedEmbedder:
        traits = chosen(f"{self.provider}/{name}", **{"dimension": 64, **changed})
        asked = traits.dimension if traits.asks_dimension else None
        url = url or self.server.url
        source = OllamaVectors(url, name, asked) if self.provider == "ollama" else OpenAIVectors(KEY, url, name, asked)
        self.stack.push_async_callback(source.close)
        return ServedEmbedder(source, traits, counter=WordCounter(), watch=self.seen, clock=self.clock)


@pytest.fixture(params=["ollama", "openai"])
async def room(request: pytest.FixtureRequest) -> AsyncIterator[Room]:
    async with AsyncExitStack() as stack:
        server: Server = SimulatedOllama() if request.param == "ollama" else SimulatedOpenAI()
        yield Room(request.param, await stack.enter_async_context(server), stack)


def near(one: DenseVector, other: DenseVector) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_vectors_are_in_order_and_of_unit_length(room):
    embedder = room.embedder()
    texts = [f"word{n} " * (1 + 97 * n % 150) for n in range(200)]
    vectors = await embedder.embed(texts)
    assert all(math.isclose(near(vector, vector), 1.0, abs_tol=1e-9) for vector in vectors)
    for n in (0, 7, 199):
        assert near(vectors[n], await embedder.embed_query(f"word{n}")) == pytest.approx(1.0)
    assert near(vectors[3], vectors[4]) < 0.5
    assert await embedder.embed([]) == []


async def test_long_texts_travel_with_long_ones(room):
    sizes = [3, 4_000, 5, 4_000, 2, 4_000]
    await room.embedder().embed(["w " * size for size in sizes])
    asked = [[text.count("w") for text in request.texts] for request in room.server.embeddings.asked]
    assert asked == [[4_000, 4_000], [4_000, 5], [3, 2]]
    assert all(max(sizes) * len(sizes) <= served_embedder.TOKENS_A_REQUEST for sizes in asked)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_told_as_being_away(room, fault):
    embedder = room.embedder(f"simulated-embed-f{fault}")
    with pytest.raises(EmbedderAway) as raised:
        await embedder.embed(["one", "two"])
    assert raised.value.retry_after_s == (2.0 if fault in {"429", "503"} else served_embedder.FIRST_PAUSE_S)
    assert KEY not in str(raised.value)
    before = len(room.server.embeddings.asked)
    with pytest.raises(EmbedderAway):
        await embedder.embed_query("one")
    with pytest.raises(EmbedderAway):
        embedder.check()
    assert len(room.server.embeddings.asked) == before
    assert room.seen.said == ["away", "refused"]


async def test_nobody_there_is_told_as_being_away(room):
    with pytest.raises(EmbedderAway, match="reached"):
        await room.embedder(url="http://127.0.0.1:1").embed_query("one")


async def test_an_unknown_model_is_the_operators_to_mend(room):
    with pytest.raises(EmbedderAway, match="does not have this model"):
        await room.embedder("other-model").embed(["one"])


async def test_a_silent_server_is_not_waited_for(room, monkeypatch):
    monkeypatch.setattr(served_embedder, "QUERY_S", 0.05)
    monkeypatch.setattr(served_embedder, "PASSAGES_S", 0.1)
    embedder = room.embedder("simulated-embed-fstall")
    with pytest.raises(EmbedderAway, match="too slow"):
        await embedder.embed_query("one")
    # passages may still go: the server may only be busy
    embedder.check()
    with pytest.raises(EmbedderAway, match="too slow"):
        await embedder.embed_query("one")
    # on a busy machine not even the first one may have got there in time
    assert len(room.server.embeddings.asked) <= 1
    assert room.seen.said == ["slow", "refused"]
    room.clock.advance(served_embedder.QUERIES_REST_S)
    with pytest.raises(EmbedderAway, match="does not answer"):
        await embedder.embed(["one"])
    assert room.seen.said == ["slow", "refused", "away"]


async def test_a_server_that_comes_back_is_asked_again(room, monkeypatch):
    monkeypatch.setattr(served_embedder, "FIRST_PAUSE_S", 0.01)
    embedder = room.embedder()
    room.server.embeddings.fault = "500"
    touch = asyncio.create_task(embedder.keep_in_touch())
    await eventually(lambda: len(room.server.embeddings.asked) >= 3)
    with pytest.raises(EmbedderAway):
        embedder.check()
    room.server.embeddings.fault = None
    await eventually(lambda: "back" in room.seen.said)
    assert len(await embedder.embed_query("one")) == 64
    touch.cancel()


async def test_a_refused_text_keeps_nobody_else_away():
    class Picky:
        async def vectors(self, texts: object) -> list[list[float]]:
            if "bad" in str(texts):
                raise Rejected("too long")
            return [[1.0, 0.0]]

    traits = chosen("openai/some-model", dimension=2)
    embedder = ServedEmbedder(Picky(), traits, counter=WordCounter(), watch=Seen(), clock=FrozenClock())
    with pytest.raises(EmbedderAway):
        await embedder.embed(["bad"])
    embedder = ServedEmbedder(Picky(), traits, counter=WordCounter(), watch=Seen(), clock=FrozenClock())
    await embedder.embed_query("good")
    with pytest.raises(Rejected):
        await embedder.embed(["bad"])
    assert await embedder.embed_query("good") == [1.0, 0.0]


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
async def test_the_address_may_name_the_version(ending):
    async with SimulatedOpenAI() as server:
        source = OpenAIVectors(KEY, server.url + ending, "simulated-embed")
        assert len(await source.vectors(["one", "two"])) == 2
        await source.close()
        assert server.embeddings.asked[0].headers["Authorization"] == f"Bearer {KEY}"


async def test_questions_and_passages_are_marked_as_the_model_wants(room):
    name = "simulated-embed"
    embedder = room.embedder(name, query_prefix="search_query: ", passage_prefix="search_document: ")
    await embedder.embed_query("one")
    await embedder.embed(["two"])
    assert [request.texts for request in room.server.embeddings.asked] == [
        ("search_query: one",),
        ("search_document: two",),
    ]
    assert embedder.model != room.embedder(name).model


def test_what_is_usual_for_a_model_is_known():
    nomic = chosen("ollama/nomic-embed-text:v1.5")
    assert (nomic.dimension, nomic.query_prefix, nomic.passage_prefix) == (768, "search_query: ", "search_document: ")
    assert nomic.index_name == IndexName("ollama/nomic-embed-text:v1.5", 768)
    assert not nomic.asks_dimension
    short = chosen("openai/text-embedding-3-large", dimension=256)
    assert (short.dimension, short.asks_dimension) == (256, True)
    hosted = chosen("openai/intfloat/multilingual-e5-large", query_prefix="")
    assert (hosted.name, hosted.query_prefix, hosted.passage_prefix) == (
        "intfloat/multilingual-e5-large",
        "",
        "passage: ",
    )
    assert hosted.index_name.model.startswith("openai/intfloat/multilingual-e5-large+")
    assert Traits("minilm", "all-MiniLM-L6-v2", 384, build="int8").index_name.model == "all-MiniLM-L6-v2+int8"


@pytest.mark.parametrize("setting", ["", "ollama", "ollama/", "cohere/x", "ollama/unheard-of", "openai/" + "x" * 99])
def test_what_names_no_embedder_is_refused_at_the_start(setting):
    with pytest.raises(ValueError, match=r"embedder|DIMENSIONS"):
        chosen(setting)


async def test_recent_questions_are_remembered():
    asked = MemoryEmbedder()
    embedder = RememberedQueries(asked, most=2)
    first = await embedder.embed_query("one")
    assert await embedder.embed_query("one") is first
    for text in ("two", "three", "one"):
        await embedder.embed_query(text)
    assert asked.asked == ["one", "two", "three", "one"]
    assert (embedder.model, embedder.dimension) == (asked.model, asked.dimension)
