"""Files of a folder that are mapped into this process: what of them counts as its memory."""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MAPS: Final = Path("/proc/self/maps")
_MADV_DONTNEED: Final = 4
"""madvise(2): of a shared mapping the pages stay in the machine's cache, and come back when they are touched."""


def let_go(folder: Path) -> None:
    """Count none of their pages until they are used; nothing is lost, and nothing is done where there is no /proc.

    For mappings that nobody else uses yet: were one replaced meanwhile, the memory of somebody else would be cleared.
    """
    if not _MAPS.exists():
        return
    libc = ctypes.CDLL(None)
    for start, end in _shared_mappings(folder):
        libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)


def _shared_mappings(folder: Path) -> Iterator[tuple[int, int]]:
    below = f"{folder.resolve()}{os.sep}"
    for line in _MAPS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        # address, permissions, offset, device, inode, and what is mapped if it has a name: proc_pid_maps(5)
        span, permissions, _, _, _, *named = line.split(maxsplit=5)
        if permissions.endswith("s") and named and named[0].startswith(below):
            start, _, end = span.partition("-")
            yield int(start, 16), int(end, 16)
