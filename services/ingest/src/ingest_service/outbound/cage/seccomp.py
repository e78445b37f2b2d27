"""Which calls a process may still make of the Linux kernel: seccomp's mode 2, seccomp(2).

What is not on the list is refused with EPERM, as a missing permission is: no socket, no program, no second process, no
signal to another one, no file for writing. The list holds what CPython, glibc and C extensions need to compute, to
allocate, and to import a module that they find missing.
"""

import ctypes
import errno
import platform
import struct
import sys
from typing import Final

_PR_GET_SECCOMP, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 21, 22, 38
_MODE_FILTER: Final = 2
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER_AT, _MACHINE_AT, _THIRD_ARGUMENT_AT = 0, 4, 32
"""Offsets in struct seccomp_data; the lower half of the third argument, as both machines are little endian."""
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_WRITES: Final = 0o3 | 0o100 | 0o1000
"""O_WRONLY, O_RDWR, O_CREAT, O_TRUNC: the same on both machines."""
_NEW: Final = 424
"""From here on numbers are the same on every machine and the calls younger than 2019: who uses one has another way for
older kernels, and takes it when told ENOSYS (clone3, openat2, io_uring, pidfd_open)."""

_X86_64: Final = {
    "read": 0, "write": 1, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "lseek": 8, "mmap": 9, "mprotect": 10,
    "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "readv": 19,
    "writev": 20, "access": 21, "sched_yield": 24, "mremap": 25, "mincore": 27, "madvise": 28, "dup": 32,
    "nanosleep": 35, "getpid": 39, "exit": 60, "uname": 63, "fcntl": 72, "getcwd": 79, "readlink": 89,
    "gettimeofday": 96, "getrusage": 98, "sysinfo": 99, "times": 100, "getuid": 102, "getgid": 104, "geteuid": 107,
    "getegid": 108, "sigaltstack": 131, "arch_prctl": 158, "gettid": 186, "time": 201, "futex": 202,
    "sched_getaffinity": 204, "getdents64": 217, "restart_syscall": 219, "fadvise64": 221, "clock_gettime": 228,
    "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "newfstatat": 262, "readlinkat": 267,
    "faccessat": 269, "set_robust_list": 273, "getrandom": 318, "membarrier": 324, "statx": 332, "rseq": 334,
}  # fmt: skip
_AARCH64: Final = {
    "getcwd": 17, "dup": 23, "fcntl": 25, "faccessat": 48, "close": 57, "getdents64": 61, "lseek": 62, "read": 63,
    "write": 64, "readv": 65, "writev": 66, "pread64": 67, "readlinkat": 78, "newfstatat": 79, "fstat": 80, "exit": 93,
    "exit_group": 94, "futex": 98, "set_robust_list": 99, "nanosleep": 101, "clock_gettime": 113, "clock_getres": 114,
    "clock_nanosleep": 115, "sched_getaffinity": 123, "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132,
    "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "times": 153, "uname": 160, "getrusage": 165,
    "gettimeofday": 169, "getpid": 172, "getuid": 174, "geteuid": 175, "getgid": 176, "getegid": 177, "gettid": 178,
    "sysinfo": 179, "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222, "fadvise64": 223, "mprotect": 226,
    "mincore": 232, "madvise": 233, "getrandom": 278, "membarrier": 283, "statx": 291, "rseq": 293,
}  # fmt: skip
_MACHINES: Final = {"x86_64": (0xC000003E, 257, _X86_64), "aarch64": (0xC00000B7, 56, _AARCH64)}
"""Kernel's name of the machine, number of `openat`, and the list."""


def is_available() -> bool:
    """Whether this kernel and machine can do it."""
    if sys.platform != "linux" or platform.machine() not in _MACHINES:
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) == 0)


def refuse_new_privileges() -> None:
    """No program that this process or a child runs may gain rights: the condition for `restrict` without any."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def restrict() -> None:
    """From now on and for ever this thread may compute, allocate, read, and write to what is open.

    Raises:
        OSError: The kernel refuses the filter.
    """
    program = _program(*_MACHINES[platform.machine()])
    held = ctypes.create_string_buffer(program, len(program))
    _prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(_Program(len(program) // 8, ctypes.addressof(held))))


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def _program(machine: int, openat: int, allowed: dict[str, int]) -> bytes:
    """Berkeley packet filter: each step is a code, how far to jump when true and when false, and an operand."""
    numbers = sorted(allowed.values())
    refuse = len(numbers)
    steps = [
        (_LOAD, 0, 0, _MACHINE_AT),
        (_IF_EQUAL, 1, 0, machine),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_IF_AT_LEAST, refuse + 5, 0, _NEW),
        (_IF_EQUAL, refuse + 1, 0, openat),
        *((_IF_EQUAL, refuse - place + 2, 0, number) for place, number in enumerate(numbers)),
        (_RETURN, 0, 0, _REFUSE | errno.EPERM),
        (_LOAD, 0, 0, _THIRD_ARGUMENT_AT),
        (_IF_ANY_BIT, 2, 0, _WRITES),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE | errno.ENOSYS),
        (_RETURN, 0, 0, _REFUSE | errno.EPERM),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _prctl(option: int, value: int, pointer: object = 0) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, pointer, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {errno.errorcode.get(number, number)}")
