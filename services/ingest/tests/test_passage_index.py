import asyncio
import math
import random
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from operator import mul
from pathlib import Path

import pytest

from ingest_service.domain.passage_index import Narrowing, PassageIndex
from ingest_service.domain.terms import SparseVector, query_vector
from ingest_service.outbound.edge_index import EdgeIndex
from services.ingest.tests.memory import MemoryPassageIndex
from services.ingest.tests.promises_passage_index import (
    OURS,
    STOVES,
    TENTS,
    THEIRS,
    PromisesOfPassageIndex,
    passage,
    put,
)


def direction(drawn: random.Random) -> list[float]:
    numbers = [drawn.gauss(0, 1) for _ in range(384)]
    length = math.hypot(*numbers)
    return [number / length for number in numbers]


class TestMemoryPassageIndex(PromisesOfPassageIndex):
    @pytest.fixture
    def index(self) -> PassageIndex:
        return MemoryPassageIndex()


class TestEdgeIndex(PromisesOfPassageIndex):
    @pytest.fixture
    async def index(self, tmp_path: Path) -> AsyncIterator[PassageIndex]:
        index = EdgeIndex.open(tmp_path / "index")
        yield index
        await index.close()

    async def test_it_keeps_what_it_has_over_a_restart(self, tmp_path):
        for count in (1, 2):
            index = EdgeIndex.open(tmp_path)
            await put(index, OURS, [passage(TENTS, count, "tent")])
            assert await index.count(OURS) == count
            await index.close()

    async def test_compacting_loses_nothing(self, index):
        await put(index, OURS, [passage(TENTS, n, "tent") for n in range(300)])
        await put(index, OURS, [passage(STOVES, n, "stove") for n in range(5)])
        await index.delete_document(OURS, TENTS)
        await index.compact()
        assert await index.count(OURS) == 5
        assert len(await index.search_sparse(OURS, query_vector("stove"), limit=9)) == 5

    async def test_a_second_process_is_told_so(self, tmp_path):
        index = EdgeIndex.open(tmp_path)
        with pytest.raises(RuntimeError, match="cannot be opened"):
            EdgeIndex.open(tmp_path)
        await index.close()

    async def test_what_is_found_by_bytes_is_ranked_by_the_exact_vectors(self, index):
        drawn = random.Random(5)
        passages = [replace(passage(TENTS, n, "tent"), dense=direction(drawn)) for n in range(3_000)]
        await put(index, OURS, passages)
        await index.compact()
        await put(index, OURS, [replace(passage(STOVES, n, "stove"), dense=direction(drawn)) for n in range(50)])
        await put(
            index, OURS, [replace(passage(STOVES, n, "by words alone", generation=2), dense=None) for n in (0, 1)]
        )
        asked = direction(drawn)
        cosines = sorted((sum(map(mul, asked, one.dense)) for one in passages), reverse=True)
        found = await index.search_dense(OURS, asked, 10, Narrowing(document_ids=(TENTS,)))
        assert [hit.score for hit in found] == pytest.approx(cosines[:10], abs=1e-5)
        assert len(await index.search_sparse(OURS, query_vector("by words alone"), 9)) == 2
        assert len(await index.search_dense(THEIRS, asked, 10)) == 0

    async def test_it_reopens_after_its_process_was_killed(self, tmp_path):
        script = f"""
import os
from services.ingest.tests.test_passage_index import *
async def fill():
    index = EdgeIndex.open(Path({str(tmp_path)!r}))
    await index.upsert(OURS, [passage(TENTS, n, "tent") for n in range(50)])
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(fill())
"""
        killed = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
        assert await killed.wait() == -signal.SIGKILL
        index = EdgeIndex.open(tmp_path)
        assert await index.count_all() == 50
        await index.close()


def test_an_empty_vector_is_no_query():
    assert query_vector("…") == SparseVector((), ())
