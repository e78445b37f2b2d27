"""Does ingest keep memory of the documents that it has read? Its RSS after 500, 1,000, 1,500 and 2,000 small ones.

    make bench b=ingest_memory                       # 6 to 8 minutes on a quiet machine
    make bench b=ingest_memory ARGS="--documents 400 --step 100"

Small documents (Markdown, text, HTML; two or three passages each) go through a real platform's public API, step by
step. After each step the service rests for so long that it has given unused memory back (every half minute) and ended
the process that holds the readers (after 20 s). The vector index lies in the service's process and its growth is data,
no leak: beside it the same numbers of points are written into an index that is alone in a process, by the same calls in
the same order, and what that grows by is the baseline. In MiB.
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from contracts.ids import DocumentId, TenantId, uuid7
from ingest_service.domain import terms
from ingest_service.domain.passage_index import IndexedPassage, passage_id
from ingest_service.outbound.edge_index import EdgeIndex
from ingest_service.outbound.heap import Heap
from runtime.tenancy import TenantScope
from tests.support import imports
from tests.support.business import Business
from tests.support.library import Paper, notes
from tests.support.stage import Stage, open_stage

MIB = 2**20
PASSAGES = (2, 3, 2)
"""Of a document of each format."""
DIMENSION = 384
STEP_S = 1_200.0
LOOK_EVERY_S = 0.2


@dataclass(frozen=True)
class Mark:
    """Memory after so many documents, in MiB: at rest, and at most while they were read."""

    documents: int
    passages: int
    rss: float
    mapped: float
    most: float
    readers: float
    took_s: float


def resident(process: psutil.Process) -> tuple[float, float]:
    """All of it, and of that pages of files (libraries, and the index's), in MiB."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
    held = {line.partition(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "RssFile"))}
    return int(held["VmRSS"]) / 1024, int(held["RssFile"]) / 1024


# ---- the platform ---------------------------------------------------------------------------------------------------


class Peaks:
    """The most that the service and the processes below it held at a time."""

    def __init__(self, service: psutil.Process) -> None:
        self._service = service
        self.service = 0.0
        self.below = 0.0

    async def watch(self) -> None:
        while True:
            self.service = max(self.service, resident(self._service)[0])
            self.below = max(self.below, sum(map(_rss, self._service.children(recursive=True))))
            await asyncio.sleep(LOOK_EVERY_S)


def _rss(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / MIB
    except psutil.Error:
        return 0.0


async def through(stage: Stage, sent: list[Paper], *, step: int, rest_s: float) -> list[Mark]:
    """Upload step by step; a mark after each."""
    business = await stage.business()
    service = stage.platform.process_of("ingest")
    assert service is not None
    marks = []
    for done in range(step, len(sent) + 1, step):
        mark = await _step(stage, business, service, sent[:done], step=step, rest_s=rest_s)
        print(f"{mark.documents} documents: {mark.rss:.0f} MiB", file=sys.stderr, flush=True)
        marks.append(mark)
    return marks


async def _step(
    stage: Stage, business: Business, service: psutil.Process, sent: list[Paper], *, step: int, rest_s: float
) -> Mark:
    peaks, begun = Peaks(service), time.monotonic()
    watching = asyncio.create_task(peaks.watch())
    await imports.upload(business, sent[-step:])
    found = await imports.until_at_rest(stage, business, len(sent), timeout_s=STEP_S)
    if failed := [row.filename for row in found if row.state != "ready"]:
        raise SystemExit(f"documents failed: {failed[:3]}")
    took_s = time.monotonic() - begun
    watching.cancel()
    await asyncio.sleep(rest_s)
    rss, mapped = resident(service)
    return Mark(
        documents=len(found),
        passages=sum(row.passages for row in found),
        rss=rss,
        mapped=mapped,
        most=peaks.service,
        readers=peaks.below,
        took_s=took_s,
    )


# ---- the index alone ------------------------------------------------------------------------------------------------


def index_alone(documents: int, step: int, tell: Connection) -> None:
    """Runs in a process of its own; sends its RSS (MiB) before the first document and after each step."""
    asyncio.run(_index_alone(documents, step, tell))


async def _index_alone(documents: int, step: int, tell: Connection) -> None:
    me, heap, scope = psutil.Process(), Heap(), TenantScope(TenantId(uuid7()), "bench")
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        index = EdgeIndex.open(Path(folder) / "index", DIMENSION)
        await _write(index, scope, chance, PASSAGES[0])
        tell.send(resident(me)[0])
        for number in range(1, documents + 1):
            await _write(index, scope, chance, PASSAGES[number % len(PASSAGES)])
            if number % step == 0:
                heap.give_back()
                tell.send(resident(me)[0])
        await index.close()


async def _write(index: EdgeIndex, scope: TenantScope, chance: random.Random, passages: int) -> None:
    """As the service does for one document."""
    document_id = DocumentId(uuid7())
    await index.written(scope, document_id, 1)
    await index.upsert(scope, [_passage(document_id, n, chance) for n in range(passages)])
    await index.show(scope, document_id, 1)
    await index.delete_document(scope, document_id, but_generation=1)


def _passage(document_id: DocumentId, n: int, chance: random.Random) -> IndexedPassage:
    day, gate = chance.randrange(365), chance.randrange(10_000)
    text = f"Parcels of day {day} leave from gate {gate} after the bell, and their letters follow them by noon."
    return IndexedPassage(
        id=passage_id(document_id, 1, n),
        document_id=document_id,
        generation=1,
        language="en",
        dense=[chance.uniform(-0.1, 0.1) for _ in range(DIMENSION)],
        sparse=terms.passage_vector(text),
    )


def alone(documents: int, step: int) -> list[float]:
    """What the index alone grew by after each step, in MiB."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=index_alone, args=(documents, step, theirs))
    process.start()
    first, *rest = [float(ours.recv()) for _ in range(1 + documents // step)]
    process.join()
    return [held - first for held in rest]


# ---- the report -----------------------------------------------------------------------------------------------------


def report(marks: list[Mark], index: list[float]) -> None:
    print("| documents | passages | RSS at rest | files in it | index alone, growth | RSS without that | ", end="")
    print("at most | readers at most | s |\n" + "| ---: " * 9 + "|")
    for mark, grown in zip(marks, index, strict=True):
        print(
            f"| {mark.documents:,} | {mark.passages:,} | {mark.rss:.1f} | {mark.mapped:.1f} | {grown:.1f} "
            f"| {mark.rss - grown:.1f} | {mark.most:.1f} | {mark.readers:.1f} | {mark.took_s:.0f} |"
        )
    first, last = marks[0], marks[-1]
    own = (last.rss - index[-1]) / (first.rss - index[0]) - 1
    print(
        f"\nFrom {first.documents:,} to {last.documents:,} documents: {100 * (last.rss / first.rss - 1):+.1f} %, "
        f"without the index's own growth {100 * own:+.1f} %."
    )


async def measure(given: argparse.Namespace) -> None:
    limits: dict[str, Any] = {"LUMORA_REQUESTS_PER_MINUTE": "1000000"}
    async with open_stage(gateways=1, workers=1, environment=limits) as stage:
        marks = await through(stage, notes(given.documents), step=given.step, rest_s=given.rest)
    index = await asyncio.to_thread(alone, given.documents, given.step)
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}.\n")
    report(marks, index)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--step", type=int, default=500)
    parser.add_argument("--rest", type=float, default=40.0, help="seconds after each step")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
