"""The index is compacted as a copy that replaces it, and what a kill or a failure leaves of either."""

import asyncio
import os
import resource
import shutil
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import UUID

import psutil
import pytest

from contracts.ids import TenantId
from ingest_service.domain.embedding import IndexName
from ingest_service.domain.terms import query_vector
from ingest_service.outbound import edge_compaction, edge_folders, edge_index
from ingest_service.outbound.edge_compaction import Compaction
from ingest_service.outbound.edge_index import EdgeIndex
from ingest_service.outbound.edge_indexes import EdgeIndexes, folder_name
from ingest_service.outbound.edge_snapshots import EdgeSnapshots
from runtime.tenancy import TenantScope
from services.ingest.tests.promises_passage_index import STOVES, TENTS, axis, passage, put
from tests.support.platform import eventually

OURS = TenantScope(TenantId(UUID(int=7)), "service:test")
"""The same in every process."""
NAME = IndexName("letters", 384)
OLD, NEW = 60, 7


@pytest.fixture
async def indexes(tmp_path: Path) -> AsyncIterator[EdgeIndexes]:
    indexes = EdgeIndexes(tmp_path)
    yield indexes
    await indexes.close()


@pytest.fixture
async def index(indexes: EdgeIndexes) -> EdgeIndex:
    index = await indexes.open(NAME)
    await put(index, OURS, [passage(TENTS, n, "tent") for n in range(OLD)])
    return index


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return tmp_path / folder_name(NAME)


async def change(index: EdgeIndex) -> None:
    """Write and show, delete, replace."""
    await put(index, OURS, [passage(STOVES, n, "stove") for n in range(NEW)])
    await put(index, OURS, [passage(TENTS, n, "tent", generation=2) for n in range(3)])
    await index.delete_document(OURS, TENTS, but_generation=2)


async def is_as_changed(index: EdgeIndex) -> bool:
    found = await index.search_sparse(OURS, query_vector("stove"), 99)
    held = await index.count(OURS, TENTS), len(found), await index.count_all()
    nearest = await index.search_dense(OURS, axis(2), 99)
    return held == (3, NEW, 3 + NEW) and len(nearest) == len({hit.id for hit in nearest}) == 3 + NEW


async def is_kept_as_changed(indexes: EdgeIndexes) -> bool:
    """Over a restart."""
    await indexes.close()
    return await is_as_changed(await indexes.open(NAME))


def folders(first: Path) -> list[str]:
    return sorted(path.name for path in first.parent.iterdir())


def running() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if edge_compaction.__name__ in child.cmdline()]


