"""The runs of bench/token_path.py as Markdown."""

import os
import statistics
from collections.abc import Iterator
from typing import Any

Run = dict[str, Any]


class Found:
    """The runs of one target in one scenario, as medians."""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def ms(self, what: str, point: str) -> float:
        return median([run[what][point] for run in self.runs])

    def spent(self, name: str = "") -> float:
        """CPU seconds in a run, of one process or of all."""
        return median([run["cpu_s"].get(name, 0.0) if name else sum(run["cpu_s"].values()) for run in self.runs])

    def count(self, what: str) -> float:
        """Tokens or answers in a run."""
        return median([run[what] for run in self.runs])

    @property
    def tokens_a_second(self) -> float:
        return median([run["tokens"] / run["wall_s"] for run in self.runs])

    @property
    def rss_mib(self) -> float:
        return median([sum(run["rss_mib"].values()) for run in self.runs])

    @property
    def errors(self) -> str:
        count = sum(sum(run["errors"].values()) for run in self.runs)
        return f"{count} of {sum(run['answers'] for run in self.runs)}"


Scenarios = dict[str, dict[str, Found]]


def median(values: list[Any]) -> float:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else float("nan")


def gather(runs: list[Run]) -> Scenarios:
    """By scenario, then by target, both in the order in which they ran."""
    found: Scenarios = {}
    for run in runs:
        found.setdefault(run["scenario"], {}).setdefault(run["target"], Found()).runs.append(run)
    return found


def tables(runs: list[Run]) -> str:
    found = gather(runs)
    lines = [*latencies(found), "", *costs(found)]
    return "\n".join(lines)


def latencies(found: Scenarios) -> Iterator[str]:
    times = ["first token + ms p50 / p99", "each token + ms p50 / p99"]
    yield from head(["load", "through", *times, "tokens/s", "CPU s per 1,000 tokens", "RSS MiB", "errors"])
    for name, targets in found.items():
        for target, runs in targets.items():
            yield row([name, target, *figures(runs)])


def figures(runs: Found) -> Iterator[str]:
    for what in ("first_ms", "token_ms"):
        yield f"{runs.ms(what, 'p50'):.1f} / {runs.ms(what, 'p99'):.1f}"
    yield f"{runs.tokens_a_second:,.0f}"
    yield f"{runs.spent() / runs.count('tokens') * 1000:.3f}"
    yield f"{runs.rss_mib:.0f}"
    yield runs.errors


def costs(found: Scenarios) -> Iterator[str]:
    """Where the platform's CPU goes, and what is left of it without what turns of one token cost.

    An estimate: turns that begin at once, as in "turns", share reads and writes otherwise than those among tokens. On
    answers that come flat out it may fall below zero.
    """
    ours = {name: targets["lumora"] for name, targets in found.items() if "lumora" in targets}
    if not ours:
        return
    names = sorted({name for runs in ours.values() for run in runs.runs for name in run["cpu_s"]})
    yield from head(["Lumora's CPU", *names, "all", "without the turns"])
    a_turn_ms = float("nan")
    if "turns" in ours:
        turns = ours["turns"]
        shares = [turns.spent(name) / turns.count("answers") * 1000 for name in ["", *names]]
        a_turn_ms = shares[0]
        yield row(["ms a turn of one token", *(f"{share:.1f}" for share in [*shares[1:], shares[0]]), "-"])
    for name, runs in ours.items():
        if name == "turns":
            continue
        per_1k = 1000 / runs.count("tokens")
        spent = [runs.spent(process) * per_1k for process in [*names, ""]]
        rest = spent[-1] - a_turn_ms / 1000 * runs.count("answers") * per_1k
        yield row([f"s per 1,000 tokens, {name}", *(f"{seconds:.3f}" for seconds in [*spent, rest])])


def machine(runs: list[Run]) -> str:
    loads = sorted(run["load_average"] for run in runs)
    return f"{os.cpu_count()} CPUs, load average {loads[0]:.1f} to {loads[-1]:.1f}"


def head(names: list[str]) -> Iterator[str]:
    yield row(names)
    yield row(["---"] * len(names))


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
