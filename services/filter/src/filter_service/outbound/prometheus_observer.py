"""Counts on /metrics: kinds and outcomes, never a business or a text."""

from collections.abc import Callable

from prometheus_client import Counter, Gauge

VERDICTS = Counter("filter_verdicts_total", "Answers judged to their end, by outcome.", ["outcome"])
MATCHES = Counter("filter_matches_total", "Matches that were redacted or blocked in answers.", ["kind"])
INPUTS = Counter("filter_inputs_total", "Customers' texts checked.", ["outcome"])
IGNORED = Counter("filter_raw_ignored_total", "Raw messages that were left out.", ["reason"])
DROPPED = Counter("filter_streams_dropped_total", "Streams that were given up before their end.", ["reason"])
OPEN = Gauge("filter_open_streams", "Answers that this replica judges right now.")


class PrometheusObserver:
    """Implements `Observer`."""

    def ended(self, found: dict[str, int], *, is_blocked: bool) -> None:
        VERDICTS.labels("blocked" if is_blocked else "redacted" if found else "passed").inc()
        for kind, count in found.items():
            MATCHES.labels(kind).inc(count)

    def input_checked(self, *, is_allowed: bool) -> None:
        INPUTS.labels("allowed" if is_allowed else "blocked").inc()

    def ignored(self, reason: str) -> None:
        IGNORED.labels(reason).inc()

    def dropped(self, reason: str, streams: int) -> None:
        DROPPED.labels(reason).inc(streams)


def show_open_streams(count: Callable[[], int]) -> None:
    """Ask `count` whenever somebody looks at the metrics."""
    OPEN.set_function(count)
