"""Prometheus metrics that every service has; its own ones stand in its own rooms."""

from prometheus_client import Counter, Gauge, Histogram

BROKER_ERRORS = Counter(
    "runtime_broker_errors_total", "Errors the NATS connection reported; a refused subject shows only here.", ["kind"]
)
CONSUMERS_MISSING = Gauge("runtime_consumers_missing", "Durable consumers that are declared and were not found.")
DELIVERIES = Counter("runtime_deliveries_total", "How deliveries of jobs and facts ended.", ["consumer", "outcome"])
RPC_SECONDS = Histogram(
    "runtime_rpc_seconds",
    "Time to answer an RPC.",
    ["verb", "outcome"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
OUTBOX_PUBLISHED = Counter("runtime_outbox_published_total", "Outbox rows published.", ["by"])
OUTBOX_REFUSED = Counter(
    "runtime_outbox_refused_total",
    "Tries to publish an outbox row that the broker refused: it stays, and is tried again after growing pauses.",
    ["schema", "reason"],
)
OUTBOX_WAITING = Gauge("runtime_outbox_waiting", "Outbox rows that the relay last found unpublished.")
RECONCILED = Counter("runtime_reconciled_total", "Unfinished rows put back into their queue.", ["queue"])
