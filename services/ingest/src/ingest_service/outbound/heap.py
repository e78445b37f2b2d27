"""The C heap of this process: what a long document needed is given back to the machine.

glibc keeps freed memory for ever where threads allocate in turns, as model runs do: after a batch of passages 69 of
135 MiB were such memory. On other C libraries nothing is done.
"""

import ctypes
from typing import Final

_M_ARENA_MAX: Final = -8
ARENAS: Final = 2
"""Instead of eight a core: fewer places where freed memory lies scattered."""


class Heap:
    """glibc's heap, if that is the C library."""

    def __init__(self) -> None:
        try:
            self._libc: ctypes.CDLL | None = ctypes.CDLL("libc.so.6")
            self._libc.mallopt(_M_ARENA_MAX, ARENAS)
        except (OSError, AttributeError):
            self._libc = None

    def give_back(self) -> None:
        """Return unused memory to the machine; takes a few milliseconds."""
        if self._libc is not None:
            self._libc.malloc_trim(0)
