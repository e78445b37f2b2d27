"""How long each call of the vector engine keeps Python's lock, and what searches notice of a compaction.

    make bench b=index_calls                          # a minute on a quiet machine
    make bench b=index_calls ARGS="--passages 2000 10000 50000"

The first table is of the engine, after a compaction and 2,000 more passages: the CPU time of the call, which a busy
machine leaves as it is, and the longest time for which another thread that wakes each millisecond did not run. The
second is of both legs of a search at a time: with nothing else to do, while the index is compacted in place as ingest
did it before (the baseline), and while it is compacted beside, as ingest does it; and by how many MiB this process was
larger at most than before (Linux).
"""

import argparse
import asyncio
import random
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil

from contracts.ids import DocumentId, TenantId, uuid7
from ingest_service.domain import terms
from ingest_service.domain.passage_index import IndexedPassage, PassageIndex, passage_id
from ingest_service.outbound import edge_index
from ingest_service.outbound.edge_index import EdgeIndex
from runtime.tenancy import TenantScope

OURS = TenantScope(TenantId(uuid7()), "bench")
FRESH, A_DOCUMENT, A_BATCH = 2_000, 20, 16
SEARCHES, PAUSE_S = 300, 0.01
WORDS = [a + b + c for a in "bdfgklmnprst" for b in ("ale", "ine", "orm", "ust", "ick") for c in ("", "s", "er", "ful")]
USUAL = [1 / (place + 3) for place in range(len(WORDS))]
chance = random.Random(7)


class InPlace(EdgeIndex):
    """Compacted as it was before: in the open index, with Python's lock."""

    async def compact(self) -> None:
        await self._write(self._shard.optimize)
        await self.flush()


def passage(document: DocumentId, n: int) -> IndexedPassage:
    text = " ".join(chance.choices(WORDS, USUAL, k=110))
    return IndexedPassage(passage_id(document, 1, n), document, 1, "en", numbers(), terms.passage_vector(text))


def numbers() -> list[float]:
    return [chance.gauss(0, 0.05) for _ in range(384)]


async def write(index: PassageIndex, passages: int) -> None:
    for _ in range(passages // A_DOCUMENT):
        made = DocumentId(uuid7())
        await index.upsert(OURS, [passage(made, n) for n in range(A_DOCUMENT)])
        await index.show(OURS, made, 1)


class Ticker(threading.Thread):
    """Wakes each millisecond; the longest time for which it did not."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.longest = 0.0
        self.start()

    def run(self) -> None:
        last = time.perf_counter()
        while True:
            time.sleep(0.001)
            now = time.perf_counter()
            self.longest, last = max(self.longest, now - last), now


async def timed(name: str, ticker: Ticker, call: Callable[[], Awaitable[Any]]) -> Any:
    await asyncio.sleep(0.01)
    ticker.longest, cpu = 0.0, time.process_time()
    answer = await call()
    cpu = time.process_time() - cpu
    await asyncio.sleep(0.005)
    print(f"| {name} | {cpu * 1000:.1f} | {ticker.longest * 1000:.1f} |")
    return answer


async def calls(folder: Path, passages: int, ticker: Ticker) -> None:
    index: EdgeIndex = InPlace.open(folder)
    await write(index, max(passages - FRESH, 0))
    await index.compact()
    await write(index, FRESH)
    print("| call | CPU ms | another thread waited at most, ms |\n| --- | ---: | ---: |")
    made, asked = DocumentId(uuid7()), terms.query_vector("forms of galeful bustick")
    points = [passage(made, n) for n in range(A_BATCH)]
    await timed(f"{A_BATCH} passages written", ticker, lambda: index.upsert(OURS, points))
    await timed("shown", ticker, lambda: index.show(OURS, made, 1))
    await timed("searched by meaning", ticker, lambda: index.search_dense(OURS, numbers(), 100))
    await timed("searched by words", ticker, lambda: index.search_sparse(OURS, asked, 100))
    await timed("deleted", ticker, lambda: index.delete_document(OURS, made))
    await timed("all readings told", ticker, index.readings)
    await timed("flushed", ticker, index.flush)
    await timed("compacted in place", ticker, index.compact)
    await timed("closed", ticker, index.close)

    async def opened() -> EdgeIndex:
        return EdgeIndex.open(folder)

    beside = await timed("opened", ticker, opened)
    await write(beside, FRESH)
    await timed("compacted beside", ticker, beside.compact)
    await beside.close()


async def search(index: PassageIndex) -> float:
    """Milliseconds of both legs, asked at a time."""
    asked = terms.query_vector(" ".join(chance.choices(WORDS, USUAL, k=6)))
    begun = time.perf_counter()
    await asyncio.gather(index.search_dense(OURS, numbers(), 100), index.search_sparse(OURS, asked, 100))
    return (time.perf_counter() - begun) * 1000


async def searches(index: PassageIndex, work: "asyncio.Task[None] | None" = None) -> list[float]:
    """So many, or until the work is done."""
    took: list[float] = []
    while not work.done() if work else len(took) < SEARCHES:
        took.append(await search(index))
        await asyncio.sleep(PAUSE_S)
    return sorted(took)


def report(name: str, took: list[float], grown: float = 0.0) -> None:
    at = [took[int(len(took) * share)] for share in (0.5, 0.95, 0.99)]
    print(f"| {name} | {' | '.join(f'{each:.1f}' for each in at)} | {took[-1]:.1f} | {len(took)} | {grown:.0f} |")


def most_since_cleared() -> float:
    """MiB that this process held at most since it was asked for the last time."""
    (told,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    Path("/proc/self/clear_refs").write_text("5")
    return int(told.split()[1]) / 1024


async def compacted(name: str, index: EdgeIndex, *, rounds: int) -> None:
    took: list[float] = []
    spent = grown = 0.0
    for _ in range(rounds):
        await write(index, FRESH)
        most_since_cleared()
        before, spent = psutil.Process().memory_info().rss / 2**20, spent - time.perf_counter()
        took += await searches(index, asyncio.create_task(index.compact()))
        spent += time.perf_counter()
        grown = max(grown, most_since_cleared() - before)
    report(f"while it is compacted {name}, {spent / rounds:.1f} s", sorted(took), grown)


async def noticed(folder: Path, rounds: int) -> None:
    print("\n| both legs, ms | p50 | p95 | p99 | longest | times | MiB |\n| ---" + " | ---:" * 6 + " |")
    index: EdgeIndex = InPlace.open(folder)
    report("nothing else to do", await searches(index))
    await compacted("in place", index, rounds=rounds)
    await index.close()
    index = EdgeIndex.open(folder)
    await compacted("beside", index, rounds=rounds)
    await index.close()


async def measure(sizes: list[int], rounds: int) -> None:
    edge_index.COMPACTED_EVERY = sys.maxsize  # type: ignore[misc]  # when it is told to
    ticker = Ticker()
    for passages in sizes:
        print(f"\n{passages:,} passages\n")
        with tempfile.TemporaryDirectory() as root:
            folder = Path(root) / "index"
            await calls(folder, passages, ticker)
            await noticed(folder, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, nargs="+", default=[2_000, 10_000])
    parser.add_argument("--rounds", type=int, default=3, help="compactions of each kind that are searched beside")
    given = parser.parse_args()
    asyncio.run(measure(given.passages, given.rounds))


if __name__ == "__main__":
    main()
