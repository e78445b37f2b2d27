"""A ZIP archive of files: each becomes a document of its own."""

import asyncio
import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from contracts.ids import DocumentId, uuid7
from contracts.ingest import DOCUMENT_LIMIT_BYTES
from ingest_service.domain import media_types, sniff
from ingest_service.domain.document import Document, Reading, received
from ingest_service.domain.errors import ArchiveRefused, DocumentRefused, IsArchive, UnpacksTooLarge
from ingest_service.domain.ports import Documents, Files
from runtime.clock import Clock
from runtime.tenancy import TenantScope

MOST_FILES: Final = 1_000
MOST_UNPACKED: Final = 500 * 1024 * 1024
LONGEST_NAME: Final = 255
_END: Final = "<4s4H2LH"
"""The end of central directory record (PKWARE APPNOTE 4.3.16): signature, disks, entries, directory size, offset."""
_END_SIGN: Final = b"PK\x05\x06"
_LONGEST_COMMENT: Final = 65_535
_MOST_DIRECTORY: Final = 1024 * 1024
_ARCHIVES: Final = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")


async def unpack(
    document: Document, data: bytes, scope: TenantScope, *, documents: Documents, files: Files, clock: Clock
) -> Reading:
    """Register what is in the archive; done again after a crash, it finds the same documents.

    Raises:
        ArchiveRefused: It is damaged, encrypted, holds another archive, or nothing.
        UnpacksTooLarge: It holds more than one upload may.
    """
    archive = await asyncio.to_thread(opened, data)
    entries = _wanted(archive)
    for entry in entries:
        content = await asyncio.to_thread(_bytes_of, archive, entry)
        sha256 = hashlib.sha256(content).hexdigest()
        name = PurePosixPath(entry.filename.replace("\\", "/")).name[-LONGEST_NAME:]
        made = received(DocumentId(uuid7()), name, clock.now(), content=(len(content), sha256), tags=document.tags)

        async def keep(content: bytes = content, sha256: str = sha256) -> None:
            await files.put(scope, sha256, content)

        await documents.add(scope, made, keep=keep)
    title = document.title
    return Reading(title, media_types.ZIP, language=None, pages=len(entries), passages=())


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
    _, _, _, _, entries, directory_bytes, _, _ = struct.unpack_from(_END, tail, place)
    if entries > 2 * MOST_FILES or directory_bytes > _MOST_DIRECTORY:
        raise UnpacksTooLarge(f"The archive has more than {MOST_FILES:,} files. Send them in parts.")
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ArchiveRefused("The archive is damaged. Make it anew and send that.") from error


def _wanted(archive: zipfile.ZipFile) -> Sequence[zipfile.ZipInfo]:
    """The files in it, without folders and what systems leave behind."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_litter(entry.filename)]
    if not entries:
        raise ArchiveRefused("The archive has no files in it.")
    if len(entries) > MOST_FILES:
        raise UnpacksTooLarge(f"The archive has more than {MOST_FILES:,} files. Send them in parts.")
    if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise UnpacksTooLarge(f"The archive unpacks to more than {MOST_UNPACKED // 1024**2} MiB. Send it in parts.")
    for entry in entries:
        if entry.flag_bits & 1:
            raise ArchiveRefused("The archive is encrypted. Make it anew without a password.")
        if entry.filename.lower().endswith(_ARCHIVES):
            raise ArchiveRefused(
                f"The archive holds another one ({_shown(entry)}). Unpack that and send what is in it."
            )
        if entry.file_size > DOCUMENT_LIMIT_BYTES:
            raise ArchiveRefused(f"{_shown(entry)} in the archive is larger than 50 MiB.")
    return entries


def _bytes_of(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """An entry never gives more bytes than it declares: asked for so many, zipfile unpacks no more.

    Asked for all (`archive.read`) it unpacks 2 GiB at once before it cuts them, whatever the entry declares.
    """
    try:
        with archive.open(entry) as packed:
            content = packed.read(entry.file_size)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, NotImplementedError) as error:
        raise ArchiveRefused(f"{_shown(entry)} in the archive is damaged.") from error
    if content.startswith(b"PK") and _is_archive(content):
        raise ArchiveRefused(f"The archive holds another one ({_shown(entry)}). Unpack that and send what is in it.")
    return content


def _is_archive(content: bytes) -> bool:
    """Whether unpacking would go on one level deeper; what else is wrong with it, its own reader says."""
    opened(content).close()
    try:
        sniff.tell(content)
    except IsArchive:
        return True
    except DocumentRefused:
        return False
    return False


def _shown(entry: zipfile.ZipInfo) -> str:
    return f"“{PurePosixPath(entry.filename).name[:80]}”"


def _is_litter(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return "__MACOSX" in parts or parts[-1:] == ("Thumbs.db",) or parts[-1].startswith(".")
