"""An import of many documents, looked at from every side: what their owner is told, the rows, the facts, the index."""

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from contracts import subjects
from contracts.ids import DocumentId, TenantId
from contracts.ingest import DOCUMENT_PROGRESSED
from ingest_service.outbound.edge_indexes import EdgeIndexes
from runtime.tenancy import TenantScope
from tests.support.business import Business
from tests.support.library import Paper
from tests.support.platform import eventually
from tests.support.probe import Streams, connection, frozen
from tests.support.stage import Stage

UPLOADS_AT_A_TIME = 4
LOOK_EVERY_S = 0.2
AT_WORK = ("parsing", "chunking", "embedding")
FOUND_AMONG = 5


@dataclass(frozen=True)
class Row:
    """A document as Postgres has it; `rows` are its stored passages."""

    id: DocumentId
    filename: str
    state: str
    passages: int
    rows: int
    attempt: int
    generation: int
    created_at: datetime
    updated_at: datetime


def scope_of(business: Business) -> TenantScope:
    return TenantScope(TenantId(UUID(business.id)), "service:test")


async def upload(business: Business, papers: Sequence[Paper]) -> None:
    """Send them all, some at a time; each again for as long as the platform asks for patience."""
    places = asyncio.Semaphore(UPLOADS_AT_A_TIME)

    async def send(paper: Paper) -> None:
        async with places:
            await business.call("POST", "/api/documents", files=paper.form)

    await asyncio.gather(*(send(paper) for paper in papers))


async def rows(stage: Stage, business: Business) -> list[Row]:
    """Every document of the business, in the order in which they came."""
    async with connection(stage.platform.postgres_url("lumora")) as admin:
        found = await admin.fetch(_ROWS, UUID(business.id))
    return [Row(**dict(row)) for row in found]


_ROWS = """
    SELECT id, filename, state, passages, attempt, generation, created_at, updated_at,
        (SELECT count(*) FROM ingest.passage p WHERE p.tenant_id = d.tenant_id AND p.document_id = d.id) AS rows
    FROM ingest.document d WHERE tenant_id = $1 ORDER BY created_at, id
"""


async def unfinished(stage: Stage, business: Business) -> int:
    return sum(row.state not in {"ready", "failed"} for row in await rows(stage, business))


async def until_at_rest(stage: Stage, business: Business, count: int, *, timeout_s: float) -> list[Row]:
    """Wait until so many documents are there and none is at work."""

    async def are_at_rest() -> list[Row] | None:
        found = await rows(stage, business)
        return found if len(found) == count and all(row.state in {"ready", "failed"} for row in found) else None

    ended: list[Row] = await eventually(are_at_rest, timeout_s=timeout_s, every_s=0.5)
    return ended


def worst_pause_s(found: Sequence[Row]) -> float:
    """The longest time in which no document became ready."""
    times = sorted(row.updated_at for row in found)
    return max((later - earlier).total_seconds() for earlier, later in pairwise(times))


def passages_by_name(found: Sequence[Row]) -> dict[str, int]:
    return {row.filename: row.passages for row in found}


async def times_ready(streams: Streams, business: Business) -> Counter[UUID]:
    """How often each document was said to be ready."""
    scope, said = scope_of(business), Counter[UUID]()
    prefix = f"{subjects.fact_prefix(DOCUMENT_PROGRESSED)}{scope.tenant_id}.>"
    for message in await streams.messages("EVENTS", prefix):
        fact = DOCUMENT_PROGRESSED.model.read(message.data or b"")
        said[fact.document_id] += fact.state == "ready"
    return said


async def jobs_waiting_to_be_sent(stage: Stage, business: Business) -> int:
    async with connection(stage.platform.postgres_url("lumora")) as admin:
        question = "SELECT count(*) FROM ingest.outbox WHERE tenant_id = $1"
        return int(await admin.fetchval(question, UUID(business.id)))


@dataclass
class Index:
    """Points of a business in the vector index: of each document, and all, whoever they belong to."""

    shown: dict[DocumentId, int]
    all: int


async def index_of(stage: Stage, business: Business, documents: Sequence[Row], folder: Path) -> Index:
    """Count in a copy, made while the engine stands still: what it would find after a kill at this moment."""
    with frozen(stage.platform, "ingest"):
        await asyncio.to_thread(shutil.copytree, stage.platform.folder.index, folder)
    scope, copies = scope_of(business), EdgeIndexes(folder)
    (name,) = await copies.names()
    index = await copies.open(name)
    try:
        shown = {row.id: await index.count(scope, row.id) for row in documents}
        held = await index.count_all()
        await index.delete_tenant(scope)
        return Index(shown, held - await index.count_all())
    finally:
        await copies.close()


async def not_found(business: Business, papers: Sequence[Paper], found: Sequence[Row]) -> list[str]:
    """The papers whose own sentence does not lead to them."""
    ids = {row.filename: str(row.id) for row in found}
    lost = []
    for paper in papers:
        asked = {"query": paper.marker, "k": FOUND_AMONG}
        hits = (await business.call("POST", "/api/search", json=asked))["items"]
        if not any(hit["document_id"] == ids[paper.name] and paper.marker in _line(hit["text"]) for hit in hits):
            lost.append(paper.name)
    return lost


def _line(text: str) -> str:
    return " ".join(text.split())


@dataclass
class Seen:
    """What the owner saw of documents at work: the highest progress of each, and whether any went back."""

    highest: dict[str, float] = field(default_factory=dict)
    fell: list[str] = field(default_factory=list)
    looks: int = 0

    def note(self, document: dict[str, Any]) -> None:
        before = self.highest.get(document["id"], 0.0)
        if document["progress"] < before:
            self.fell.append(f"{document['filename']}: {before} to {document['progress']}, {document['state']}")
        self.highest[document["id"]] = max(before, document["progress"])


@asynccontextmanager
async def watched(business: Business) -> AsyncIterator[Seen]:
    """Look at the documents at work five times a second, whenever the platform answers."""
    seen = Seen()

    async def look() -> None:
        while True:
            for state in AT_WORK:
                answer = await business.rest.get("/api/documents", params={"state": state}, headers=business.bearer)
                if answer.status_code == httpx.codes.OK:
                    seen.looks += 1
                    for document in json.loads(answer.content)["items"]:
                        seen.note(document)
            await asyncio.sleep(LOOK_EVERY_S)

    looking = asyncio.create_task(look())
    try:
        yield seen
    finally:
        looking.cancel()
        (ended,) = await asyncio.gather(looking, return_exceptions=True)
    if isinstance(ended, Exception):
        raise ended
