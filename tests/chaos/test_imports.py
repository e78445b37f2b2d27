"""Imports of many documents: killed again and again they lose nothing, they starve nobody, and none blocks the rest."""

import asyncio
import contextlib
import os
import random
import statistics
import time
from pathlib import Path

import psutil
import pytest

from contracts.ingest import INGEST
from contracts.streams import streams as declared_streams
from services.ingest.tests.made import pdf
from tests.support import imports
from tests.support.business import Business
from tests.support.faults import streams
from tests.support.library import Paper, papers
from tests.support.platform import eventually
from tests.support.probe import Streams
from tests.support.report import Played, Tell
from tests.support.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

DOCUMENTS = int(os.environ.get("LUMORA_IMPORT_DOCUMENTS", "300"))
"""Of fewer, a machine with nothing else to do is done before the last kill."""
FLOOD = int(os.environ.get("LUMORA_FLOOD_DOCUMENTS", "400"))
SEED = int(os.environ.get("LUMORA_IMPORT_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
KILLS = 10
LIVES_S = (0.1, 2.5)
"""How long ingest works between two kills, at least and at most."""
READY_S = 600
QUEUE_HOLDS = next(stream for stream in declared_streams() if stream.name == INGEST.stream).max_msgs_per_subject
MOST_BEFORE = 2 * QUEUE_HOLDS
"""Documents of a flood between another's upload and its end: those that the queue held already, and those that the
other slots do meanwhile."""
VOLUMES = 3
VOLUME = "".join(f"# Part {part}\n\n{'Of this part there is much to be said. ' * 40}\n\n" for part in range(2_000))
"""2,000 or more passages: embedding them takes the better part of a minute."""
OTHERS = 3
POISONED_PAGES, BESIDE = 150, 20
LOOK_EVERY_S = 0.005


async def test_case_18_an_import_killed_again_and_again(stage: Stage, tell: Tell, tmp_path: Path) -> None:
    tell(f"case 18, seed {SEED}: LUMORA_IMPORT_SEED repeats its kills")
    sent = await asyncio.to_thread(papers, DOCUMENTS)
    undisturbed, quiet_s = await _imported(stage, await stage.business(), sent)
    business = await stage.business()
    async with streams(stage) as looking:
        buried = await looking.last_seq("DLQ")
        async with imports.watched(business) as seen:
            importing = asyncio.create_task(_imported(stage, business, sent))
            try:
                await _kill_on(stage, business, random.Random(SEED))
            finally:
                found, took_s = await importing
        await stage.recovered()
        dead = await looking.messages("DLQ", after=buried)
        assert [(letter.headers or {})["Dlq-Reason"] for letter in dead] == []
        await eventually(lambda: _is_swept(stage, business, looking), timeout_s=60)
        said = await imports.times_ready(looking, business)
    assert imports.passages_by_name(found) == imports.passages_by_name(undisturbed)
    assert all(row.state == "ready" and row.rows == row.passages > 0 and row.generation == 1 for row in found)
    assert {row.id: said[row.id] for row in found} == {row.id: 1 for row in found}
    assert seen.fell == [], f"of {seen.looks} looks"
    assert seen.looks > KILLS
    index = await imports.index_of(stage, business, found, tmp_path / "index")
    assert index.shown == {row.id: row.passages for row in found}
    assert index.all == sum(row.passages for row in found), "points of nobody"
    await stage.recovered()
    assert await imports.not_found(business, sent, found) == []
    again = sum(row.attempt > 1 for row in found)
    line = (
        f"import of {len(found)} documents ({index.all} passages), seed {SEED}: ingest killed {KILLS} times, its "
        f"readers twice; {took_s:.0f} s instead of {quiet_s:.0f}, {again} documents begun again (at most "
        f"{max(row.attempt for row in found)} times), all ready once, found, their passages as undisturbed"
    )
    tell(Played("18", line, imports.worst_pause_s(found)))


async def _imported(stage: Stage, business: Business, sent: list[Paper]) -> tuple[list[imports.Row], float]:
    begun = time.monotonic()
    await imports.upload(business, sent)
    found = await imports.until_at_rest(stage, business, len(sent), timeout_s=READY_S)
    return found, time.monotonic() - begun


async def _kill_on(stage: Stage, business: Business, chance: random.Random) -> None:
    """kill -9 the service ten times while documents are left, and in between once its nursery and once one reader."""
    for number in range(KILLS):
        service = await eventually(lambda: _ready(stage), timeout_s=60)
        await eventually(lambda: imports.unfinished(stage, business), timeout_s=30)
        await asyncio.sleep(chance.uniform(*LIVES_S))
        if number == KILLS // 3:
            await _kill_below(service, depth=1)
        if number == KILLS // 2:
            await _kill_below(service, depth=2)
        assert await imports.unfinished(stage, business), f"the import ended before kill {number + 1}"
        service.kill()


async def _ready(stage: Stage) -> psutil.Process | None:
    """The service's process, once it says that it is ready."""
    service = stage.platform.process_of("ingest")
    is_ready = service is not None and await stage.is_ready(stage.platform.internal_port("ingest"))
    return service if is_ready else None


async def _kill_below(service: psutil.Process, *, depth: int) -> None:
    """The nursery (1) or a reader, its child (2), as soon as there is one; then let the service go on for a while."""

    def find() -> psutil.Process | None:
        below = [service]
        for _ in range(depth):
            with contextlib.suppress(psutil.NoSuchProcess):
                below = [child for each in below for child in each.children()]
        return below[0] if below and below[0] != service else None

    killed = await eventually(find, timeout_s=60, every_s=LOOK_EVERY_S)
    with contextlib.suppress(psutil.NoSuchProcess):  # a reader may have ended by itself
        killed.kill()
    await asyncio.sleep(1)


async def _is_swept(stage: Stage, business: Business, looking: Streams) -> bool:
    """No job is left, neither in the queue nor on its way there."""
    in_queue = await looking.waiting(imports.scope_of(business), work=INGEST)
    return in_queue == await imports.jobs_waiting_to_be_sent(stage, business) == 0


async def test_case_19_thousands_of_documents_of_one_business(stage: Stage, tell: Tell) -> None:
    sent = [paper for paper in await asyncio.to_thread(papers, FLOOD) if not paper.is_large]
    others = [await stage.business() for _ in range(OTHERS)]
    alone = [await _one(stage, other, paper) for other, paper in zip(others, sent, strict=False)]
    flooding = await stage.business()
    await imports.upload(flooding, sent)
    queued = await imports.unfinished(stage, flooding)
    beside = [await _one(stage, other, paper) for other, paper in zip(others, sent[OTHERS:], strict=False)]
    assert await imports.unfinished(stage, flooding) > QUEUE_HOLDS, "the flood was over"
    flood = await imports.until_at_rest(stage, flooding, len(sent), timeout_s=READY_S)
    before = [sum(one.created_at < row.updated_at < one.updated_at for row in flood) for one in beside]
    times = [statistics.median(_took_s(one) for one in some) for some in (alone, beside)]
    line = (
        f"{queued} documents of one business in the queue: another's takes {times[1]:.1f} s instead of {times[0]:.1f}; "
        f"{before} of the flood were done before it; all of them ended ready"
    )
    tell(Played("19", line, max(_took_s(one) for one in beside)))
    assert {row.state for row in flood} == {"ready"}
    assert max(before) <= MOST_BEFORE


async def test_case_19_long_documents_of_two_businesses(stage: Stage, tell: Tell) -> None:
    publishers = [await stage.business() for _ in range(2)]
    other = await stage.business()
    volumes = [
        Paper(f"volume-{number}.md", f"{VOLUME}The end of {number}.".encode(), "text/markdown", "", 2_000)
        for number in range(VOLUMES)
    ]
    for publisher in publishers:
        await imports.upload(publisher, volumes)

    async def both_embedding() -> bool:
        found = [await imports.rows(stage, publisher) for publisher in publishers]
        return all(any(row.state == "embedding" for row in some) for some in found)

    await eventually(both_embedding, timeout_s=120)
    (paper,) = await asyncio.to_thread(papers, 1)
    row = await _one(stage, other, paper)
    left = [await imports.unfinished(stage, publisher) for publisher in publishers]
    for publisher in publishers:
        for volume in await imports.rows(stage, publisher):
            await publisher.call("DELETE", f"/api/documents/{volume.id}")
    line = f"{left} long documents of two businesses are at work: another's takes {_took_s(row):.1f} s"
    tell(Played("19", line, _took_s(row)))
    assert left == [VOLUMES, VOLUMES], "the long ones were over"

    async def are_gone() -> bool:
        return not any([await imports.rows(stage, publisher) for publisher in publishers])

    await eventually(are_gone, timeout_s=60)


async def _one(stage: Stage, business: Business, paper: Paper) -> imports.Row:
    """Upload one document and wait until it is ready; its row."""
    document = await business.call("POST", "/api/documents", files=paper.form)

    async def is_ready() -> imports.Row | None:
        found = {str(row.id): row for row in await imports.rows(stage, business)}
        return found[document["id"]] if found[document["id"]].state == "ready" else None

    ended: imports.Row = await eventually(is_ready, timeout_s=120)
    return ended


def _took_s(row: imports.Row) -> float:
    return (row.updated_at - row.created_at).total_seconds()


async def test_case_20_a_document_that_kills_its_reader_each_time(stage: Stage, tell: Tell) -> None:
    """The reader is killed from outside, in the moment in which it holds this document: no library crashes on order."""
    words = [[(60.0, 780.0 - 14 * line, 10.0, f"Row {line} of many.") for line in range(50)]] * POISONED_PAGES
    poison = await asyncio.to_thread(pdf, words, title="Poison")
    business, bystander = await stage.business(), await stage.business()
    async with streams(stage) as looking:
        buried = await looking.last_seq("DLQ")
        killing = asyncio.create_task(_kill_readers_of(stage, len(poison)))
        try:
            form = {"file": ("poison.pdf", poison, "application/pdf")}
            bad = await business.call("POST", "/api/documents", files=form)
            await imports.upload(bystander, await asyncio.to_thread(papers, BESIDE))
            read = await imports.until_at_rest(stage, bystander, BESIDE, timeout_s=120)
            (row,) = await imports.until_at_rest(stage, business, 1, timeout_s=120)
        finally:
            killing.cancel()
            (killed,) = await asyncio.gather(killing, return_exceptions=True)
        assert await looking.last_seq("DLQ") == buried
    ended = await business.call("GET", f"/api/documents/{bad['id']}")
    line = f"a document killed its reader {killed} times: failed, {ended['error']['code']}; {BESIDE} others were read"
    tell(Played("20", line, imports.worst_pause_s(read)))
    assert (ended["state"], ended["error"]["code"], row.attempt) == ("failed", "reader_crashed", 1)
    assert {each.state for each in read} == {"ready"}
    assert killed == 2, "once more after a crash, and not again"


async def _kill_readers_of(stage: Stage, size: int) -> int:
    """kill -9 every reader that holds a document of so many bytes, until cancelled; how many there were."""
    count = 0
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            for process in _readers(stage):
                with contextlib.suppress(psutil.Error, OSError):
                    if _holds(process, size):
                        process.kill()
                        count += 1
            await asyncio.sleep(LOOK_EVERY_S)
    return count


def _readers(stage: Stage) -> list[psutil.Process]:
    service = stage.platform.process_of("ingest")
    with contextlib.suppress(psutil.Error):
        return [] if service is None else [each for nursery in service.children() for each in nursery.children()]
    return []


def _holds(process: psutil.Process, size: int) -> bool:
    """Its document is an open file in memory without a name."""
    files = [file for file in Path(f"/proc/{process.pid}/fd").iterdir() if "memfd:document" in str(file.readlink())]
    return any(file.stat().st_size == size for file in files)
