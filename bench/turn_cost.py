"""What a turn costs besides its tokens, before and after a change: two checkouts side by side, loaded by turns.

    git worktree add ../before REVISION && make -C ../before sync install
    make bench b=turn_cost ARGS="--before ../before --rounds 10"     # a minute and a half
    make bench b=turn_cost                                           # this checkout alone

Both platforms run all the time under the same simulated model. Each round loads one after the other with 200 answers of
one token, 20 at a time, by turns; a round before is not counted. Figures are medians of the CPU of every process by the
kernel's own clocks, and of the difference in each round: what else the machine does strikes both of a pair alike.
"""

import argparse
import json
import signal
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from token_path import LIMITS, Scenario, Target, load, start_platform, start_upstream
from token_tables import head, row

PROCESSES = ("filter", "gateway", "inference", "learning", "nats", "postgres")
SETTLE_S = 2.5


def spent(report: dict[str, Any]) -> dict[str, float]:
    """ms of CPU a turn, by process, and of all."""
    cost = {name: seconds / report["answers"] * 1000 for name, seconds in report["cpu_s"].items()}
    return {**{name: cost.get(name, 0.0) for name in PROCESSES}, "all": sum(cost.values())}


def rows(found: dict[str, list[dict[str, float]]]) -> list[str]:
    """One row a checkout, and one of the differences of pairs."""
    lines = list(head(["ms CPU a turn of one token", *PROCESSES, "all"]))
    for name, rounds in found.items():
        lines.append(row([name, *(f"{median(each[part] for each in rounds):.2f}" for part in (*PROCESSES, "all"))]))
    if len(found) == 2:
        pairs = list(zip(*found.values(), strict=True))
        parts = (median(after[part] - before[part] for before, after in pairs) for part in (*PROCESSES, "all"))
        lines.append(row(["after - before, of pairs", *(f"{part:+.2f}" for part in parts)]))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--before", type=Path, help="another checkout, installed")
    add("--rounds", type=int, default=6)
    add("--streams", type=lambda text: [int(text)], default=[20], help="answers at a time")
    add("--json", action="store_true", help="print every round instead of the table")
    parser.set_defaults(fake="", shared="", gateways=1, workers=1)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended then too
    turns = Scenario("turns", given.streams[0], 1, 0, 200 // given.streams[0])
    with ExitStack() as stack:
        upstream = start_upstream(stack, given)
        pythons = {"before": given.before / ".venv" / "bin" / "python"} if given.before else {}
        pythons["after"] = Path(sys.executable)
        targets = {name: patient(start_platform(stack, upstream.url, given, pythons[name])) for name in pythons}
        found = measure(targets, turns, given.rounds)
    if given.json:
        json.dump({"limits": LIMITS, "rounds": found}, sys.stdout, indent=1)
        return
    print("\n".join(rows(found)))


def patient(target: Target) -> Target:
    """Facts are counted some time after their turn, which belongs to what it costs."""
    return replace(target, options=(*target.options, "--settle-s", f"{SETTLE_S}"))


def measure(targets: dict[str, Target], turns: Scenario, rounds: int) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in targets}
    for number in range(rounds + 1):
        for name in list(targets) if number % 2 else reversed(targets):
            report = load(targets[name], turns)
            if report["errors"]:
                sys.exit(f"{name}: {report['errors']}")
            if number:
                found[name].append(spent(report))
                print(
                    f"{name:>6} {found[name][-1]['all']:6.2f} ms, first {report['first_ms']['p50']} ms", file=sys.stderr
                )
    return found


if __name__ == "__main__":
    main()