def once(step: str, happens: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Before this step of a compaction, the first time that it comes to it."""
    really = getattr(Compaction, step)

    async def stepped(compaction: Compaction) -> None:
        monkeypatch.setattr(Compaction, step, really)
        await happens()
        await really(compaction)

    monkeypatch.setattr(Compaction, step, stepped)


# ---- compacted ------------------------------------------------------------------------------------------------------


async def test_what_is_written_while_it_is_compacted_is_in_it(index, indexes, first, monkeypatch):
    async def work() -> None:
        await change(index)
        assert await is_as_changed(index)

    once("until_compacted", work, monkeypatch)
    await index.compact()
    assert folders(first) == [f"{first.name}.1"]
    assert await is_as_changed(index)
    assert running() == []
    assert await is_kept_as_changed(indexes)
    again = await indexes.open(NAME)
    await again.delete_tenant(OURS)
    await again.compact()
    assert folders(first) == [f"{first.name}.2"]
    assert await again.count_all() == 0
    await indexes.drop(NAME)
    assert folders(first) == []


async def test_what_has_not_changed_is_left_alone(index, indexes, first):
    await index.compact()
    await index.compact()
    assert folders(first) == [f"{first.name}.1"]
    # nobody knows what was deleted before
    await indexes.close()
    await (await indexes.open(NAME)).compact()
    assert folders(first) == [f"{first.name}.2"]


async def test_it_is_begun_after_so_many_passages_and_nobody_waits_for_it(index, first, monkeypatch):
    async def wait() -> None:
        await is_let_on.wait()

    is_let_on = asyncio.Event()
    monkeypatch.setattr(edge_index, "COMPACTED_EVERY", OLD + NEW)
    once("until_ready", wait, monkeypatch)
    await change(index)
    await change(index)
    assert await is_as_changed(index)
    is_let_on.set()
    await index._beside
    assert folders(first) == [f"{first.name}.1"]
    assert await is_as_changed(index)
    await put(index, OURS, [passage(STOVES, 0, "stove")])
    assert index._beside.done()


async def test_of_documents_that_are_shown_at_once_one_begins_it(index, first, monkeypatch):
    monkeypatch.setattr(edge_index, "COMPACTED_EVERY", OLD)
    await asyncio.gather(*(index.show(OURS, TENTS, 1) for _ in range(5)))
    assert [task.get_name() for task in asyncio.all_tasks()].count("compaction") == 1
    await index._beside
    assert folders(first) == [f"{first.name}.1"]


async def test_writes_wait_while_it_is_copied_and_searches_do_not(index, monkeypatch):
    writing: list[asyncio.Task[None]] = []

    async def work() -> None:
        writing.append(asyncio.create_task(change(index)))
        assert len(await index.search_sparse(OURS, query_vector("tent"), 99)) == OLD
        assert not writing[0].done()

    once("copy", work, monkeypatch)
    await index.compact()
    await writing[0]
    assert await is_as_changed(index)


async def test_a_search_that_is_still_running_ends_in_what_it_began_in(index, first):
    begun, let_on = threading.Event(), threading.Event()

    def slow() -> int:
        shard = index._shard
        begun.set()
        let_on.wait()
        return shard.info().points_count

    searching = asyncio.create_task(index._read(slow))
    await asyncio.to_thread(begun.wait)
    await change(index)
    compacting = asyncio.create_task(index.compact())
    await eventually(lambda: edge_folders.current(first) != first)
    assert await is_as_changed(index)
    assert not compacting.done()
    let_on.set()
    assert await searching == 3 + NEW
    await compacting
    assert folders(first) == [f"{first.name}.1"]


# ---- a failure ------------------------------------------------------------------------------------------------------


async def kill() -> None:
    running()[0].kill()


async def stop() -> None:
    running()[0].suspend()


async def fill_the_disk() -> None:
    """Its files can have a KiB, and no more."""
    resource.prlimit(running()[0].pid, resource.RLIMIT_FSIZE, (1024, 1024))


async def take_the_memory() -> None:
    process = running()[0]
    held = process.memory_info().vms
    resource.prlimit(process.pid, resource.RLIMIT_AS, (held, held))


@pytest.mark.parametrize(
    ("step", "happens", "reason"),
    [
        ("until_ready", kill, "ended with -9"),
        ("copy", kill, "ended with -9"),
        ("until_compacted", kill, "ended with -9"),
        ("copy", fill_the_disk, "File too large"),
        ("until_compacted", fill_the_disk, ""),
    ],
)
async def test_one_that_fails_changes_nothing_and_is_tried_again(
    index, first, monkeypatch, capsys, step, happens, reason
):
    once(step, happens, monkeypatch)
    await index.compact()
    told = capsys.readouterr().out
    assert "index.not_compacted" in told
    assert reason in told
    assert running() == []
    assert folders(first) == [first.name]
    await change(index)
    assert await is_as_changed(index)
    await index.compact()
    assert await is_as_changed(index)
    assert folders(first) == [f"{first.name}.1"]


@pytest.mark.parametrize(
    ("step", "happens"), [("copy", stop), ("until_compacted", stop), ("until_compacted", take_the_memory)]
)
async def test_one_that_stands_still_is_ended(index, first, monkeypatch, capsys, step, happens):
    async def happens_and_time_passes() -> None:
        await happens()
        monkeypatch.setattr(edge_compaction, "COPIED_WITHIN_S", 0.5)
        monkeypatch.setattr(edge_compaction, "COMPACTED_WITHIN_S", 0.5)

    once(step, happens_and_time_passes, monkeypatch)
    await index.compact()
    assert "index.not_compacted" in capsys.readouterr().out
    assert running() == []
    assert folders(first) == [first.name]
    await change(index)
    assert await is_as_changed(index)


async def test_one_that_is_damaged_is_not_taken(index, indexes, first, monkeypatch, capsys):
    really = Compaction.until_compacted

    async def damaged(compaction: Compaction) -> None:
        await really(compaction)
        for state in edge_folders.following(first).glob("segments/*/segment.json"):
            state.write_text("{")

    monkeypatch.setattr(Compaction, "until_compacted", damaged)
    await index.compact()
    assert "cannot be opened" in capsys.readouterr().out
    assert folders(first) == [first.name]
    await change(index)
    assert await is_as_changed(index)
    assert await is_kept_as_changed(indexes)


async def test_one_that_cannot_be_marked_as_whole_is_not_taken(index, indexes, first, monkeypatch, capsys):
    async def work() -> None:
        await change(index)

    def refused(_: Path) -> None:
        raise OSError(28, "No space left on device")

    once("until_compacted", work, monkeypatch)
    monkeypatch.setattr(edge_folders, "mark_whole", refused)
    await index.compact()
    assert "No space left" in capsys.readouterr().out
    assert folders(first) == [first.name]
    assert await is_as_changed(index)
    assert await is_kept_as_changed(indexes)


@pytest.mark.parametrize("step", ["until_ready", "copy", "until_compacted"])
async def test_a_close_meanwhile_ends_it_and_loses_nothing(index, indexes, first, monkeypatch, step):
    async def close() -> None:
        closing.append(asyncio.create_task(indexes.close()))
        await asyncio.sleep(0)

    closing: list[asyncio.Task[None]] = []
    await change(index)
    once(step, close, monkeypatch)
    monkeypatch.setattr(edge_index, "COMPACTED_EVERY", 1)
    await index.show(OURS, STOVES, 1)
    with pytest.raises(asyncio.CancelledError):
        await index._beside
    await closing[0]
    assert running() == []
    assert folders(first) == [first.name]
    assert await is_as_changed(await indexes.open(NAME))


async def test_who_gives_up_while_the_copy_is_taken_leaves_one_that_is_whole(index, indexes, first, monkeypatch):
    def take_slowly(folder: Path, dimension: int) -> object:
        monkeypatch.setattr(edge_index, "open_shard", really)
        loop.call_soon_threadsafe(compacting.cancel)
        is_cancelled.wait()
        return really(folder, dimension)

    really, loop, is_cancelled = edge_index.open_shard, asyncio.get_running_loop(), threading.Event()
    monkeypatch.setattr(edge_index, "open_shard", take_slowly)
    await change(index)
    compacting = asyncio.create_task(index.compact())
    await eventually(compacting.cancelling)
    is_cancelled.set()
    with pytest.raises(asyncio.CancelledError):
        await compacting
    assert folders(first) == [f"{first.name}.1"]
    assert await is_as_changed(index)
    assert await is_kept_as_changed(indexes)


# ---- a kill of the service ------------------------------------------------------------------------------------------


async def run_until_killed(root: Path, at: str) -> None:
    """Runs in a process of its own, which kills itself at this moment of a compaction."""

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    really = Compaction.until_compacted
    index = await EdgeIndexes(root).open(NAME)
    await put(index, OURS, [passage(TENTS, n, "tent") for n in range(OLD)])

    async def change_and_wait(compaction: Compaction) -> None:
        await change(index)
        if at == "while it is compacted":
            die()
        await really(compaction)

    Compaction.until_compacted = change_and_wait
    match at:
        case "before the rest is in it":
            edge_index.open_shard = lambda *given: (open_shard(*given), die())
        case "before it counts":
            edge_folders.mark_whole = die
        case "before the old one is removed":
            edge_folders.remove_others = die
        case "while the old one is removed":
            edge_folders.shutil.rmtree = lambda path, **_: die() if path.exists() else None
    await index.compact()


open_shard = edge_index.open_shard
MOMENTS = [
    "while it is compacted",
    "before the rest is in it",
    "before it counts",
    "before the old one is removed",
    "while the old one is removed",
]


@pytest.mark.parametrize("at", MOMENTS)
async def test_a_kill_at_any_moment_loses_nothing(indexes, first, tmp_path, at):
    script = f"""
from services.ingest.tests.test_compaction import *
asyncio.run(run_until_killed(Path({str(tmp_path)!r}), {at!r}))
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    assert await process.wait() == -signal.SIGKILL
    assert await indexes.names() == [NAME]
    index = await indexes.open(NAME)
    assert await is_as_changed(index)
    assert len(folders(first)) == 1
    await index.compact()
    assert await is_as_changed(index)
    assert len(folders(first)) == 1


async def test_who_waits_for_it_takes_what_replaced_it_meanwhile(index, indexes, tmp_path, monkeypatch):
    monkeypatch.setattr(edge_index, "RETRY_S", 0.01)
    others = EdgeIndexes(tmp_path)

    async def work() -> None:
        waiting.append(asyncio.create_task(others.open(NAME)))
        await change(index)

    waiting: list[asyncio.Task[EdgeIndex]] = []
    once("until_compacted", work, monkeypatch)
    await index.compact()
    assert not waiting[0].done()
    await indexes.close()
    assert await is_as_changed(await waiting[0])
    await others.close()


async def test_what_replaced_it_just_before_it_was_let_go_is_taken(index, indexes, first, monkeypatch):
    await change(index)
    await indexes.close()

    def open_too_late(path: Path, dimension: int) -> object:
        monkeypatch.setattr(edge_index, "open_shard", open_shard)
        shutil.copytree(path, edge_folders.following(path))
        edge_folders.mark_whole(edge_folders.following(path))
        return open_shard(path, dimension)

    monkeypatch.setattr(edge_index, "open_shard", open_too_late)
    assert await is_as_changed(await indexes.open(NAME))
    assert folders(first) == [f"{first.name}.1"]


async def test_a_copy_is_made_of_what_replaced_it_just_before_it_was_let_go(index, indexes, first, monkeypatch):
    await change(index)
    await index.compact()
    await indexes.close()

    def open_too_late(path: Path, dimension: int) -> object:
        monkeypatch.setattr(edge_index, "open_shard", open_shard)
        path.rename(edge_folders.following(first))
        return open_shard(path, dimension)

    monkeypatch.setattr(edge_index, "open_shard", open_too_late)
    snapshots = EdgeSnapshots(first.parent, first.parent / "copies", NAME)
    made = await snapshots.create(lambda *_: None)
    await snapshots.restore(made.name, lambda *_: None)
    assert await is_as_changed(await indexes.open(NAME))
