"""Archives are judged by their own list of contents before anything in them is unpacked."""

import io
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import Final

from ingest_service.domain.errors import Damaged, UnpacksTooLarge

MOST_ENTRIES: Final = 10_000
MOST_UNPACKED: Final = 268_435_456
"""Bytes of everything in an archive together; a reader holds most of them at a time."""
MOST_RATIO: Final = 200
"""Of the unpacked size to the packed one; sheets of a large workbook come to about 30."""
RATIO_COUNTS_FROM: Final = 16_777_216
"""Unpacked bytes: a small file of spaces is no bomb."""


def opened(data: bytes) -> zipfile.ZipFile:
    """The archive, if unpacking it is safe. No entry gives more bytes than it declares: zipfile stops there.

    Raises:
        UnpacksTooLarge: Too many entries, too many bytes, or too many for its size.
        Damaged: It is no archive, or an entry's name points outside of it.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Damaged("The document is a damaged archive. Save it again and send it anew.") from error
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    is_bomb = unpacked > RATIO_COUNTS_FROM and unpacked > len(data) * MOST_RATIO
    if len(entries) > MOST_ENTRIES or unpacked > MOST_UNPACKED or is_bomb:
        raise UnpacksTooLarge("The document unpacks to far more than a document of its size holds. It is not read.")
    if any(_points_outside(entry.filename) for entry in entries):
        raise Damaged("The document names files outside of itself. It is not read.")
    return archive


def part(archive: zipfile.ZipFile, name: str) -> bytes:
    """One entry, unpacked.

    Raises:
        Damaged: It is not there, or does not hold what the archive says.
    """
    try:
        return archive.read(name)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise Damaged("The document is incomplete or damaged. Save it again and send it anew.") from error


def _points_outside(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or (len(name) > 1 and name[1] == ":")
