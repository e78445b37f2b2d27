"""Copies of the embedded engine's index: one tar.gz file each, with the digests of what is in it at its end.

The engine's files are mostly holes. They are packed quickly rather than small, and unpacked with holes again.
"""

import asyncio
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from ingest_service.domain.embedding import IndexName
from ingest_service.domain.snapshots import Snapshot, SnapshotRefused, Tell
from ingest_service.outbound.disk import sync, write_sparse
from ingest_service.outbound.edge_folders import current
from ingest_service.outbound.edge_index import EdgeIndex
from ingest_service.outbound.edge_indexes import ARRIVING, RESTORED, folder_name
from ingest_service.outbound.edge_shard import is_held

_FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_MADE: Final = "%Y%m%dT%H%M%S.%fZ"
_HALF: Final = ".part"
_NEXT: Final = (
    "It is taken when ingest starts the next time. Then it is compared with Postgres: what is missing is written."
)


class EdgeSnapshots:
    """Implements `Snapshots`.

    Args:
        root: The folder of the indexes.
        kept: The folder of the copies; it is made when it is needed.
        name: Which index.
    """

    def __init__(self, root: Path, kept: Path, name: IndexName) -> None:
        self._root = root
        self._kept = kept
        self._name = name
        self._folder = root / folder_name(name)
        self._file = re.compile(re.escape(folder_name(name)) + r"-(\d{8}T\d{6}\.\d{6}Z)\.tar\.gz")

    async def create(self, tell: Tell) -> Snapshot:
        if not current(self._folder).exists():
            raise SnapshotRefused("There is no index of this embedding model yet.")
        try:
            index = EdgeIndex.open(self._folder, self._name.dimension)
        except RuntimeError as error:
            if is_held(error):
                raise SnapshotRefused(
                    "Ingest has the index open: stop it, make the copy, and start it again."
                ) from None
            raise SnapshotRefused("The index is damaged: restore an older copy, or let it be filled anew.") from error
        try:
            await index.flush()
            return await asyncio.to_thread(self._copy, index.folder, await index.count_all(), tell)
        finally:
            await index.close()

    async def all(self) -> Sequence[Snapshot]:
        return await asyncio.to_thread(self._listed)

    async def restore(self, name: str, tell: Tell) -> str:
        if name not in {one.name for one in await self.all()}:
            raise SnapshotRefused("There is no such copy of this index; see the list.")
        arriving = self._root / f"{ARRIVING}{self._folder.name}"
        shutil.rmtree(arriving, ignore_errors=True)
        try:
            manifest = await asyncio.to_thread(_unpacked, self._kept / name, arriving, tell)
            self._check(manifest)
            await self._try(arriving / "index", manifest)
            restored = self._root / f"{RESTORED}{self._folder.name}"
            shutil.rmtree(restored, ignore_errors=True)
            (arriving / "index").rename(restored)
            sync(self._root)
        finally:
            shutil.rmtree(arriving, ignore_errors=True)
        return _NEXT

    def _copy(self, folder: Path, passages: int, tell: Tell) -> Snapshot:
        made_at = datetime.now(UTC)
        self._kept.mkdir(parents=True, exist_ok=True)
        path = self._kept / f"{self._folder.name}-{made_at.strftime(_MADE)}.tar.gz"
        half = path.with_name(path.name + _HALF)
        found = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        of, done, digests = sum(file.stat().st_size for file in found), 0, dict[str, str]()
        try:
            with half.open("wb") as raw:
                with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=1) as tar:
                    for file in found:
                        place = f"index/{file.relative_to(folder).as_posix()}"
                        tar.add(file, place, recursive=False)
                        digests[place] = _digest(file)
                        done += file.stat().st_size
                        tell(done, of)
                    _add_manifest(tar, self._name, passages, digests)
                # only now its end is written
                raw.flush()
                os.fsync(raw.fileno())
            half.rename(path)
            sync(self._kept)
        except OSError as error:
            raise SnapshotRefused(f"It cannot be written: {error.strerror}.") from error
        finally:
            half.unlink(missing_ok=True)
        return Snapshot(path.name, made_at, path.stat().st_size)

    def _listed(self) -> list[Snapshot]:
        files = sorted(self._kept.iterdir()) if self._kept.is_dir() else []
        found = ((path, self._file.fullmatch(path.name)) for path in files)
        return [
            Snapshot(path.name, datetime.strptime(match[1], _MADE).replace(tzinfo=UTC), path.stat().st_size)
            for path, match in found
            if match
        ]

    def _check(self, manifest: dict[str, Any]) -> None:
        of = IndexName(str(manifest.get("model")), int(manifest.get("dimension", 0)))
        if of != self._name:
            raise SnapshotRefused(
                f"It is of the embedding model {of.model} with {of.dimension} numbers, and ingest is set to "
                f"{self._name.model} with {self._name.dimension}."
            )

    async def _try(self, folder: Path, manifest: dict[str, Any]) -> None:
        """The engine opens it and finds as much as was copied."""
        try:
            index = EdgeIndex.open(folder, self._name.dimension)
        except RuntimeError as error:
            raise SnapshotRefused("The engine cannot open this copy: it is damaged, or of a newer version.") from error
        held = await index.count_all()
        await index.close()
        if held != manifest["passages"]:
            raise SnapshotRefused(f"It should hold {manifest['passages']} passages and holds {held}: it is damaged.")


def _add_manifest(tar: tarfile.TarFile, name: IndexName, passages: int, digests: dict[str, str]) -> None:
    told = {
        "format": _FORMAT,
        "model": name.model,
        "dimension": name.dimension,
        "passages": passages,
        "sha256": digests,
    }
    content = json.dumps(told).encode()
    entry = tarfile.TarInfo(_MANIFEST)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _unpacked(path: Path, target: Path, tell: Tell) -> dict[str, Any]:
    """Unpack into `target`; returns the manifest, to which every file is true.

    Raises:
        SnapshotRefused: It is torn, changed, or no copy of ours.
    """
    try:
        target.mkdir(parents=True)
        of = path.stat().st_size
        with path.open("rb") as raw, tarfile.open(fileobj=raw, mode="r:gz") as tar:
            for entry in tar:
                place = PurePosixPath(entry.name)
                if not entry.isfile() or place.is_absolute() or ".." in place.parts:
                    raise SnapshotRefused("This file is no copy of an index.")
                content = tar.extractfile(entry)
                assert content is not None
                write_sparse(content, entry.size, target / place)
                sync(target / place)
                tell(raw.tell(), of)
        if not (target / _MANIFEST).is_file():
            raise SnapshotRefused("This copy is torn, or no copy of an index.")
        manifest = json.loads((target / _MANIFEST).read_bytes())
        if manifest["format"] != _FORMAT or dict(_digests(target)) != manifest["sha256"]:
            raise SnapshotRefused("This copy is damaged: its files are not those that were copied.")
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, KeyError, TypeError) as error:
        raise SnapshotRefused("This copy is torn, or no copy of an index.") from error
    except OSError as error:
        raise SnapshotRefused(f"It cannot be unpacked: {error.strerror}.") from error
    assert isinstance(manifest, dict)
    return manifest


def _digests(target: Path) -> Iterator[tuple[str, str]]:
    for file in (target / "index").rglob("*"):
        if file.is_file():
            yield file.relative_to(target).as_posix(), _digest(file)


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
