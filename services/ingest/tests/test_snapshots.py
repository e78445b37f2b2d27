"""Copies of the index, on the engine in process and by a Qdrant server's protocol."""

import asyncio
import io
import math
import signal
import sys
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingest_service.domain.embedding import IndexName
from ingest_service.domain.snapshots import SnapshotRefused, Snapshots
from ingest_service.outbound import edge_folders
from ingest_service.outbound.edge_index import EdgeIndex
from ingest_service.outbound.edge_indexes import EdgeIndexes, folder_name
from ingest_service.outbound.edge_snapshots import EdgeSnapshots
from ingest_service.outbound.qdrant_indexes import QdrantIndexes
from ingest_service.outbound.qdrant_server import QdrantServer
from ingest_service.outbound.qdrant_snapshots import QdrantSnapshots
from runtime.errors import Unavailable
from services.ingest.tests.memory import MemoryUses
from services.ingest.tests.promises_passage_index import OURS, STOVES, TENTS, axis, passage, put
from tests.support.simulated_qdrant import SimulatedQdrant

NAME = IndexName("letters/v1", 384)
OLD = [passage(TENTS, n, "tent") for n in range(40)]
NEW = [passage(STOVES, n, "stove") for n in range(3)]


def quiet(_done: int, _of: int) -> None:
    return


class PromisesOfSnapshots:
    """Subclasses give `indexes`, which a process holds while it runs, and `snapshots`."""

    async def test_what_was_copied_is_what_is_found_after_it_was_put_back(self, indexes, snapshots):
        index = await indexes.open(NAME)
        await put(index, OURS, OLD)
        before = await index.search_dense(OURS, axis(3), 9)
        await self.stop(indexes)
        told: list[tuple[int, int]] = []
        made = await snapshots.create(lambda done, of: told.append((done, of)))
        assert told[-1][0] == told[-1][1] > 0
        assert list(await snapshots.all()) == [made]

        index = await indexes.open(NAME)
        await index.delete_document(OURS, TENTS)
        await put(index, OURS, NEW)
        await self.stop(indexes)
        assert await snapshots.restore(made.name, quiet)
        index = await indexes.open(NAME)
        assert await index.search_dense(OURS, axis(3), 9) == before
        assert await index.readings() == [(OURS.tenant_id, TENTS, 1, 40, 0)]
        await put(index, OURS, NEW)
        assert await index.count(OURS) == 43
        await self.stop(indexes)

    async def test_what_is_not_there_is_refused(self, indexes, snapshots):
        with pytest.raises(SnapshotRefused, match=r"no (index|collection)"):
            await snapshots.create(quiet)
        await put(await indexes.open(NAME), OURS, NEW)
        await self.stop(indexes)
        for name in ("nothing", "../secrets.json", "letters%2Fv1-384-20250101T000000.000000Z.tar.gz"):
            with pytest.raises(SnapshotRefused, match="no such copy"):
                await snapshots.restore(name, quiet)
        assert await (await indexes.open(NAME)).count(OURS) == 3

    async def stop(self, indexes: EdgeIndexes | QdrantIndexes) -> None:
        """As the end of ingest does."""
        await indexes.close()


