"""How many cores this process may use, which is not how many the machine has."""

import os
from pathlib import Path
from typing import Final

MOST: Final = 4
"""Two were measured, to be nearly twice as fast as one; whoever has more says so by INGEST_EMBED_THREADS."""
QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
"""Microseconds of processor that a container may use in each so many, or `max` (Linux, cgroup-v2.rst)."""


def cores(quota: Path = QUOTA) -> int:
    """Cores that the process may run on and its container is granted, 1 to 4.

    A thread beyond the quota would have the kernel halt all of them for the rest of each period, those that search too.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, _granted(quota), MOST))


def _granted(quota: Path) -> int:
    try:
        most, period = quota.read_text().split()
        return int(most) // int(period)
    except (OSError, ValueError):
        return MOST
