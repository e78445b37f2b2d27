"""Files with holes, and being sure that something is on the disk."""

import os
from pathlib import Path
from typing import IO, Final

_BLOCK: Final = 64 * 1024


def write_sparse(source: IO[bytes], size: int, path: Path) -> None:
    """Leave blocks of zeros out: they read as zeros, and take no room.

    Raises:
        FileExistsError: There is such a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        while block := source.read(_BLOCK):
            if block.count(0) == len(block):
                file.seek(len(block), os.SEEK_CUR)
            else:
                file.write(block)
        file.truncate(size)


def sync(path: Path) -> None:
    """A file's content, or a folder's names, are on the disk before what stands on them."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