class TestEdgeSnapshots(PromisesOfSnapshots):
    @pytest.fixture
    async def indexes(self, tmp_path: Path) -> AsyncIterator[EdgeIndexes]:
        indexes = EdgeIndexes(tmp_path / "index")
        yield indexes
        await indexes.close()

    @pytest.fixture
    def snapshots(self, tmp_path: Path) -> Snapshots:
        return EdgeSnapshots(tmp_path / "index", tmp_path / "snapshots", NAME)

    @pytest.fixture
    async def made(self, indexes, snapshots, tmp_path) -> Path:
        """The file of a copy with the old passages; the index has the new ones."""
        index = await indexes.open(NAME)
        await put(index, OURS, OLD)
        await indexes.close()
        made = await snapshots.create(quiet)
        index = await indexes.open(NAME)
        await index.delete_document(OURS, TENTS)
        await put(index, OURS, NEW)
        await indexes.close()
        return tmp_path / "snapshots" / made.name

    async def is_unchanged(self, indexes: EdgeIndexes) -> bool:
        held = await (await indexes.open(NAME)).readings()
        return held == [(OURS.tenant_id, STOVES, 1, 3, 0)]

    async def test_an_index_that_is_in_use_is_not_copied(self, indexes, snapshots):
        await put(await indexes.open(NAME), OURS, NEW)
        with pytest.raises(SnapshotRefused, match="Ingest has the index open"):
            await snapshots.create(quiet)
        assert await snapshots.all() == []

    async def test_one_can_be_put_back_while_the_index_is_in_use_and_is_taken_at_the_next_start(
        self, made, indexes, snapshots
    ):
        assert await self.is_unchanged(indexes)
        assert "next time" in await snapshots.restore(made.name, quiet)
        assert await self.is_unchanged(indexes)
        await indexes.close()
        assert await (await indexes.open(NAME)).count(OURS) == 40

    @pytest.mark.parametrize("left", [0, 600, 0.5, 0.98])
    async def test_a_torn_one_is_refused(self, made, indexes, snapshots, left):
        whole = made.read_bytes()
        made.write_bytes(whole[: int(left * len(whole)) if isinstance(left, float) else left])
        with pytest.raises(SnapshotRefused, match="torn"):
            await snapshots.restore(made.name, quiet)
        assert await self.is_unchanged(indexes)

    async def test_one_that_was_changed_is_refused(self, made, indexes, snapshots):
        with tarfile.open(made) as tar:
            held = [(entry, tar.extractfile(entry).read()) for entry in tar]
        with tarfile.open(made, "w:gz") as tar:
            for entry, content in held:
                is_changed = entry.name.endswith("segment.json")
                tar.addfile(entry, io.BytesIO(b"?" + content[1:] if is_changed else content))
        with pytest.raises(SnapshotRefused, match="damaged"):
            await snapshots.restore(made.name, quiet)
        assert await self.is_unchanged(indexes)

    @pytest.mark.parametrize("place", ["../../escaped", "index/../../../escaped", "/escaped", "else"])
    async def test_a_foreign_file_is_refused_and_writes_nowhere(self, made, indexes, snapshots, tmp_path, place):
        entry = tarfile.TarInfo(place)
        entry.size = 4
        with tarfile.open(made, "w:gz") as tar:
            tar.addfile(entry, io.BytesIO(b"evil"))
        with pytest.raises(SnapshotRefused):
            await snapshots.restore(made.name, quiet)
        made.write_bytes(b"%PDF-1.7 no copy of anything")
        with pytest.raises(SnapshotRefused, match="no copy of an index"):
            await snapshots.restore(made.name, quiet)
        assert await self.is_unchanged(indexes)
        assert list(tmp_path.rglob("escaped")) == []

    async def test_holes_of_the_engines_files_take_no_room(self, made, indexes, snapshots, tmp_path):
        length = sum(file.stat().st_size for file in (tmp_path / "index").rglob("*"))
        before = _room(tmp_path / "index")
        await snapshots.restore(made.name, quiet)
        assert made.stat().st_size < length / 50
        assert _room(tmp_path / "index") - before < length / 50
        assert await (await indexes.open(NAME)).count(OURS) == 40

    async def test_one_of_another_model_is_refused(self, made, indexes, tmp_path):
        other = IndexName("other", 384)
        made.rename(made.with_name(made.name.replace("letters%2Fv1", "other")))
        snapshots = EdgeSnapshots(tmp_path / "index", tmp_path / "snapshots", other)
        with pytest.raises(SnapshotRefused, match="of the embedding model letters/v1"):
            await snapshots.restore((await snapshots.all())[0].name, quiet)
        assert await indexes.names() == [NAME]

    async def test_killed_while_it_unpacks_it_has_changed_nothing(self, made, indexes, snapshots, tmp_path):
        script = f"""
import os
from services.ingest.tests.test_snapshots import *
def die(done, of):
    if done > of // 2:
        os.kill(os.getpid(), signal.SIGKILL)
root = Path({str(tmp_path)!r})
asyncio.run(EdgeSnapshots(root / "index", root / "snapshots", NAME).restore({made.name!r}, die))
"""
        killed = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
        assert await killed.wait() == -signal.SIGKILL
        assert list((tmp_path / "index").glob(".arriving-*"))
        assert await self.is_unchanged(indexes)
        await indexes.close()
        await snapshots.restore(made.name, quiet)
        assert await (await indexes.open(NAME)).count(OURS) == 40

    async def test_killed_while_it_takes_its_place_it_goes_on(self, made, indexes, snapshots, tmp_path):
        await snapshots.restore(made.name, quiet)
        folder = tmp_path / "index" / "letters%2Fv1-384"
        restored = folder.with_name(f".restored-{folder.name}")
        edge_folders.mark_whole(restored)
        restored.rename(edge_folders.following(folder))
        assert await indexes.names() == [NAME]
        assert await (await indexes.open(NAME)).count(OURS) == 40
        assert [path.name for path in (tmp_path / "index").iterdir()] == [f"{folder.name}.1"]

    async def test_an_index_that_was_compacted_is_copied_and_replaced_too(self, made, indexes, snapshots, tmp_path):
        index = await indexes.open(NAME)
        await index.compact()
        assert await self.is_unchanged(indexes)
        await indexes.close()
        compacted = await snapshots.create(quiet)
        await snapshots.restore(made.name, quiet)
        assert await (await indexes.open(NAME)).count(OURS) == 40
        await indexes.close()
        await snapshots.restore(compacted.name, quiet)
        assert await self.is_unchanged(indexes)
        assert [path.name for path in (tmp_path / "index").iterdir()] == [f"{folder_name(NAME)}.3"]

    async def test_it_takes_the_place_of_an_index_that_cannot_be_opened(self, made, indexes, snapshots, tmp_path):
        for segment in (tmp_path / "index").rglob("segment.json"):
            segment.write_text("{")
        with pytest.raises(SnapshotRefused, match="The index is damaged"):
            await snapshots.create(quiet)
        with pytest.raises(RuntimeError):
            # nobody holds it: there is nothing to wait for
            await EdgeIndex.open_when_free(tmp_path / "index" / folder_name(NAME), patience_s=math.inf)
        await snapshots.restore(made.name, quiet)
        assert await (await indexes.open(NAME)).count(OURS) == 40

    async def test_a_copy_that_could_not_be_finished_leaves_nothing(self, made, snapshots, tmp_path):
        def full(_done: int, _of: int) -> None:
            raise OSError(28, "No space left on device")

        with pytest.raises(SnapshotRefused, match="No space left on device"):
            await snapshots.create(full)
        assert [one.name for one in (tmp_path / "snapshots").iterdir()] == [made.name]
        with pytest.raises(SnapshotRefused, match="No space left on device"):
            await snapshots.restore(made.name, full)
        assert [one.name for one in (tmp_path / "index").iterdir()] == ["letters%2Fv1-384"]


