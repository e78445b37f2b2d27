"""How long `lumora up` takes, and what the idle platform holds in memory.

    make bench b=idle                        # first start, second start, 30 s of idling
    make bench b=idle ARGS="--no-demo --idle-s 10"

CPU seconds are those of all processes until `ready`: on a busy machine they say more than the clock does.
Columns: RSS (resident, shared pages counted in every process that maps them), PSS (shared pages divided among those
that map them: the honest sum) and CPU seconds used while idling. In MiB.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from lumora import plan
from tests.support.ports import free_ports

MIB = 2**20
LIMIT_MIB = 1024


@dataclass
class Started:
    """One run of `lumora up`."""

    process: "subprocess.Popen[str]"
    ready: dict[str, object]
    wall_s: float
    cpu_s: float


def start(data: str, *, has_demo: bool) -> Started:
    """From the shell's point of view: the seconds until the ready line is read."""
    demo = "--demo" if has_demo else "--no-demo"
    ports = ["--port", str(free_ports(1)), "--internal-port", str(free_ports(len(plan.MODULES)))]
    command = [sys.executable, "-m", "lumora", "up", "--json", demo, "--data", data, *ports]
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    for line in process.stdout:
        content = json.loads(line)
        if content["event"] == "ready":
            return Started(process, content, time.monotonic() - begin, cpu_of(process.pid))
        if content.get("level") == "error":
            print(content.get("sentence", content["event"]), file=sys.stderr)
    sys.exit("the platform did not get ready")


def cpu_of(supervisor: int) -> float:
    """CPU seconds of the supervisor, what runs below it, and what ran there and ended."""
    root = psutil.Process(supervisor)
    ended = root.cpu_times()
    running = sum(sum(process.cpu_times()[:2]) for process in (root, *root.children(recursive=True)))
    return running + ended.children_user + ended.children_system


def stop(started: Started) -> float:
    """Drain; returns the seconds it took."""
    begin = time.monotonic()
    started.process.send_signal(signal.SIGTERM)
    started.process.communicate()
    return time.monotonic() - begin


def name_of(process: psutil.Process, supervisor: int) -> str:
    """What a process is, for the table."""
    command = " ".join(process.cmdline())
    if process.pid == supervisor:
        return "supervisor"
    for service, module in plan.MODULES.items():
        if f" {module}" in command:
            return service
    return "nats" if "nats-server" in command else "postgres" if "postgres" in command else command[:20]


def measure(supervisor: int, idle_s: float) -> list[tuple[str, int, float, float, float]]:
    """(name, processes, RSS, PSS, CPU s while idling), Postgres's sessions summed."""
    root = psutil.Process(supervisor)
    processes = [root, *root.children(recursive=True)]
    before = {process.pid: sum(process.cpu_times()[:2]) for process in processes}
    time.sleep(idle_s)
    rows: dict[str, list[float]] = {}
    for process in processes:
        try:
            name, memory = name_of(process, supervisor), process.memory_full_info()
            used = sum(process.cpu_times()[:2]) - before[process.pid]
        except psutil.NoSuchProcess:  # a session of Postgres that ended; a zombie counts as one
            continue
        row = rows.setdefault(name, [0, 0, 0, 0])
        for place, value in enumerate((1, memory.rss / MIB, memory.pss / MIB, used)):
            row[place] += value
    return [(name, int(count), rss, pss, cpu) for name, (count, rss, pss, cpu) in rows.items()]


def report(rows: list[tuple[str, int, float, float, float]], idle_s: float) -> float:
    """Print the table; returns the sum of RSS."""
    print(f"{'process':<12}{'n':>4}{'RSS MiB':>10}{'PSS MiB':>10}{f'CPU s in {idle_s:g} s':>16}")
    for name, count, rss, pss, cpu in sorted(rows, key=lambda row: -row[2]):
        print(f"{name:<12}{count:>4}{rss:>10.1f}{pss:>10.1f}{cpu:>16.2f}")
    total = [sum(row[place] for row in rows) for place in range(1, 5)]
    print(f"{'all':<12}{int(total[0]):>4}{total[1]:>10.1f}{total[2]:>10.1f}{total[3]:>16.2f}")
    return total[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--idle-s", type=float, default=30)
    parser.add_argument("--settle-s", type=float, default=5, help="wait before measuring")
    parser.add_argument("--no-demo", action="store_true")
    given = parser.parse_args()
    data, running = tempfile.mkdtemp(prefix="lumora-idle-"), list[Started]()
    try:
        first = start(data, has_demo=not given.no_demo)
        drained_s = stop(first)
        second = start(data, has_demo=not given.no_demo)
        running.append(second)
        print(f"first start  {first.wall_s:5.1f} s, {first.cpu_s:5.1f} CPU s; drained in {drained_s:.1f} s")
        print(f"second start {second.wall_s:5.1f} s, {second.cpu_s:5.1f} CPU s; load {os.getloadavg()[0]:.1f}")
        time.sleep(given.settle_s)
        total = report(measure(second.process.pid, given.idle_s), given.idle_s)
        print(f"{total:.0f} MiB resident of {LIMIT_MIB} allowed: {'ok' if total <= LIMIT_MIB else 'TOO MUCH'}")
    finally:
        for started in running:
            stop(started)
        shutil.rmtree(data, ignore_errors=True)
    sys.exit(0 if total <= LIMIT_MIB else 1)


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[1])
    main()
