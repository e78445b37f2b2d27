"""ingest as a process that keeps its vectors on a Qdrant server; the server is simulated around the real engine."""

import signal
from collections.abc import AsyncIterator

import pytest

from contracts import ingest
from runtime.bus import Bus
from runtime.errors import Unavailable
from runtime.tenancy import TenantScope
from runtime.testing.ollama_server import SimulatedOllama
from tests.support.ingest_process import HANGS, Ingest, asking, find, new_person, running, send, until, until_gone
from tests.support.platform import Platform, eventually
from tests.support.probe import connection
from tests.support.simulated_qdrant import SimulatedQdrant

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]

COLLECTION = "lumora_all-minilm-l6-v2-int8-columns-384"
OTHER = "lumora_ollama-simulated-embed-n96-96"
A_DAY_LATER = "UPDATE ingest.index_use SET used_at = used_at - interval '25 hours'"
RETURNS = b"# Returns\n\nYou may return an unused item within 30 days of delivery, with its bill."
TENTS = b"# Tents\n\nThe Ridge tent weighs 1.9 kg and sleeps two."


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[SimulatedQdrant]:
    async with SimulatedQdrant(api_key="the key") as server:
        yield server


@pytest.fixture(scope="module")
async def service(platform: Platform, server: SimulatedQdrant) -> AsyncIterator[Ingest]:
    with running(platform, INGEST_QDRANT_URL=server.url, INGEST_QDRANT_API_KEY="the key", **HANGS) as service:
        yield service


@pytest.fixture(scope="module")
async def bus(platform: Platform, service: Ingest) -> AsyncIterator[Bus]:
    async with asking(platform, service) as bus:
        yield bus


@pytest.fixture
def scope() -> TenantScope:
    return new_person()


async def test_a_document_is_found_by_its_business_alone_and_goes(
    bus: Bus, service: Ingest, server: SimulatedQdrant, scope: TenantScope
):
    stranger = new_person()
    document = await send(bus, service, scope, RETURNS)
    theirs = await send(bus, service, stranger, TENTS)
    await until(bus, scope, document.id, "ready")
    await until(bus, stranger, theirs.id, "ready")
    (best,) = await find(bus, scope, "How long may I return an item?")
    assert best.document_id == document.id
    assert best.dense is not None
    assert best.bm25 is not None
    assert [hit.document_id for hit in await find(bus, stranger, "How long may I return an item?")] == [theirs.id]
    assert list(server.collections) == [COLLECTION]
    await bus.request(ingest.DELETE_DOCUMENT, ingest.DeleteDocument(document_id=document.id), scope)
    await until_gone(bus, scope, document.id)
    assert await find(bus, scope, "How long may I return an item?") == ()


async def test_a_lost_collection_is_filled_again(
    bus: Bus, service: Ingest, server: SimulatedQdrant, scope: TenantScope
):
    document = await send(bus, service, scope, RETURNS)
    await until(bus, scope, document.id, "ready")
    before = await find(bus, scope, "return an item")
    assert service.end(signal.SIGTERM) == 0
    server.drop(COLLECTION)
    service.start()
    await eventually(service.is_ready, timeout_s=60)

    async def is_whole() -> bool:
        try:
            return await find(bus, scope, "return an item") == before
        except Unavailable:
            return False

    await eventually(is_whole, timeout_s=100)


async def test_while_the_server_fails_a_search_says_so_and_a_document_waits(
    bus: Bus, service: Ingest, server: SimulatedQdrant, scope: TenantScope
):
    server.faults.extend([503] * 40)
    with pytest.raises(Unavailable):
        await find(bus, scope, "return an item")
    document = await send(bus, service, scope, TENTS)
    server.faults.clear()
    await until(bus, scope, document.id, "ready")
    assert [hit.document_id for hit in await find(bus, scope, "which tent sleeps two")] == [document.id]


async def test_processes_of_two_models_share_a_server_until_one_of_them_has_ended(
    platform: Platform, bus: Bus, service: Ingest, server: SimulatedQdrant, scope: TenantScope
):
    """As in a rolling upgrade: who is whole drops what nobody uses, at its start and every hour."""
    document = await send(bus, service, scope, TENTS)
    await until(bus, scope, document.id, "ready")
    async with SimulatedOllama() as ollama:
        settings = {"INGEST_EMBEDDER": "ollama/simulated-embed-n96", "INGEST_EMBED_DIMENSIONS": "96"}
        kept = {"INGEST_QDRANT_URL": server.url, "INGEST_QDRANT_API_KEY": "the key", **HANGS}
        with running(platform, **settings, **kept, OLLAMA_HOST=ollama.url) as newer:
            await eventually(newer.is_whole, timeout_s=60)
            assert set(server.collections) == {COLLECTION, OTHER}

            assert service.end(signal.SIGTERM) == 0
            service.start()  # the older one is whole again, and would have dropped what it does not know
            await eventually(service.is_whole, timeout_s=60)
            assert set(server.collections) == {COLLECTION, OTHER}

            assert service.end(signal.SIGTERM) == 0
            async with connection(platform.postgres_url("lumora")) as admin:
                await admin.execute(f"{A_DAY_LATER} WHERE collection = $1", COLLECTION)
            assert newer.end(signal.SIGTERM) == 0
            newer.start()
            await eventually(lambda: set(server.collections) == {OTHER}, timeout_s=60)
            assert [hit.document_id for hit in await find(bus, scope, "which tent sleeps two")] == [document.id]
        service.start()  # for the tests behind this one
        await eventually(service.is_whole, timeout_s=60)
