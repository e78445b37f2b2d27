"""ingest with the models of a server: changed while people upload and search, away, and back again."""

import asyncio
import contextlib
import itertools
import re
import signal
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from contracts import ingest
from ingest_service.domain.embedding import IndexName
from ingest_service.outbound import edge_folders
from ingest_service.outbound.edge_indexes import EdgeIndexes
from ingest_service.outbound.embedders import OF_MINILM
from runtime.bus import Bus
from runtime.errors import LumoraError
from runtime.tenancy import TenantScope
from runtime.testing.ollama_server import SimulatedOllama
from tests.support.ingest_process import Ingest, asking, find, new_person, send, until
from tests.support.platform import Platform, eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(200)]

OTHER = IndexName("ollama/simulated-embed-n96", 96)
DOCUMENTS, PARTS = 12, 5


@pytest.fixture
async def server() -> AsyncIterator[SimulatedOllama]:
    async with SimulatedOllama() as server:
        yield server


@pytest.fixture
async def bus(platform: Platform) -> AsyncIterator[Bus]:
    async with asking(platform) as bus:
        yield bus


def text(n: int) -> bytes:
    parts = (f"## Part {part}\n\nArticle{n} has a detail{n}x{part} that nobody else has.\n" for part in range(PARTS))
    return "\n".join([f"# Article {n}\n", *parts]).encode()


@dataclass
class Searcher:
    """Searches without a pause; remembers what was not answered as it should be."""

    bus: Bus
    scope: TenantScope
    answers: int = 0
    empty: list[str] = field(default_factory=list)

    is_over: bool = False

    async def run(self) -> None:
        for n in itertools.cycle(range(DOCUMENTS)):
            if self.is_over:
                return
            await self.ask(n)
            await asyncio.sleep(0.02)

    async def ask(self, n: int) -> None:
        query = f"detail{n}x3"
        # a process that is killed answers nobody; one that runs always finds it
        with contextlib.suppress(LumoraError):
            hits = await find(self.bus, self.scope, query)
            self.answers += 1
            if not hits or query not in hits[0].text:
                self.empty.append(query)


