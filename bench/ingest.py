"""Documents a second from upload to ready, beside the bare reader and the bare embedder; and what others notice of it.

    make bench-ingest                                  # 2 to 3 minutes
    make bench-ingest ARGS="--documents 100 --pages 50 --beside 400"

The same files go through the reader alone (in this process), through the cage alone (a process each), their passages
through the embedder alone, with one thread and with as many as ingest has, and then all through a real platform, over
its public API. `Overhead` is what the platform needs beyond bare reader and bare embedder (of as many threads)
together. CPU seconds are those of the ingest service and what runs below it (of this process, for the parts alone): on
a busy machine they say more than the clock does.

Then a customer of the same business asks a new question at a time, each followed by a search with another one: first
while nothing else is done, then while another business sends `--beside` documents of two pages as fast as they are
taken, by a process of its own that gives way, and then until all of these are read. A simulated model answers; `first
token` is what the customer's WebSocket sees, the search that the answer stands on included.
"""

import argparse
import asyncio
import contextlib
import os
import random
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import psutil

from bench.made_pdf import WORDS, pdf
from ingest_service.domain.pages_read import PagesRead
from ingest_service.domain.read_document import Cut, cut
from ingest_service.outbound import readers
from ingest_service.outbound.cage.limits import Limits
from ingest_service.outbound.caged_reader import CagedReader
from ingest_service.outbound.cores import cores
from ingest_service.outbound.minilm_embedder import MiniLmEmbedder
from ingest_service.outbound.minilm_model import built
from ingest_service.outbound.minilm_tokenizer import MiniLmTokenizer
from tests.support import imports
from tests.support.business import Business
from tests.support.platform import eventually
from tests.support.probe import connection
from tests.support.sender import sender
from tests.support.stage import Stage, open_stage

T = TypeVar("T")
MIB = 2**20
A_BATCH = 16
PAGES_BESIDE = 2
ASKED_WARM, ASKED_IDLE = 20, 150
PAUSE_S = 0.1
PATIENCE_S = 600.0


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    pages: int
    passages: int
    seconds: float
    cpu_s: float

    def __str__(self) -> str:
        pages = f"{self.pages / self.seconds:.1f}" if self.pages else "-"
        speeds = f"{pages} | {self.passages / self.seconds:.1f}"
        return f"| {self.name} | {self.seconds:.1f} | {self.cpu_s:.1f} | {speeds} |"


# ---- the parts alone ------------------------------------------------------------------------------------------------


def bare_reader(files: Sequence[bytes]) -> tuple[Row, list[Cut]]:
    counter, begin, spent = MiniLmTokenizer(), time.perf_counter(), time.process_time()
    cuts = [cut(readers.read(data, lambda _done, _of: None), counter) for data in files]
    return _row("reader alone", cuts, time.perf_counter() - begin, time.process_time() - spent), cuts


async def caged_reader(files: Sequence[bytes]) -> Row:
    """As many at once as the service reads."""
    reader = CagedReader(Limits(memory_mib=480, cpu_s=15, wall_s=120))

    async def unheard(_: PagesRead) -> None:
        return

    await reader.read(files[0], unheard)  # the nursery's start and its imports are paid once
    begin, spent = time.perf_counter(), _cpu_s(psutil.Process())
    cuts: list[Cut] = []
    for start in range(0, len(files), 2):
        cuts += await asyncio.gather(*(reader.read(data, unheard) for data in files[start : start + 2]))
    row = _row("reader in its cage, two at a time", cuts, time.perf_counter() - begin, _cpu_s(psutil.Process()) - spent)
    await reader.close()
    return row


async def bare_embedder(cuts: Sequence[Cut], threads: int) -> Row:
    embedder = MiniLmEmbedder(await built(), threads=threads)
    texts = [passage.full_text for each in cuts for passage in each.passages]
    begin, spent = time.perf_counter(), time.process_time()
    for start in range(0, len(texts), A_BATCH):
        await embedder.embed(texts[start : start + A_BATCH])
    row = Row(
        f"embedder alone, threads: {threads}", 0, len(texts), time.perf_counter() - begin, time.process_time() - spent
    )
    embedder.close()
    return row


