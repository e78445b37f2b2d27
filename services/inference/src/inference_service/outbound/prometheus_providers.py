"""How the providers do, for /metrics."""

from contextlib import suppress
from typing import Final, Literal

from prometheus_client import Counter, Gauge

from inference_service.domain.breaker import State

BREAKER: Final = Gauge(
    "inference_breaker_state", "Of a model at a provider: 0 closed, 1 half open, 2 open.", ["provider", "model"]
)
FAILURES: Final = Counter(
    "inference_provider_failures_total",
    "Calls that a provider did not answer, or not to the end.",
    ["provider", "code"],
)
REFUSALS: Final = Counter(
    "inference_provider_refusals_total",
    "Calls that were not made: breaker open, bulkhead full.",
    ["provider", "reason"],
)
HEDGES: Final = Counter(
    "inference_hedges_total",
    "Second calls beside a silent one: started, and won by speaking first.",
    ["provider", "model", "event"],
)
_NUMBERS: Final[dict[State, int]] = {"closed": 0, "half_open": 1, "open": 2}


class PrometheusProviders:
    """Implements `Watch` and `HedgeWatch`."""

    def breaker(self, provider: str, model: str, state: State) -> None:
        BREAKER.labels(provider, model).set(_NUMBERS[state])

    def forgotten(self, provider: str, model: str) -> None:
        with suppress(KeyError):  # it was never told of
            BREAKER.remove(provider, model)

    def failed(self, provider: str, code: str) -> None:
        FAILURES.labels(provider, code).inc()

    def refused(self, provider: str, reason: Literal["breaker", "bulkhead"]) -> None:
        REFUSALS.labels(provider, reason).inc()

    def hedged(self, provider: str, model: str) -> None:
        HEDGES.labels(provider, model, "started").inc()

    def hedge_won(self, provider: str, model: str) -> None:
        HEDGES.labels(provider, model, "won").inc()
