"""Documents take the processor as others leave it: whoever waits for an answer goes first.

On Linux niceness alone does not do that since 6.6. Whoever runs may end its turn before one that wakes beside it is let
on, which takes up to 4 ms, and niceness counts only inside one session or container (autogroup, cgroup), of which each
service has its own. Since 6.12 a thread may ask for longer turns: these are interrupted by whoever wakes with a shorter
one, in whatever session. Older kernels take no notice of the wish.
"""

import ctypes
import os
import platform
import struct
import sys
from typing import Final

NICENESS: Final = 10
TURN_NS: Final = 100_000_000
"""The most that the kernel grants; the usual turn has 0.7 to 2.8 ms. Near its end a turn is not interrupted: with 30 ms
others waited longer."""
_SCHED_SETATTR: Final = {"x86_64": 314, "aarch64": 274}
"""Number of the system call by machine; glibc has a name for it since 2.41 only."""
_ATTRIBUTES: Final = "=IIQiIQQQ"
"""struct sched_attr: size, policy, flags, niceness, priority, runtime, deadline, period."""
_KEEP_POLICY: Final = 0x08


def give_way() -> None:
    """From now on this thread and what it starts give way; off Linux the whole process does."""
    niceness = os.nice(NICENESS)
    number = _SCHED_SETATTR.get(platform.machine())
    if sys.platform == "linux" and number is not None:
        size = struct.calcsize(_ATTRIBUTES)
        wish = struct.pack(_ATTRIBUTES, size, 0, _KEEP_POLICY, niceness, 0, TURN_NS, 0, 0)
        # who is refused it has its niceness all the same
        ctypes.CDLL(None).syscall(number, 0, wish, 0)
