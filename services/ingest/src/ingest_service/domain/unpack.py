"""A ZIP archive of files: each becomes a document of its own, which came of the archive."""

import asyncio
import contextlib
import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final

from contracts.ids import DocumentId, uuid7
from contracts.ingest import DOCUMENT_LIMIT_BYTES
from ingest_service.domain import media_types
from ingest_service.domain.document import Document, Failure, Reading, State, received, title_of
from ingest_service.domain.errors import (
    ArchiveRefused,
    Damaged,
    DocumentRefused,
    EmptyDocument,
    UnpacksTooLarge,
    UnsupportedType,
)
from ingest_service.domain.members import Members
from ingest_service.domain.originals import let_go
from ingest_service.domain.ports import Documents, Files, Step
from runtime.clock import Clock
from runtime.errors import Conflict
from runtime.tenancy import TenantScope

MOST_FILES: Final = 1_000
MOST_UNPACKED: Final = 500 * 1024 * 1024
LONGEST_NAME: Final = 255
LONGEST_PATH: Final = 1_000
_END: Final = "<4s4H2LH"
"""The end of central directory record (PKWARE APPNOTE 4.3.16): signature, disks, entries, directory size, offset."""
_END_SIGN: Final = b"PK\x05\x06"
_LARGE_END: Final = "<4sQ2H2L4Q4sLQL"
"""The same for what is large (4.3.14), with its locator (4.3.15); it stands right before the other one, and counts."""
_LARGE_END_SIGN, _LOCATOR_SIGN = b"PK\x06\x06", b"PK\x06\x07"
_LONGEST_COMMENT: Final = 65_535
_MOST_DIRECTORY: Final = 1024 * 1024
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Of bzip2 and LZMA zipfile unpacks all at once, whatever is asked for: a kilobyte of them fills the memory."""


@dataclass(frozen=True)
class Unpacking:
    """Everything that unpacking needs."""

    members: Members
    documents: Documents
    files: Files
    clock: Clock

    async def unpack(self, archive: Document, data: bytes, scope: TenantScope) -> Reading:
        """Make its members what is in the archive.

        Done again after a crash, it finds the same documents. Of a new version of the archive, the members that have
        another content under the same path are read anew, and those that are not in it any more are deleted. A file
        that cannot be taken out is a member that failed.

        Raises:
            ArchiveRefused: It is damaged, encrypted, or holds nothing.
            UnpacksTooLarge: It holds more than one upload may.
            Fenced: The attempt does not count any more.
        """
        packed = await asyncio.to_thread(opened, data)
        entries = _wanted(packed)
        known = await self.members.of(scope, archive)
        # only a new version, or an attempt after a crash, meets members
        contents = await asyncio.to_thread(_hashes, packed, entries) if known else set()
        staying = {each.id for each in known if each.sha256 in contents and each.state is not State.FAILED}
        others = {each.path: each for each in known if each.id not in staying}
        for path, entry in entries.items():
            try:
                content = await asyncio.to_thread(_bytes_of, packed, entry)
            except DocumentRefused as refused:
                member, failure = others.get(path) or self._new(archive, path), Failure(refused.code, refused.detail)
                await self.members.refuse(scope, archive, member, failure)
            else:
                await self._take(archive, self._new(archive, path, content), content, scope, known=others.get(path))
        for member in others.values():
            if member.path not in entries:
                await self.members.remove(scope, archive, member)
        return Reading(archive.title, media_types.ZIP, language=None, pages=len(entries), passages=())

    async def let_go(self, former: Document, scope: TenantScope) -> None:
        """Delete the members of what was an archive, and is a document of its own now."""
        for member in await self.members.of(scope, former):
            await self.members.remove(scope, former, member)

    async def _take(
        self, archive: Document, member: Document, content: bytes, scope: TenantScope, *, known: Document | None
    ) -> None:
        async def keep() -> None:
            await self.files.put(scope, member.sha256, content)

        if known is None:
            await self.members.add(scope, archive, member, keep=keep)
        # else it failed with the very same content: read again when somebody asks for it
        elif known.sha256 != member.sha256:
            await self._replace(archive, known, member, scope, keep=keep)

    async def _replace(
        self, archive: Document, known: Document, member: Document, scope: TenantScope, *, keep: Step
    ) -> None:
        version = replace(known, sha256=member.sha256, size_bytes=member.size_bytes)
        try:
            await self.members.replace(scope, archive, version, keep=keep)
        except Conflict:
            # it is being read, and what it held is no more; or the content is there, as another document
            await self.members.remove(scope, archive, known)
            await self.members.add(scope, archive, replace(member, tags=known.tags), keep=keep)
        else:
            await let_go(scope, [known.sha256], documents=self.documents, files=self.files)

    def _new(self, archive: Document, path: str, content: bytes = b"") -> Document:
        name = PurePosixPath(path).name[-LONGEST_NAME:]
        held = (len(content), hashlib.sha256(content).hexdigest() if content else "")
        new = received(DocumentId(uuid7()), name, self.clock.now(), content=held, tags=archive.tags, came_of=archive.id)
        return replace(new, path=path, title=title_of(name, path))


def opened(data: bytes) -> zipfile.ZipFile:
    """The archive; its list of contents is measured before it is read, for reading it takes memory.

    Raises:
        ArchiveRefused: It is damaged.
        UnpacksTooLarge: It has more entries than one upload may.
    """
    tail = data[-(_LONGEST_COMMENT + struct.calcsize(_END)) :]
    place = tail.rfind(_END_SIGN)
    if place < 0 or len(tail) - place < struct.calcsize(_END):
        raise ArchiveRefused("The archive is damaged. Make it anew and send that.")
    entries, directory_bytes = _listed(data, len(data) - len(tail) + place)
    if entries > 2 * MOST_FILES or directory_bytes > _MOST_DIRECTORY:
        raise UnpacksTooLarge(f"The archive has more than {MOST_FILES:,} files. Send them in parts.")
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ArchiveRefused("The archive is damaged. Make it anew and send that.") from error


def _listed(data: bytes, end: int) -> tuple[int, int]:
    """How many entries its list says to have, and bytes; `end` is where the record of its end stands."""
    large = end - struct.calcsize(_LARGE_END)
    if large >= 0:
        sign, *_, entries, directory_bytes, _, locator, _, _, _ = struct.unpack_from(_LARGE_END, data, large)
        if (sign, locator) == (_LARGE_END_SIGN, _LOCATOR_SIGN):
            return entries, directory_bytes
    _, _, _, _, entries, directory_bytes, _, _ = struct.unpack_from(_END, data, end)
    return entries, directory_bytes


def _wanted(archive: zipfile.ZipFile) -> Mapping[str, zipfile.ZipInfo]:
    """The files in it by their paths, without what is litter; of a path twice the later one."""
    entries = [entry for entry in archive.infolist() if not _is_litter(_path(entry))]
    if not entries:
        raise ArchiveRefused("The archive has no files in it.")
    if len(entries) > MOST_FILES:
        raise UnpacksTooLarge(f"The archive has more than {MOST_FILES:,} files. Send them in parts.")
    if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise UnpacksTooLarge(f"The archive unpacks to more than {MOST_UNPACKED // 1024**2} MiB. Send it in parts.")
    if any(entry.flag_bits & 1 for entry in entries):
        raise ArchiveRefused("The archive is encrypted. Make it anew without a password.")
    return {_path(entry)[-LONGEST_PATH:]: entry for entry in entries}


def _path(entry: zipfile.ZipInfo) -> str:
    return entry.filename.replace("\\", "/")


def _hashes(archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo]) -> set[str]:
    """The SHA-256 (hex) of each file that can be taken out."""
    found = set()
    for entry in entries.values():
        with contextlib.suppress(DocumentRefused):
            found.add(hashlib.sha256(_bytes_of(archive, entry)).hexdigest())
    return found


def _bytes_of(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """An entry never gives more bytes than it declares: asked for so many, zipfile unpacks no more.

    Asked for all (`archive.read`) it unpacks 2 GiB at once before it cuts them, whatever the entry declares.

    Raises:
        DocumentRefused: It is damaged, empty, too large for a document, or packed by a method that is not read.
    """
    if entry.compress_type not in _METHODS:
        raise UnsupportedType("It is packed by a method that is not read. Pack the archive with Deflate, as is usual.")
    if entry.file_size > DOCUMENT_LIMIT_BYTES:
        raise UnpacksTooLarge(f"It is larger than {DOCUMENT_LIMIT_BYTES // 1024**2} MiB. Send it in parts.")
    try:
        with archive.open(entry) as packed:
            content = packed.read(entry.file_size)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, ArithmeticError, RuntimeError) as error:
        raise Damaged("It is damaged in its archive. Make that anew, or send the file by itself.") from error
    if not content:
        raise EmptyDocument("The document is empty.")
    return content


def _is_litter(path: str) -> bool:
    """Folders, what has no name, and what systems leave behind."""
    parts = PurePosixPath(path).parts
    if path.endswith("/") or not parts:
        return True
    return "__MACOSX" in parts or parts[-1] == "Thumbs.db" or parts[-1].startswith(".")
