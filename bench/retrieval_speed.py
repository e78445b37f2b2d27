"""How long a search takes among many passages, by its parts: what bench/retrieval.py shows with `--only speed`.

The passages are made of two halves of real ones each, with the mean of their vectors and a little noise, so that none
is another's copy. They are indexed and compacted by the engine that serves, and their rows are written to a real
Postgres by the repository that serves. Every question is a new one: no memory of questions answers it. `whole` is the
search as `rpc.ingest.search` runs it, for six passages; the parts are timed one after the other on the same questions.
`bare scan` is the baseline of the dense leg: numpy multiplies all vectors with the question's and takes the best.
"""

import asyncio
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from contracts.ids import DocumentId, TenantId, uuid7
from ingest_service.domain import language, terms
from ingest_service.domain.distinct import split_repeats
from ingest_service.domain.document import Document, Reading, State, StoredPassage
from ingest_service.domain.fuse import dense_weight, fuse
from ingest_service.domain.passage_index import EVERYTHING, Hit, IndexedPassage, passage_id
from ingest_service.domain.search import DEPTH, SPARE, results
from ingest_service.outbound.edge_index import EdgeIndex
from ingest_service.outbound.minilm_embedder import MiniLmEmbedder
from ingest_service.outbound.postgres_documents import PostgresDocuments
from runtime.db import Database
from runtime.tenancy import TenantScope
from tests.support.platform import make_platform

K = 6
"""Passages that an answer stands on."""
REAL = 1_000
"""Passages that the others are made of."""
A_DOCUMENT = 250
NOISE = 0.02
ROUNDS = 3
PARTS = ("embed", "dense", "terms and BM25", "fusion", "rows", "repeats")
T = TypeVar("T")
Vectors = NDArray[np.float32]


@dataclass
class Times:
    """Seconds by part, one entry a question."""

    by_part: dict[str, list[float]] = field(
        default_factory=lambda: {part: [] for part in (*PARTS, "whole", "bare scan")}
    )
    cpu_s: float = 0.0

    async def of(self, part: str, work: Awaitable[T]) -> T:
        begin = time.perf_counter()
        done = await work
        self.by_part[part].append(time.perf_counter() - begin)
        return done

    def now(self, part: str, work: Callable[[], T]) -> T:
        begin = time.perf_counter()
        done = work()
        self.by_part[part].append(time.perf_counter() - begin)
        return done


@dataclass(frozen=True)
class Library:
    """One business's passages, in the index and in rows, and their vectors for the baseline."""

    scope: TenantScope
    index: EdgeIndex
    documents: PostgresDocuments
    vectors: Vectors


async def speed(embedder: MiniLmEmbedder, texts: Sequence[str], questions: Sequence[str], sizes: Sequence[int]) -> None:
    """Fill an index for each number of passages, and ask it."""
    chosen = list(texts[:REAL])
    vectors = np.array(embedder.embed_now(chosen), dtype=np.float32)
    async with _rows() as documents:
        for size in sizes:
            folder = tempfile.mkdtemp()
            index = EdgeIndex.open(Path(folder) / "index")
            library = Library(TenantScope(TenantId(uuid7()), "service:bench"), index, documents, _mixed(vectors, size))
            await _fill(library, chosen)
            _report(size, await _asked(library, embedder, questions))
            await index.close()
            shutil.rmtree(folder)


@asynccontextmanager
async def _rows() -> AsyncIterator[PostgresDocuments]:
    platform = make_platform(only=("operator",))
    await asyncio.to_thread(platform.start)
    database = Database(platform.postgres_url("ingest_app"))
    yield PostgresDocuments(database)
    await database.close()
    await asyncio.to_thread(platform.stop)
    shutil.rmtree(platform.settings.data, ignore_errors=True)


# ---- the passages ---------------------------------------------------------------------------------------------------


def _pairs(count: int, of: int) -> Iterator[tuple[int, int]]:
    chance = random.Random(7)
    for _ in range(count):
        yield chance.randrange(of), chance.randrange(of)


def _mixed(vectors: Vectors, size: int) -> Vectors:
    noise = np.random.default_rng(7).normal(0, NOISE, (size, vectors.shape[1]))
    pairs = np.array(list(_pairs(size, len(vectors))))
    mixed = vectors[pairs[:, 0]] + vectors[pairs[:, 1]] + noise
    return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), dtype=np.float32)