def _room(folder: Path) -> int:
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


class TestQdrantSnapshots(PromisesOfSnapshots):
    @pytest.fixture
    async def server(self) -> AsyncIterator[SimulatedQdrant]:
        async with SimulatedQdrant(api_key="the key") as server:
            yield server

    @pytest.fixture
    async def indexes(self, server) -> AsyncIterator[QdrantIndexes]:
        indexes = QdrantIndexes(QdrantServer(server.url, SecretStr("the key")), MemoryUses())
        yield indexes
        await indexes.close()

    @pytest.fixture
    def snapshots(self, server) -> Snapshots:
        return QdrantSnapshots(QdrantServer(server.url, SecretStr("the key")), NAME)

    async def stop(self, indexes: EdgeIndexes | QdrantIndexes) -> None:
        """A server copies while it is in use."""

    async def test_a_torn_one_is_refused_by_the_server(self, indexes, snapshots, server, monkeypatch):
        await put(await indexes.open(NAME), OURS, OLD)
        made = await snapshots.create(quiet)
        ((collection, kept),) = server.snapshots.items()
        described = await snapshots._listed()
        monkeypatch.setattr(snapshots, "_listed", lambda: _said(described))  # what it was when it was made
        kept[made.name] = kept[made.name][:-2_000]
        await (await indexes.open(NAME)).delete_document(OURS, TENTS)
        await put(await indexes.open(NAME), OURS, NEW)
        with pytest.raises(SnapshotRefused, match="damaged"):
            await snapshots.restore(made.name, quiet)
        assert await (await indexes.open(NAME)).readings() == [(OURS.tenant_id, STOVES, 1, 3, 0)]
        assert collection in server.collections

    async def test_a_collection_on_several_nodes_is_refused(self, indexes, snapshots, server):
        await put(await indexes.open(NAME), OURS, OLD)
        made = await snapshots.create(quiet)
        server.remote_shards = 2
        for attempt in (snapshots.create(quiet), snapshots.restore(made.name, quiet)):
            with pytest.raises(SnapshotRefused, match="several nodes"):
                await attempt

    async def test_a_server_that_is_away_is_told(self, snapshots, server):
        server.faults.extend([503] * 4)
        with pytest.raises(Unavailable):
            await snapshots.all()


async def _said(told: object) -> object:
    return told