def _row(name: str, cuts: Sequence[Cut], seconds: float, cpu_s: float) -> Row:
    return Row(name, sum(each.pages for each in cuts), sum(len(each.passages) for each in cuts), seconds, cpu_s)


def _cpu_s(root: psutil.Process) -> float:
    """Of a process, what runs below it, and what ran there and ended."""
    spent = 0.0
    for process in (root, *root.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            spent += sum(process.cpu_times()[:4])
    return spent


# ---- the platform ---------------------------------------------------------------------------------------------------


class Memory:
    """What the ingest service and the processes below it hold, looked at five times a second."""

    def __init__(self, stage: Stage) -> None:
        self._process = stage.platform.processes("ingest")[0]
        self.service: list[int] = []
        self.below: list[int] = []

    async def watch(self) -> None:
        while True:
            self.service.append(self._process.memory_info().rss // MIB)
            self.below.append(sum(map(_rss, self._process.children(recursive=True))) // MIB)
            await asyncio.sleep(0.2)


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


async def through(stage: Stage, business: Business, files: Sequence[bytes], pages: int) -> Row:
    """Upload all, and wait until all are ready."""
    service = stage.platform.processes("ingest")[0]
    begin, spent = time.perf_counter(), _cpu_s(service)
    await upload(business, files)
    await until_read(stage, business, every_s=0.05)
    took, cpu_s = time.perf_counter() - begin, _cpu_s(service) - spent
    found = await imports.rows(stage, business)
    if failed := [row.filename for row in found if row.state == "failed"]:
        raise SystemExit(f"documents failed: {failed[:3]}")
    return Row(
        "platform, upload to ready",
        pages * len(files),
        sum(row.passages for row in found),
        took,
        cpu_s,
    )


async def upload(business: Business, files: Sequence[bytes]) -> None:
    for number, data in enumerate(files):
        await business.call("POST", "/api/documents", files={"file": (f"{number}.pdf", data, "application/pdf")})


async def until_read(stage: Stage, business: Business, every_s: float = 0.5) -> None:
    """Look at the rows' states and nothing else, on one connection: whoever looks must not be what others notice."""
    async with connection(stage.platform.postgres_url("lumora")) as admin:

        async def is_read() -> bool:
            return not await admin.fetchval(_UNREAD, UUID(business.id))

        await eventually(is_read, timeout_s=PATIENCE_S, every_s=every_s)


_UNREAD = "SELECT count(*) FROM ingest.document WHERE tenant_id = $1 AND state NOT IN ('ready', 'failed')"


@dataclass
class Noticed:
    """Milliseconds that a customer waited, for each question, and somebody who searched."""

    first_token: list[float]
    search: list[float]


async def noticed(business: Business, until: asyncio.Event | int) -> Noticed:
    """Ask and search by turns; so many times, or until something ends. No question is asked twice."""
    times = Noticed([], [])
    async with business.chat() as chat:
        while not (until.is_set() if isinstance(until, asyncio.Event) else len(times.search) >= until):
            answer = await chat.answered(f"Tell me of the {' '.join(_words())}.", options={"use_knowledge": True})
            came = next(at for at, frame in zip(answer.times, answer.frames, strict=True) if frame["type"] == "token")
            times.first_token.append((came - answer.asked_at) * 1000)
            await asyncio.sleep(PAUSE_S / 2)
            begin = time.perf_counter()
            await business.call("POST", "/api/search", json={"query": f"What is a {' '.join(_words())}?", "k": 6})
            times.search.append((time.perf_counter() - begin) * 1000)
            await asyncio.sleep(PAUSE_S / 2)
    return times


def _words() -> list[str]:
    return [*random.choices(WORDS, k=6), str(random.randrange(10**6))]


async def noticed_during(business: Business, work: Coroutine[None, None, T]) -> tuple[Noticed, T]:
    """Ask and search until the work is done."""
    done = asyncio.Event()
    asking = asyncio.create_task(noticed(business, done))
    result = await work
    done.set()
    return await asking, result


@dataclass
class Platform:
    """What became of it all on the real platform."""

    row: Row
    memory: Memory
    idle: Noticed
    uploading: Noticed
    reading: Noticed
    sent_s: float
    read_s: float


async def platform(files: Sequence[bytes], pages: int, beside: Sequence[bytes]) -> Platform:
    limits = {"LUMORA_REQUESTS_PER_MINUTE": "1000000"}
    async with open_stage(gateways=1, workers=1, environment=limits) as stage:
        owner, other = [await stage.business() for _ in range(2)]
        memory = Memory(stage)
        watching = asyncio.create_task(memory.watch())
        # the start of what readers are forked from, and its imports, are paid once, here as by the cage alone
        await upload(other, [pdf(-1, 1)])
        await until_read(stage, other)
        row = await through(stage, owner, files, pages)
        await noticed(owner, ASKED_WARM)
        idle = await noticed(owner, ASKED_IDLE)
        async with sender(other, beside) as sending:
            begin = time.perf_counter()
            uploading, _ = await noticed_during(owner, sending.send())
            sent_s = time.perf_counter() - begin
        begin = time.perf_counter()
        reading, _ = await noticed_during(owner, until_read(stage, other))
        read_s = time.perf_counter() - begin
        watching.cancel()
        return Platform(row, memory, idle, uploading, reading, sent_s, read_s)


# ---- the report -----------------------------------------------------------------------------------------------------


SHARES = (0.5, 0.95, 0.99)


def spread(times: Sequence[float]) -> list[float]:
    """The times below which these shares of them lie."""
    ordered = sorted(times)
    return [ordered[int(len(ordered) * share)] for share in SHARES]


def report(rows: Sequence[Row], memory: Memory) -> None:
    reader, _, _, embedder, whole = rows
    seconds, cpu_s = reader.seconds + embedder.seconds, reader.cpu_s + embedder.cpu_s
    print("| what | seconds | CPU s | pages/s | passages/s |\n| --- | ---: | ---: | ---: | ---: |")
    print("\n".join(map(str, rows)))
    more_time, more_cpu = (whole.seconds / seconds - 1) * 100, (whole.cpu_s / cpu_s - 1) * 100
    print(f"\nOverhead over reader and embedder alone: {more_time:+.0f} % of time, {more_cpu:+.0f} % of CPU seconds.")
    held = memory.service
    early = max(held[: len(held) // 3])
    print(
        f"Memory of ingest: {early} MiB at most in the first third, {max(held)} MiB at most at all, {held[-1]} MiB at"
    )
    print(f"the end; of the processes that read documents, together: {max(memory.below)} MiB at most.\n")


def report_noticed(seen: Platform) -> None:
    print("| ms | p50 | p95 | p99 | times as late | times |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    idle, uploading, reading = seen.idle, seen.uploading, seen.reading
    _report_beside("first token of a chat", idle.first_token, uploading.first_token, reading.first_token)
    _report_beside("search", idle.search, uploading.search, reading.search)
    print(f"\nDocuments were sent for {seen.sent_s:.0f} s, and read for another {seen.read_s:.0f} s.")


def _report_beside(name: str, idle: Sequence[float], uploading: Sequence[float], reading: Sequence[float]) -> None:
    usual = spread(idle)
    for when, times in (("idle", idle), ("while documents are sent", uploading), ("while they are read", reading)):
        found = spread(times)
        later = " / ".join(f"{now / then:.2f}" for now, then in zip(found, usual, strict=True))
        print(f"| {name}, {when} | {' | '.join(f'{each:.1f}' for each in found)} | {later} | {len(times)} |")


async def measure(given: argparse.Namespace) -> None:
    files = [pdf(number, given.pages) for number in range(given.documents)]
    beside = [pdf(given.documents + number, PAGES_BESIDE) for number in range(given.beside)]
    reader, cuts = bare_reader(files)
    rows = [reader, await caged_reader(files), await bare_embedder(cuts, 1), await bare_embedder(cuts, cores())]
    seen = await platform(files, given.pages, beside)
    load = os.getloadavg()[0]
    print(f"{given.documents} PDF files of {given.pages} pages; {os.cpu_count()} cores, load average {load:.1f}.\n")
    report([*rows, seen.row], seen.memory)
    report_noticed(seen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=12)
    parser.add_argument("--pages", type=int, default=20, help="of each")
    parser.add_argument("--beside", type=int, default=200, help="documents that are read while somebody asks")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