def _text(first: str, second: str) -> str:
    one, other = first.split(), second.split()
    return " ".join([*one[: len(one) // 2], *other[len(other) // 2 :]])


async def _fill(library: Library, texts: Sequence[str]) -> None:
    pairs = list(_pairs(len(library.vectors), len(texts)))
    for start in range(0, len(pairs), A_DOCUMENT):
        document = await library.documents.add(library.scope, _document(), keep=_nothing)
        claimed = await library.documents.claim(library.scope, document.id)
        assert isinstance(claimed, Document)
        bodies = [_text(texts[one], texts[other]) for one, other in pairs[start : start + A_DOCUMENT]]
        passages = [_passage(document.id, n, body) for n, body in enumerate(bodies)]
        await library.documents.finish(library.scope, claimed, Reading("made", "text/plain", "en", 1, passages, ()))
        dense = library.vectors[start : start + A_DOCUMENT]
        points = [_point(passage, vector) for passage, vector in zip(passages, dense, strict=True)]
        await library.index.upsert(library.scope, points)
        await library.index.show(library.scope, document.id, 1)
    await library.index.compact()


def _document() -> Document:
    now = datetime.now(UTC)
    return Document(
        id=DocumentId(uuid7()),
        title="made",
        filename="made.txt",
        media_type="text/plain",
        size_bytes=1,
        sha256=uuid7().hex,
        state=State.RECEIVED,
        progress=0.0,
        pages=1,
        passages=0,
        language=None,
        failure=None,
        generation=1,
        attempt=0,
        created_at=now,
        updated_at=now,
    )


def _passage(document_id: DocumentId, n: int, body: str) -> StoredPassage:
    return StoredPassage(
        id=passage_id(document_id, 1, n),
        document_id=document_id,
        title="made",
        n=n,
        start=0,
        end=len(body),
        heading="",
        lead="",
        body=body,
        page=None,
        language="en",
    )


def _point(passage: StoredPassage, vector: Vectors) -> IndexedPassage:
    dense: list[float] = vector.tolist()
    spoken = language.detect(passage.body)
    return IndexedPassage(passage.id, passage.document_id, 1, spoken, dense, terms.passage_vector(passage.body))


async def _nothing() -> None:
    return


# ---- the questions --------------------------------------------------------------------------------------------------


async def _asked(library: Library, embedder: MiniLmEmbedder, questions: Sequence[str]) -> Times:
    times = Times()
    for round_ in range(-1, ROUNDS):
        if round_ == 0:
            times = Times()  # the first round warms
        for n, question in enumerate(questions):
            await _by_parts(f"{question} {round_} {n}", library, embedder, times)
        spent = time.process_time()
        for n, question in enumerate(questions):
            await times.of("whole", _whole(f"{question} {n} of {round_}", library, embedder))
        times.cpu_s += time.process_time() - spent
    # last, because it drives the model out of the processor's caches
    for vector in embedder.embed_now(questions):
        asked = np.array(vector, dtype=np.float32)
        times.now("bare scan", lambda asked=asked: np.argpartition(library.vectors @ asked, -DEPTH)[-DEPTH:])
    return times


async def _whole(query: str, library: Library, embedder: MiniLmEmbedder) -> None:
    found = await results(
        query, K, library.scope, EVERYTHING, documents=library.documents, embedder=embedder, index=library.index
    )
    assert len(found) == K


async def _by_parts(query: str, library: Library, embedder: MiniLmEmbedder, times: Times) -> None:
    scope, index = library.scope, library.index
    vector = await times.of("embed", embedder.embed_query(query))
    dense = await times.of("dense", index.search_dense(scope, vector, DEPTH))

    async def by_words() -> Sequence[Hit]:
        return await index.search_sparse(scope, terms.query_vector(query), DEPTH)

    sparse = await times.of("terms and BM25", by_words())
    found = times.now("fusion", lambda: fuse(dense, sparse, dense_weight(language.candidates(query)), DEPTH))
    kept = await times.of("rows", library.documents.passages(scope, [one.id for one in found[: K + SPARE]]))
    texts = [kept[one.id].full_text for one in found[: K + SPARE]]
    times.now("repeats", lambda: split_repeats(texts, K, str))


def _report(size: int, times: Times) -> None:
    asked, load = len(times.by_part["whole"]), os.getloadavg()[0]
    print(f"\n{size:,} passages, {asked} questions, load average {load:.1f}; ms\n")
    print("| part | p50 | p95 | p99 |\n| --- | ---: | ---: | ---: |")
    for part, seconds in times.by_part.items():
        ordered = sorted(second * 1e3 for second in seconds)
        high = (ordered[int(len(ordered) * share)] for share in (0.95, 0.99))
        print(f"| {part} | {statistics.median(ordered):.2f} | " + " | ".join(f"{value:.2f}" for value in high) + " |")
    print(f"\nCPU of a whole search: {times.cpu_s / asked * 1e3:.2f} ms (Postgres's not counted).", flush=True)
