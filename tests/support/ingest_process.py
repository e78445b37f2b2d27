"""ingest as a process of its own, and what a gateway does around it."""

import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from contracts import ingest
from contracts.ids import DocumentId, TenantId, uuid7
from runtime.bus import Bus
from runtime.db import Database
from runtime.errors import NotFound
from runtime.tenancy import TenantScope
from tests.support.children import bound
from tests.support.platform import Platform, eventually
from tests.support.ports import free_ports

HANGS = {"INGEST_QDRANT_WRITE_TIMEOUT_S": "2"}
"""A simulated server does not answer while the test that it belongs to waits for ingest to end."""


class Ingest:
    """The service's process; `settings` are environment variables of its own."""

    def __init__(self, platform: Platform, **settings: str) -> None:
        self.platform = platform
        self.port = free_ports(1)
        self.environment = {**os.environ, **platform.env("ingest", self.port), **settings}
        self.files = Path(platform.settings.data) / "files"
        self.index = Path(self.environment["INGEST_INDEX_PATH"])
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *program: str) -> None:
        self.process = subprocess.Popen(bound("-m", *(program or ["ingest_service"])), env=self.environment)

    def end(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    def kill(self) -> None:
        """For the end of a test that may have failed anywhere: what still runs must not outlive it."""
        if self.process is not None and self.process.poll() is None:
            self.end(signal.SIGKILL)

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def is_whole(self) -> bool:
        """Ready, and its index holds every passage."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2) as answer:
                return bool(json.load(answer)["dependencies"]["index"]["ok"])
        except OSError:
            return False

    def upload(self, scope: TenantScope, data: bytes) -> str:
        name = str(uuid7())
        path = self.files / ingest.inbox_key(scope.tenant_id, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return name


@contextmanager
def running(platform: Platform, **settings: str) -> Iterator[Ingest]:
    """The service, drained at the end; ask it through `asking`."""
    service = Ingest(platform, **settings)
    service.start()
    yield service
    assert service.end(signal.SIGTERM) == 0


@asynccontextmanager
async def asking(platform: Platform, service: Ingest | None = None) -> AsyncIterator[Bus]:
    """A gateway's bus, once the service is ready where one is given."""
    bus = Bus("gateway", platform.nats_url, platform.seed("gateway"))
    await bus.connect()
    if service is not None:
        await eventually(service.is_ready, timeout_s=60)
    yield bus
    await bus.stop()


@asynccontextmanager
async def ingest_rows(platform: Platform) -> AsyncIterator[Database]:
    """Its tables, as the role of its handlers sees them."""
    database = Database(platform.postgres_url("ingest_app"), pool_size=8)
    yield database
    await database.close()


def new_person() -> TenantScope:
    """Somebody of a business of their own."""
    return TenantScope(TenantId(uuid7()), "user:test")


async def send(bus: Bus, service: Ingest, scope: TenantScope, data: bytes, **changed: Any) -> ingest.Document:
    asked: dict[str, Any] = {
        "document_id": DocumentId(uuid7()),
        "inbox_name": service.upload(scope, data),
        "filename": "document.md",
        "size_bytes": len(data),
        **changed,
    }
    reply = await bus.request(ingest.REGISTER_DOCUMENT, ingest.RegisterDocument(**asked), scope)
    return reply.document


async def look(bus: Bus, scope: TenantScope, document_id: DocumentId) -> ingest.Document:
    return (await bus.request(ingest.GET_DOCUMENT, ingest.GetDocument(document_id=document_id), scope)).document


async def until(bus: Bus, scope: TenantScope, document_id: DocumentId, state: str) -> ingest.Document:
    async def reached() -> ingest.Document | None:
        document = await look(bus, scope, document_id)
        return document if document.state == state else None

    found: ingest.Document = await eventually(reached, timeout_s=120)
    return found


async def until_gone(bus: Bus, scope: TenantScope, document_id: DocumentId) -> None:
    async def is_gone() -> bool:
        try:
            await look(bus, scope, document_id)
        except NotFound:
            return True
        return False

    await eventually(is_gone, timeout_s=60)


async def find(bus: Bus, scope: TenantScope, query: str, **filters: Any) -> tuple[ingest.PassageHit, ...]:
    asked = ingest.Search(query=query, k=5, filters=ingest.SearchFilters(**filters))
    return (await bus.request(ingest.SEARCH, asked, scope)).items
