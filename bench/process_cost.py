"""What processes cost: CPU seconds from the kernel's own clock of each, and memory, summed by name."""

import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass

import psutil

from lumora import plan

MIB = 2**20


@dataclass(frozen=True)
class Cost:
    """CPU seconds so far and resident MiB now, by process name."""

    cpu_s: dict[str, float]
    rss_mib: dict[str, float]

    def since(self, before: "Cost") -> dict[str, float]:
        return {name: spent - before.cpu_s.get(name, 0.0) for name, spent in self.cpu_s.items()}


def cost_of(root: int) -> Cost:
    """The process and everything below it. Processes of one name are summed: Postgres's sessions, replicas."""
    cpu_s: dict[str, float] = defaultdict(float)
    rss_mib: dict[str, float] = defaultdict(float)
    for process in [psutil.Process(root), *psutil.Process(root).children(recursive=True)]:
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            name = name_of(process, root)
            cpu_s[name] += cpu_seconds(process)
            rss_mib[name] += process.memory_info().rss / MIB
    return Cost(dict(cpu_s), dict(rss_mib))


def cpu_seconds(process: psutil.Process) -> float:
    """Exact to nanoseconds where the kernel lends its clock (clock_getcpuclockid(3)), else in steps of 10 ms."""
    try:
        return time.clock_gettime((~process.pid << 3) | 2)
    except OSError:
        times = process.cpu_times()
        return float(times.user + times.system)


def name_of(process: psutil.Process, root: int) -> str:
    command = process.cmdline()
    for service, module in plan.MODULES.items():
        if module in command:
            return service
    if any(part.endswith("peers/floor.py") for part in command) and process.pid != root:
        return next(part for part in command if part in plan.MODULES)
    line = " ".join(command)
    for server in ("nats-server", "postgres"):
        if server in line:
            return server.removesuffix("-server")
    return "supervisor" if process.pid == root else "other"
