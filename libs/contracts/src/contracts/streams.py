"""JetStream streams and consumers as data, derived from the registry; the provisioner makes what stands here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from contracts import registry, subjects

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
GIB, MIB = 1 << 30, 1 << 20


@dataclass(frozen=True)
class Stream:
    """Ages and windows in seconds, sizes in bytes; -1 is no limit."""

    name: str
    subjects: tuple[str, ...]
    max_age_s: float
    retention: Literal["limits", "workqueue"] = "limits"
    storage: Literal["file", "memory"] = "file"
    max_msgs_per_subject: int = -1
    max_bytes: int = -1
    is_new_discarded_per_subject: bool = False
    dedupe_s: float = 120.0
    is_async_persisted: bool = False
    is_counter: bool = False
    is_direct: bool = False


@dataclass(frozen=True)
class Retry:
    """How a failing message is tried again: seconds before each further attempt, jittered by the consumer."""

    ack_wait_s: float
    heartbeat_s: float
    delays_s: tuple[float, ...]
    max_deliver: int

    @property
    def attempts(self) -> int:
        return len(self.delays_s) + 1


@dataclass(frozen=True)
class Consumer:
    """A durable pull consumer of one service."""

    name: str
    stream: str
    owner: str
    filter_subjects: tuple[str, ...]
    retry: Retry


RETRY_ANSWER = Retry(10, 2.5, (1, 5), 5)
RETRY_WORK = Retry(10, 2.5, (5, 30, 2 * MINUTE, 10 * MINUTE), 20)
"""More deliveries than attempts that a document has: a worker that is killed again and again for reasons of its own
takes the same few jobs first in each life."""
RETRY_EVENTS = Retry(30, 10, (1, 5, 30, 2 * MINUTE, 10 * MINUTE), 8)

WALL = 2
"""Postgres admits `running_per_tenant` answers; the broker's own cap is the wall behind it.

It stands further off because whoever ends an answer enqueues the next one before its own job is acknowledged: at the
same height that one would wait for the outbox's next round.
"""

_QUEUE_LIMITS = {"ANSWER": (HOUR, 8), "INGEST": (DAY, 4)}


def streams(running_per_tenant: int = 8) -> tuple[Stream, ...]:
    """Every stream; `running_per_tenant` is how many answers of one tenant may wait or run in the broker."""
    queues = []
    for work in registry.works():
        age, cap = _QUEUE_LIMITS[work.stream]
        queues.append(
            Stream(
                work.stream,
                (subjects.job_filter(work),),
                max_age_s=age,
                retention="workqueue",
                max_msgs_per_subject=WALL * running_per_tenant if work.stream == "ANSWER" else cap,
                is_new_discarded_per_subject=True,
            )
        )
    return (
        *queues,
        Stream("EVENTS", ("evt.>",), max_age_s=7 * DAY, max_bytes=4 * GIB, dedupe_s=10 * MINUTE),
        Stream(
            "TOKENS",
            ("tok.*.*.*",),
            max_age_s=15 * MINUTE,
            max_msgs_per_subject=20_000,
            max_bytes=512 * MIB,
            is_async_persisted=True,
            is_direct=True,
        ),
        Stream("RATE", ("rate.*.*",), max_age_s=3 * MINUTE, storage="memory", max_msgs_per_subject=1, is_counter=True),
        Stream(
            "TRIES",
            ("try.*.*.*",),
            max_age_s=HOUR,
            storage="memory",
            max_msgs_per_subject=1,
            max_bytes=16 * MIB,
            is_counter=True,
        ),
        Stream("DLQ", ("dlq.>",), max_age_s=30 * DAY, max_bytes=GIB, dedupe_s=HOUR),
        Stream(
            "ADVISORY",
            (
                "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",
                "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>",
            ),
            max_age_s=7 * DAY,
            max_bytes=64 * MIB,
        ),
    )


def consumers() -> tuple[Consumer, ...]:
    """Every durable consumer: one for each work queue, one for each service that consumes facts, one for advisories."""
    return (*_work_consumers(), *_event_consumers(), _advisories())


def _work_consumers() -> Iterator[Consumer]:
    for work in registry.works():
        retry = RETRY_ANSWER if work.stream == "ANSWER" else RETRY_WORK
        yield Consumer(work.queue, work.stream, work.owner, (subjects.job_filter(work),), retry)


def _event_consumers() -> Iterator[Consumer]:
    wanted: dict[str, list[str]] = {}
    for fact in registry.facts():
        for service in fact.consumers:
            wanted.setdefault(service, []).append(subjects.fact_filter(fact))
    for service, filters in sorted(wanted.items()):
        yield Consumer(service, "EVENTS", service, tuple(sorted(filters)), RETRY_EVENTS)


def _advisories() -> Consumer:
    return Consumer("operator", "ADVISORY", "operator", (), RETRY_EVENTS)


def consumer(stream: str, name: str) -> Consumer:
    """Raises KeyError when nobody declared it."""
    for found in consumers():
        if (found.stream, found.name) == (stream, name):
            return found
    raise KeyError(f"{stream}/{name}")
