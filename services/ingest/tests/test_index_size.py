"""What the engine in process keeps of what it was given, in memory and on the disk."""

import asyncio
import json
import random
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
import qdrant_edge as edge

from contracts.ids import DocumentId, TenantId, uuid7
from ingest_service.domain.passage_index import passage_id
from ingest_service.domain.terms import query_vector
from ingest_service.outbound import edge_folders, edge_index, edge_shard
from ingest_service.outbound.edge_index import EdgeIndex
from ingest_service.outbound.edge_shard import DENSE, LOG_FILE, TERMS, compact, is_held
from ingest_service.outbound.heap import Heap
from runtime.tenancy import TenantScope
from services.ingest.tests.promises_passage_index import TENTS, passage, put

OURS = TenantScope(TenantId(uuid.UUID(int=7)), "service:test")
"""The same in every process."""
A_DOCUMENT = 50
KIB = 1024
WORDS = [f"{first}{second}" for first in "bdfgklmnprst" for second in ("ale", "ine", "orm", "ust", "ick", "and", "eet")]
LONG, TINY = 60, 3
"""Words of a passage."""


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[EdgeIndex]:
    index = EdgeIndex.open(folder)
    yield index
    await index.close()


async def write(index: EdgeIndex, drawn: random.Random, words: int) -> None:
    """One document, as the service does it."""
    document = DocumentId(uuid7())
    texts = [" ".join(drawn.choices(WORDS, k=words)) for _ in range(A_DOCUMENT)]
    written = [passage(document, n, text) for n, text in enumerate(texts)]
    for one in written:
        one.dense[:] = [drawn.uniform(-0.1, 0.1) for _ in one.dense]
    await put(index, OURS, written)


async def grow(folder: Path, passages: int, words: int) -> None:
    """Runs in a process of its own. Says its memory and disk after so many passages, and after four times as many.

    Compacted four times on the way: what is left of a compaction adds up.
    """
    heap, me, drawn = Heap(), psutil.Process(), random.Random(3)
    async with opened(folder) as index:
        for written in range(A_DOCUMENT, 4 * passages + 1, A_DOCUMENT):
            await write(index, drawn, words)
            if not written % passages:
                await index.compact()
            if written in {passages, 4 * passages}:
                heap.give_back()
                sys.stdout.write(f"{me.memory_info().rss} {on_disk(folder.parent)}\n")


