"""How the server of the embedding model does: for /metrics, and once in the log when it changes."""

from typing import Final

from prometheus_client import Counter, Gauge

from runtime import logs

AWAY: Final = Gauge("ingest_embedder_away", "1 while the server of an embedding model is left alone.", ["model"])
FAILURES: Final = Counter(
    "ingest_embedder_failures_total",
    "Questions to an embedding model that failed, were too slow, or not made.",
    ["model", "reason"],
)

_log = logs.get_logger()


class PrometheusEmbedder:
    """Implements `EmbedderWatch`."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def away(self, model: str, reason: str) -> None:
        FAILURES.labels(model, "away").inc()
        AWAY.labels(model).set(1)
        if self._said.get(model) != reason:
            self._said[model] = reason
            _log.warning("embedder.away", model=model, reason=reason)

    def back(self, model: str) -> None:
        AWAY.labels(model).set(0)
        if self._said.pop(model, None) is not None:
            _log.info("embedder.back", model=model)

    def slow(self, model: str) -> None:
        FAILURES.labels(model, "slow").inc()

    def refused(self, model: str) -> None:
        FAILURES.labels(model, "not_asked").inc()
