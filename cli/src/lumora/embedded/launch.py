"""Becomes another program, as a child that does not outlive its parent and need not be root.

Run as a file (`python -I -S launch.py …`), so it imports nothing but the standard library and starts in milliseconds:

    launch.py --parent PID --death-signal 9 [--uid 65534 --gid 65534] [--reach PATH]… -- /path/to/program argument…

`--uid` and `--gid` drop root for good. A folder on the way to a `--reach` path may be closed to that user (a home
folder mostly is); then the one capability that passes closed folders is kept, instead of opening them to everyone.
"""

import argparse
import ctypes
import os
import resource
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

# Linux's numbers: prctl(2), capabilities(7) and capset(2).
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_CAP_VERSION_3 = 0x20080522

_OPEN_FILES = 65_536


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapData(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def closed_to_others(paths: Iterable[str]) -> bool:
    """Whether some folder above one of the absolute `paths` lets only its owner and group pass."""
    folders = {parent for path in paths for parent in Path(path).resolve().parents}
    return any(not folder.stat().st_mode & stat.S_IXOTH for folder in folders)


def _call(number: int, what: str) -> None:
    if number != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _held(libc: ctypes.CDLL) -> int:
    """The permitted capabilities 0-31 of this process, as bits."""
    header, data = _CapHeader(_CAP_VERSION_3, 0), (_CapData * 2)()
    _call(libc.capget(ctypes.byref(header), data), "capget")
    return int(data[0].permitted)


def _keep_only(libc: ctypes.CDLL, capability: int) -> None:
    bit = 1 << capability
    header, data = _CapHeader(_CAP_VERSION_3, 0), (_CapData * 2)()
    data[0] = _CapData(bit, bit, bit)
    _call(libc.capset(ctypes.byref(header), data), "capset")
    _call(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0), "prctl(PR_CAP_AMBIENT)")


def become(uid: int, gid: int, reach: Iterable[str]) -> None:
    """Drop root; keep the capability to pass closed folders only when a `reach` path needs it."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    passing = None
    if libc is not None and closed_to_others(reach):
        # Reading and passing is enough where the kernel grants it; containers usually grant the wider one alone.
        passing = _CAP_DAC_READ_SEARCH if _held(libc) >> _CAP_DAC_READ_SEARCH & 1 else _CAP_DAC_OVERRIDE
        _call(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl(PR_SET_KEEPCAPS)")
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if libc is not None and passing is not None:
        _keep_only(libc, passing)


def allow_many_files() -> None:
    """Raise the soft limit of open files: each socket is one, and shells mostly allow 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def die_with(parent: int, signal_number: int) -> None:
    """Have the kernel send us the signal when `parent` dies; leave at once if it already has."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        _call(libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        sys.exit("the supervisor is gone")


def main(arguments: list[str]) -> None:
    """Parse, drop what must be dropped, become the program."""
    parser = argparse.ArgumentParser(prog="launch.py")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--death-signal", type=int, required=True)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--reach", action="append", default=[])
    parser.add_argument("command", nargs="+")
    given = parser.parse_args(arguments)
    os.umask(0o077)
    allow_many_files()
    if given.uid is not None:
        become(given.uid, given.gid, given.reach)
    die_with(given.parent, given.death_signal)  # last: a change of user clears the setting
    os.execv(given.command[0], given.command)  # noqa: S606 - this is what the file is for


if __name__ == "__main__":
    main(sys.argv[1:])