def on_disk(folder: Path) -> int:
    """Bytes that its files take; most of each is a hole."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


async def ran(code: str) -> tuple[int, str]:
    """In a process of its own: how it ended and what it said."""
    script = f"from services.ingest.tests.test_index_size import *\nasyncio.run({code})"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


@pytest.mark.parametrize("words", [LONG, TINY])
async def test_a_passage_takes_a_few_kib_of_memory_and_disk(tmp_path, words):
    passages = 600
    status, said = await ran(f"grow(Path({str(tmp_path / 'index')!r}), {passages}, {words})")
    assert status == 0
    (memory, disk), (memory_later, disk_later) = (map(int, line.split()) for line in said.splitlines())
    # 1.5 KiB are its exact vector, on the disk. While compactions left their old files behind it were 15 KiB and more
    assert (memory_later - memory) / (3 * passages) < 5 * KIB
    assert (disk_later - disk) / (3 * passages) < 7 * KIB


async def test_a_compaction_leaves_nothing_of_what_it_replaces(tmp_path, monkeypatch):
    monkeypatch.setattr(edge_shard, "BYTES_FROM_KB", 100)
    drawn = random.Random(3)
    for _ in range(3):
        async with opened(tmp_path) as index:
            await write(index, drawn, LONG)
            await write(index, drawn, LONG)
        compact(tmp_path, 384)
        assert len(list((tmp_path / "segments").iterdir())) <= 2
    async with opened(tmp_path) as index:
        assert await index.count(OURS) == 6 * A_DOCUMENT


async def test_what_opening_touches_of_its_files_is_no_memory_of_ours(tmp_path):
    async with opened(tmp_path / "index") as index:
        await write(index, random.Random(3), LONG)
        for _ in range(2):
            await index.compact()
            mapped = [one for one in psutil.Process().memory_maps() if one.path.startswith(f"{index.folder}/")]
            assert mapped
            # twenty before, most of them holes
            assert sum(one.rss for one in mapped) < 2 * KIB * KIB
            assert await index.count(OURS) == A_DOCUMENT
            await index.upsert(OURS, [passage(DocumentId(uuid7()), 0, "one more")])


async def test_the_log_is_kept_in_small_files_and_let_go(tmp_path):
    drawn = random.Random(3)
    folder = tmp_path / "index"
    async with opened(folder) as index:
        while len(list((folder / "wal").iterdir())) < 6:
            await write(index, drawn, LONG)
        assert max(file.stat().st_size for file in (folder / "wal").iterdir()) == LOG_FILE
        await index.compact()
        assert len(list((edge_folders.current(folder) / "wal").glob("closed-*"))) == 1
        assert not folder.exists()


async def test_who_may_not_open_an_index_changes_nothing_of_it(tmp_path, monkeypatch):
    async with opened(tmp_path):
        config = (tmp_path / "edge_config.json").read_bytes()
        monkeypatch.setattr(edge_shard, "LOG_FILE", 2 * LOG_FILE)
        with pytest.raises(RuntimeError) as refused:
            EdgeIndex.open(tmp_path)
        assert is_held(refused.value)
        assert (tmp_path / "edge_config.json").read_bytes() == config
    async with opened(tmp_path):
        assert (tmp_path / "edge_config.json").read_bytes() != config


async def test_an_index_that_was_half_made_is_made_whole(tmp_path):
    (tmp_path / "edge_config.json").write_text("{}")
    (tmp_path / "wal").mkdir()
    async with opened(tmp_path) as index:
        assert set(index._shard.info().payload_schema) == {"tenant_id", "document_id", "language", "shown_to"}
        await put(index, OURS, [passage(TENTS, 0, "tent")])
        assert await index.count(OURS) == 1


async def test_an_index_of_the_release_before_is_opened_and_becomes_small(tmp_path, monkeypatch):
    folder = tmp_path / "index"
    before = edge.EdgeConfig(
        vectors={DENSE: edge.EdgeVectorParams(size=384, distance=edge.Distance.Dot)},
        sparse_vectors={TERMS: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        quantization_config=edge.ScalarQuantizationConfig(edge.ScalarType.Int8, quantile=0.99, always_ram=True),
        hnsw_config=edge.HnswIndexConfig(m=0, ef_construct=16, full_scan_threshold=10),
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=4_000, default_segment_number=2),
        max_search_threads=1,
    )
    shard = edge.EdgeShard.create(str(folder), before)
    shard.update(edge.UpdateOperation.create_field_index("tenant_id", edge.KeywordIndexParams(is_tenant=True)))
    with monkeypatch.context() as then:
        then.setattr(edge_index, "open_shard", lambda *_: shard)
        old = EdgeIndex.open(folder)
    await put(old, OURS, [passage(TENTS, n, "tent") for n in range(300)])
    await old.close()
    async with opened(folder) as index:
        for _ in range(2):
            assert await index.count(OURS) == len(await index.search_sparse(OURS, query_vector("tent"), 999)) == 300
            assert (await index.search_dense(OURS, passage(TENTS, 7, "").dense, 1))[0].id == passage_id(TENTS, 1, 7)
            await index.compact()
    kept = json.loads((edge_folders.current(folder) / "edge_config.json").read_bytes())
    assert kept["wal_options"]["segment_capacity"] == LOG_FILE
    assert kept["vectors"][DENSE]["memory"] == "cold"
