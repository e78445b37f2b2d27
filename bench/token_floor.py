"""Where the token path's CPU goes: the barest pipeline, what each guarantee adds to it, and the platform.

    make bench b=token_floor                                 # 20 and 100 paced streams, three times: about 15 minutes
    uv run python bench/token_floor.py --streams 100 --repeats 5
    uv run python bench/token_floor.py --streams 20,100 --floors "kept,receipts;kept,receipts,alone"   # ADR 14

In one run, in turns and under the same load: a plain relay in one process (bench/peers/relay.py), floors
(bench/peers/floor.py: worker, broker, filter, broker, gateway, with nothing in them but the way and what `--floors`
names) and the platform. `without its turns` takes off what as many answers of one token cost, process by process; the
rest of the platform above the last floor is what order, fencing, limits, resume and metrics cost. All are medians.
"""

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from token_path import (
    BENCH,
    LIMITS,
    Scenario,
    Target,
    free_ports,
    measure,
    running,
    start_platform,
    start_relay,
    start_upstream,
)
from token_tables import Found, Run, gather, head, latencies, machine, row

PATH = ("inference", "filter", "gateway", "nats")


FLOORS = ";kept;kept,receipts;kept,receipts,rules"


def start_floor(stack: ExitStack, upstream: str, added: str) -> Target:
    port = free_ports(2)
    command = [sys.executable, str(BENCH / "peers" / "floor.py"), "--port", str(port), "--upstream", upstream]
    command += ["--with", added]
    floor = stack.enter_context(running(command, stdout=subprocess.PIPE))
    assert floor.stdout is not None
    if "ready\n" not in floor.stdout:
        sys.exit("the floor did not get ready")
    return Target(f"floor {added}".strip(), f"http://127.0.0.1:{port}", floor.pid)


class Spent:
    """CPU of one target in one scenario, s per 1,000 tokens."""

    def __init__(self, runs: Found, turns: Found) -> None:
        self._runs, self._turns = runs, turns

    def of(self, process: str = "") -> float:
        """Of one process, or of all."""
        return self._runs.spent(process) / self._runs.count("tokens") * 1000

    def without_turns(self, process: str = "") -> float:
        a_turn = self._turns.spent(process) / self._turns.count("answers")
        return self.of(process) - a_turn * self._runs.count("answers") / self._runs.count("tokens") * 1000


def rows(runs: list[Run]) -> Iterator[str]:
    found = gather(runs)
    turns = found.pop("turns")
    yield from head(["CPU s per 1,000 tokens", "through", *PATH, "other processes", "all"])
    for name, targets in found.items():
        spent = {target: Spent(runs, turns[target]) for target, runs in targets.items()}
        for target, figures in spent.items():
            yield row([name, target, *_cells(figures.of)])
        yield row([f"{name}, without its turns", "lumora", *_cells(spent["lumora"].without_turns)])


def _cells(spent: Callable[..., float]) -> Iterator[str]:
    known = [spent(process) for process in PATH]
    yield from (f"{seconds:.3f}" for seconds in [*known, spent() - sum(known), spent()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--streams", type=lambda text: [int(part) for part in text.split(",")], default=[20, 100])
    add("--tokens", type=int, default=200, help="of an answer")
    add("--rounds", type=int, default=2, help="answers one after another in each stream")
    add("--repeats", type=int, default=3)
    add("--floors", default=FLOORS, help="what each floor adds to the way, parted by semicolons")
    add("--json", action="store_true", help="print every run instead of the tables")
    parser.set_defaults(fake="", shared="", gateways=1, workers=1)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    paced = [Scenario(f"paced {streams}", streams, given.tokens, 50, given.rounds) for streams in given.streams]
    with ExitStack() as stack:
        upstream = start_upstream(stack, given)
        floors = [start_floor(stack, upstream.url, added) for added in given.floors.split(";")]
        targets = [start_relay(stack, upstream.url), *floors, start_platform(stack, upstream.url, given)]
        runs = measure(targets, [Scenario("turns", 20, 1, 0, 10), *paced], given.repeats)
    if given.json:
        json.dump({"limits": LIMITS, "runs": runs}, sys.stdout, indent=1)
        return
    print(f"Medians of {given.repeats} runs; {machine(runs)}.\n")
    print("\n".join([*latencies(gather(runs)), "", *rows(runs)]))


if __name__ == "__main__":
    main()
