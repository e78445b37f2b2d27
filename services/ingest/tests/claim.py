"""What a thread claims of the processor, as the kernel tells it."""

import ctypes
import os
import platform
import struct
from dataclasses import dataclass

from ingest_service.outbound.giving_way import NICENESS, TURN_NS

_SCHED_GETATTR = {"x86_64": 315, "aarch64": 275}
_SIZE = struct.calcsize("=IIQiIQQQ")


@dataclass(frozen=True)
class Claim:
    """`turn_ns` is 0 where the kernel knows no such thing (before 6.12)."""

    niceness: int
    turn_ns: int

    @classmethod
    def of(cls, thread: int) -> "Claim":
        """Of a thread, or of a process's first one; 0 is who asks."""
        told = ctypes.create_string_buffer(_SIZE)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(_SCHED_GETATTR[platform.machine()], thread, told, _SIZE, 0) != 0:
            raise OSError(ctypes.get_errno(), "sched_getattr")
        _, _, _, niceness, _, turn_ns, _, _ = struct.unpack("=IIQiIQQQ", told.raw)
        assert niceness == os.getpriority(os.PRIO_PROCESS, thread)
        return cls(niceness, turn_ns)

    def gives_way_to(self, other: "Claim") -> bool:
        """As documents shall: nicer, and in longer turns where there are any."""
        turn_ns = TURN_NS if other.turn_ns else 0
        return self == Claim(min(other.niceness + NICENESS, 19), turn_ns)
