"""Which files a process may still read: Landlock, landlock(7), which needs no rights of its own.

Without it a taken-over reader could read what its user may: other businesses' originals, or a service's environment
in /proc. With it there is Python and its libraries, and nothing to write anywhere.
"""

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""Numbers of the calls, the same on every machine; glibc has no functions for them."""
_ASK_VERSION: Final = 1
_BENEATH: Final = 1
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_RIGHTS: Final = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
"""All rights on files that a version of the interface knows: each must be named to be taken away."""
_SYSTEM: Final = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")


class _Rule(ctypes.Structure):
    """struct landlock_path_beneath_attr."""

    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """The version of the interface that this kernel has; 0 for none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None).syscall(_CREATE, None, ctypes.c_size_t(0), _ASK_VERSION)))


def libraries() -> list[Path]:
    """Where Python and everything that can be imported is."""
    found = [Path(entry) for entry in (sys.prefix, sys.base_prefix, *sys.path, *_SYSTEM) if entry]
    return [path for path in dict.fromkeys(path.resolve() for path in found) if path.exists() and path != Path("/")]


def restrict(readable: Sequence[Path]) -> None:
    """From now on and for ever this process reads these files and folders alone, and writes to what is open.

    `seccomp.refuse_new_privileges` comes first.

    Raises:
        OSError: The kernel refuses.
    """
    rights = _RIGHTS[min(version(), max(_RIGHTS))]
    rules = _call(_CREATE, ctypes.byref(ctypes.c_uint64(rights)), ctypes.c_size_t(8), 0)
    try:
        for path in readable:
            held = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                rule = _Rule(_READ_FILE | _READ_FOLDER if path.is_dir() else _READ_FILE, held)
                _call(_ADD, rules, _BENEATH, ctypes.byref(rule), 0)
            finally:
                os.close(held)
        _call(_RESTRICT, rules, 0)
    finally:
        os.close(rules)


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"landlock: {os.strerror(ctypes.get_errno())}")
    return result
