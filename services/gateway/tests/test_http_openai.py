"""OpenAI's own client asks the gateway."""

from collections.abc import AsyncIterator

import httpx2
import openai
import pytest

from contracts.auth import Scope
from contracts.ids import uuid7
from contracts.ingest import EMBED, EMBED_AT_ONCE, EMBED_CHARACTERS, Embed, Embeddings
from gateway_service.domain.principal import Principal
from runtime.errors import NotFound
from services.gateway.tests.memory import TENANT, Edge

MODEL = "all-MiniLM-L6-v2"


def embedded(request: Embed) -> Embeddings:
    """The vector of a text tells its length."""
    vectors = tuple((0.6, -0.8, float(len(text))) for text in request.texts)
    return Embeddings(model=MODEL, vectors=vectors, tokens=len(request.texts))


@pytest.fixture
def edge() -> Edge:
    edge = Edge()
    edge.services.tell(EMBED, embedded)
    return edge


@pytest.fixture
async def client(edge: Edge) -> AsyncIterator[openai.AsyncOpenAI]:
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(edge.app))
    client = openai.AsyncOpenAI(api_key="owner", base_url="http://gateway/v1", http_client=http, max_retries=0)
    yield client
    await client.close()


async def test_vectors_come_as_the_client_reads_them(client):
    for given in ({}, {"encoding_format": "float"}, {"encoding_format": "base64"}, {"dimensions": 3}):
        reply = await client.embeddings.create(model=MODEL, input=["one", "three"], **given)
        assert [one.index for one in reply.data] == [0, 1]
        if given.get("encoding_format") != "base64":
            assert reply.data[1].embedding == pytest.approx([0.6, -0.8, 5.0])
        assert (reply.model, reply.usage.prompt_tokens, reply.usage.total_tokens) == (MODEL, 2, 2)
    assert len((await client.embeddings.create(model=MODEL, input="one")).data) == 1


async def test_many_texts_travel_in_parts_and_long_ones_are_cut(client, edge):
    reply = await client.embeddings.create(model=MODEL, input=[f"{n:05}" * (n + 1) for n in range(100)])
    assert [one.embedding[2] for one in reply.data] == [5 * (n + 1) for n in range(100)]
    assert [len(asked.texts) for _, asked, _ in edge.services.asked] == [EMBED_AT_ONCE] * 4 + [4]
    assert not any(asked.is_urgent for _, asked, _ in edge.services.asked)
    reply = await client.embeddings.create(model=MODEL, input="x" * 20_000)
    assert reply.data[0].embedding[2] == EMBED_CHARACTERS


@pytest.mark.parametrize(
    "given",
    [[], "", ["one", ""], ["x"] * 257, [[1, 2, 3]], [1, 2, 3], "x" * 32_001],
    ids=["none", "empty", "one-empty", "too-many", "token-ids", "tokens", "too-long"],
)
async def test_what_is_no_text_is_refused(client, edge, given):
    with pytest.raises(openai.UnprocessableEntityError):
        await client.embeddings.create(model=MODEL, input=given)
    assert edge.services.asked == []


async def test_another_model_is_not_answered_by_ours(client, edge):
    edge.services.tell(EMBED, NotFound(f"texts are embedded with {MODEL} here"))
    with pytest.raises(openai.NotFoundError, match=MODEL):
        await client.embeddings.create(model="text-embedding-3-small", input="one")
    assert edge.services.asked[0][1].model == "text-embedding-3-small"


async def test_other_dimensions_are_refused(client):
    with pytest.raises(openai.BadRequestError, match="3 numbers"):
        await client.embeddings.create(model=MODEL, input="one", dimensions=2)


@pytest.mark.parametrize(("scope", "may"), [("chat", True), ("documents", True), ("admin", True), (None, False)])
async def test_keys_for_chats_or_documents_may_embed(client, edge, scope: Scope | None, may: bool):
    scopes = (scope,) if scope else ()
    edge.tokens.known["owner"] = Principal("api_key", TENANT, uuid7(), scopes=scopes)
    if may:
        await client.embeddings.create(model=MODEL, input="one")
        return
    with pytest.raises(openai.PermissionDeniedError):
        await client.embeddings.create(model=MODEL, input="one")