def metric(service: Ingest, name: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return next((line.rpartition(" ")[2] for line in lines if line.startswith(name)), "")


@pytest.fixture
def running() -> Iterator[list[Ingest]]:
    """Those that were started; a test that fails leaves none of them behind."""
    started: list[Ingest] = []
    yield started
    for service in started:
        if service.process is not None and service.process.poll() is None:
            service.end(signal.SIGKILL)


async def start(service: Ingest, running: list[Ingest]) -> Ingest:
    running.append(service)
    service.start()
    await eventually(service.is_ready, timeout_s=60)
    return service


@contextlib.asynccontextmanager
async def searching(bus: Bus, scope: TenantScope) -> AsyncIterator[Searcher]:
    searcher = Searcher(bus, scope)
    task = asyncio.create_task(searcher.run())
    yield searcher
    # told, not cancelled: Python 3.11 forgets a cancellation that meets the answer of a request
    searcher.is_over = True
    await task


def of_ollama(platform: Platform, server: SimulatedOllama, index: Path) -> Ingest:
    return Ingest(
        platform,
        INGEST_INDEX_PATH=str(index),
        INGEST_EMBEDDER=OTHER.model,
        INGEST_EMBED_DIMENSIONS=str(OTHER.dimension),
        OLLAMA_HOST=server.url,
    )


async def held(index: Path, scope: TenantScope, documents: list[ingest.Document]) -> dict[IndexName, list[int]]:
    """What the folders hold of each document, once no process has them."""
    indexes = EdgeIndexes(index)
    try:
        return {
            name: [await (await indexes.open(name)).count(scope, document.id) for document in documents]
            for name in await indexes.names()
        }
    finally:
        await indexes.close()


def kept(root: Path) -> set[str]:
    """The folders that are there, without the number that a compaction has put behind their names."""
    return {re.sub(r"(-\d+)\.\d+$", r"\1", path.name) for path in root.iterdir()}


async def test_the_model_is_changed_while_people_upload_and_search(
    platform: Platform, bus: Bus, server: SimulatedOllama, running: list[Ingest], tmp_path: Path
):
    scope = new_person()
    service = await start(Ingest(platform, INGEST_INDEX_PATH=str(tmp_path)), running)
    documents = [await send(bus, service, scope, text(n)) for n in range(DOCUMENTS)]
    documents = [await until(bus, scope, document.id, "ready") for document in documents]
    assert {document.passages for document in documents} == {PARTS}

    async with searching(bus, scope) as searcher:
        assert service.end(signal.SIGTERM) == 0
        server.embeddings.fault = "503"
        service = await start(of_ollama(platform, server, tmp_path), running)
        waiting = await send(bus, service, scope, text(DOCUMENTS))
        await eventually(lambda: metric(service, "ingest_embedder_away") == "1.0", timeout_s=30)
        before = searcher.answers
        await eventually(lambda: searcher.answers > before + DOCUMENTS, timeout_s=30)

        server.embeddings.fault, server.embeddings.asked[:] = None, []
        await eventually(lambda: len(server.embeddings.asked) >= 4, timeout_s=60)
        assert service.end(signal.SIGKILL) == -signal.SIGKILL

        await start(service, running)
        documents.append(await until(bus, scope, waiting.id, "ready"))
        late = await send(bus, service, scope, text(DOCUMENTS + 1))
        documents.append(await until(bus, scope, late.id, "ready"))
        folders = {f"{OTHER.model.replace('/', '%2F')}-{OTHER.dimension}"}
        await eventually(lambda: kept(tmp_path) == folders, timeout_s=60)
        before = searcher.answers
        await eventually(lambda: searcher.answers > before + DOCUMENTS, timeout_s=30)
    assert searcher.empty == []
    assert (await find(bus, scope, f"detail{DOCUMENTS + 1}x2"))[0].dense is not None
    assert service.end(signal.SIGTERM) == 0
    assert await held(tmp_path, scope, documents) == {OTHER: [PARTS] * (DOCUMENTS + 2)}


async def test_the_index_of_the_build_before_is_searched_by_meaning_until_it_is_replaced(
    platform: Platform, bus: Bus, running: list[Ingest], tmp_path: Path
):
    present, before = OF_MINILM
    scope = new_person()
    service = await start(Ingest(platform, INGEST_INDEX_PATH=str(tmp_path)), running)
    sent = [await send(bus, service, scope, text(n)) for n in range(DOCUMENTS)]
    documents = [await until(bus, scope, document.id, "ready") for document in sent]
    assert service.end(signal.SIGTERM) == 0
    folder = f"{quote(present.model)}-{present.dimension}"
    edge_folders.current(tmp_path / folder).rename(tmp_path / f"{before.model}-{before.dimension}")

    async with searching(bus, scope) as searcher:
        await start(service, running)
        assert (await find(bus, scope, "detail0x1"))[0].dense is not None
        await eventually(lambda: kept(tmp_path) == {folder}, timeout_s=60)
        assert (await find(bus, scope, "detail0x2"))[0].dense is not None
        answered = searcher.answers
        await eventually(lambda: searcher.answers > answered + DOCUMENTS, timeout_s=30)
    assert searcher.empty == []
    assert service.end(signal.SIGTERM) == 0
    assert await held(tmp_path, scope, documents) == {present: [PARTS] * DOCUMENTS}


async def test_a_model_that_is_away_stops_no_search_and_loses_no_document(
    platform: Platform, bus: Bus, server: SimulatedOllama, running: list[Ingest], tmp_path: Path
):
    scope = new_person()
    service = await start(of_ollama(platform, server, tmp_path), running)
    document = await send(bus, service, scope, text(0))
    await until(bus, scope, document.id, "ready")
    assert (await find(bus, scope, "detail0x1"))[0].dense is not None

    server.embeddings.fault = "stall"
    hit, *_ = await find(bus, scope, "detail0x2")
    assert (hit.dense, "detail0x2" in hit.text) == (None, True)
    assert metric(service, 'ingest_embedder_failures_total{model="ollama/simulated-embed-n96",reason="slow"}') == "1.0"
    server.embeddings.fault = "429"
    waiting = await send(bus, service, scope, text(1))
    await eventually(lambda: metric(service, "ingest_embedder_away") == "1.0", timeout_s=30)
    server.embeddings.fault = None
    ready = await until(bus, scope, waiting.id, "ready")
    assert (ready.passages, ready.error) == (PARTS, None)

    async def is_near() -> bool:
        return (await find(bus, scope, "detail1x1"))[0].dense is not None

    await eventually(is_near, timeout_s=30)
    assert service.end(signal.SIGTERM) == 0
