"""The only way to consume jobs: durable pull, one message a slot, heartbeat, scope, decided outcome.

A slot is one FastStream subscriber with a batch of one; N slots are N subscribers on the same durable. Larger
batches make fast messages wait for slow ones, `max_workers` fetches more than it works on. What ends a delivery is
decided here alone.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import nats.errors
import nats.js.errors
from faststream import AckPolicy
from faststream.nats import JStream, NatsMessage, PullSub
from nats.aio.msg import Msg
from pydantic import ValidationError

from contracts import subjects
from contracts.base import Contract, Job
from contracts.channel import Work
from contracts.ids import EventId
from contracts.streams import Consumer
from contracts.streams import consumer as find_consumer
from runtime import counters, logs, metrics, nats_permissions
from runtime.bus import EVENT_ID, MESSAGE_ID, SCHEMA, Bus, whole_message
from runtime.errors import NotNow, Rejected, Retryable, Unavailable, Unreadable
from runtime.tenancy import TenantScope

JobT = TypeVar("JobT", bound=Job)
Handler = Callable[[Any, TenantScope, EventId], Awaitable[None]]
GiveUp = Callable[[Any, TenantScope, Exception], Awaitable[None]]

PULL_S = 3.0
WATCH_S = 10.0
NOBODY_THERE_S = 1.0
COUNT_S = 1.0
"""So long a failed try waits until the broker has counted it."""
JITTER = (0.8, 1.2)
LONGEST_ASKED_S = 300.0

_log = logs.get_logger()


class Consumption:
    """One durable's handlers, slots and watchdog."""

    def __init__(self, bus: Bus, consumer: Consumer, *, slots: int, give_up: GiveUp | None) -> None:
        self._bus = bus
        self._consumer = consumer
        self._handlers: dict[str, tuple[type[Contract], Handler]] = {}
        self._give_up = give_up
        self._is_missing = False
        stream = JStream(consumer.stream, declare=False)
        self._slots = [self._slot(stream) for _ in range(slots)]

    def _slot(self, stream: JStream) -> Any:
        subscriber = self._bus.broker.subscriber(
            self._consumer.filter_subjects[0] if self._consumer.filter_subjects else ">",
            stream=stream,
            durable=self._consumer.name,
            pull_sub=PullSub(batch_size=1, timeout=PULL_S),
            inbox_prefix=f"{nats_permissions.inbox_prefix(self._bus.service)}.".encode(),
            no_reply=True,
            ack_policy=AckPolicy.MANUAL,
            decoder=whole_message,
        )
        subscriber(self._deliver)
        return subscriber

    def on(self, prefix: str, model: type[Contract], handler: Handler) -> None:
        """Messages whose subject starts with `prefix` go to `handler`."""
        self._handlers[prefix] = (model, handler)

    async def stop(self) -> None:
        """Fetch no more; returns when running deliveries have ended."""
        await asyncio.gather(*(slot.stop() for slot in self._slots))

    async def watch(self) -> None:
        """Ask every 10 s whether the durable still exists; subscribe again when it is back. Runs until cancelled."""
        for slot in self._slots:
            _make_patient(slot)
        while True:
            await asyncio.sleep(WATCH_S)
            with contextlib.suppress(nats.errors.Error, TimeoutError, OSError):
                await self._look()

    async def _look(self) -> None:
        jetstream = self._bus.nc.jetstream(timeout=2)
        try:
            await jetstream.consumer_info(self._consumer.stream, self._consumer.name)
        except nats.js.errors.NotFoundError:
            metrics.CONSUMERS_MISSING.inc(0 if self._is_missing else 1)
            self._is_missing = True
            _log.warning("consumer.missing", stream=self._consumer.stream, consumer=self._consumer.name)
            return
        if self._is_missing:
            self._is_missing = False
            metrics.CONSUMERS_MISSING.dec()
            for slot in self._slots:
                await slot.stop()
                await slot.start()
                _make_patient(slot)
            _log.info("consumer.back", stream=self._consumer.stream, consumer=self._consumer.name)

    # ---- one delivery -----------------------------------------------------------------------------------------

    async def _deliver(self, message: NatsMessage) -> None:
        await self.deliver(message.raw_message)

    async def deliver(self, raw: Msg) -> None:
        """Handle one message and end its delivery, whatever comes."""
        beating = asyncio.create_task(self._beat(raw))
        try:
            outcome = await self._handle(raw)
        except asyncio.CancelledError:
            outcome = "cancelled"  # shutdown: unacknowledged, so it is delivered elsewhere
            raise
        except NotNow as error:
            outcome = await self._postpone(raw, error)
        except Exception as error:  # noqa: BLE001 - every failure is decided here
            outcome = await self._fail(raw, error)
        finally:
            beating.cancel()
        metrics.DELIVERIES.labels(self._consumer.name, outcome).inc()

    async def _handle(self, raw: Msg) -> str:
        _, handler, _, _ = self._open(raw)
        await handler(*self.read(raw))
        await acknowledge(raw)
        return "done"

    def read(self, raw: Msg) -> tuple[Any, TenantScope, EventId]:
        """What a handler gets of a message.

        Raises:
            Unreadable: nobody here reads it, or it is not what its subject says.
        """
        model, _, scope, event_id = self._open(raw)
        try:
            return model.read(raw.data), scope, event_id
        except ValidationError as error:
            raise Unreadable(f"not a {model.__name__}") from error

    def _open(self, raw: Msg) -> tuple[type[Contract], Handler, TenantScope, EventId]:
        found = next((pair for prefix, pair in self._handlers.items() if raw.subject.startswith(prefix)), None)
        if found is None:
            raise Unreadable(f"nobody here reads {raw.subject.split('.', 3)[:3]}")
        try:
            scope = TenantScope.from_subject(raw.subject, self._bus.service)
            return *found, scope, EventId(UUID((raw.headers or {})[EVENT_ID]))
        except (KeyError, ValueError) as error:
            raise Unreadable("no tenant or no Event-Id") from error

    async def _beat(self, raw: Msg) -> None:
        while True:
            await asyncio.sleep(self._consumer.retry.heartbeat_s)
            with contextlib.suppress(nats.errors.Error, OSError):
                await raw.in_progress()

    async def _postpone(self, raw: Msg, error: NotNow) -> str:
        if raw.metadata.num_delivered >= error.until_delivery:
            await acknowledge(raw)
            return "left_to_reconciler"
        await raw.nak(delay=error.delay_s)
        return "postponed"

    async def _fail(self, raw: Msg, error: Exception) -> str:
        failed = 0 if isinstance(error, Rejected) else await self._failed_tries(raw)
        if failed:
            delay_s = _delay_s(self._consumer.retry.delays_s[failed - 1], error)
            _log.warning(
                "delivery.retry",
                consumer=self._consumer.name,
                attempt=failed,
                delay_s=round(delay_s, 1),
                exc_info=error,
            )
            with contextlib.suppress(nats.errors.Error, OSError):  # not heard: ack_wait brings it back
                await raw.nak(delay=delay_s)
            return "retried"
        try:
            await self._close(raw, error)
        except Retryable:
            # What it leaves open cannot be closed either, so it is still to be done: the reconciler brings it again.
            await acknowledge(raw)
            return "left_to_reconciler"
        except Exception as later:  # noqa: BLE001 - not closed and not acknowledged: it comes again
            _log.warning("delivery.unclosed", consumer=self._consumer.name, exc_info=later)
            return "unburied"
        try:
            await self._bury(raw, error)
        except Exception as later:  # noqa: BLE001 - neither buried nor acknowledged: it comes again
            _log.warning("delivery.unburied", consumer=self._consumer.name, exc_info=later)
            return "unburied"
        return "dead"

    async def _failed_tries(self, raw: Msg) -> int:
        """How often a handler failed at this message, this time included; 0 when it is not to be tried again.

        What the broker counts are deliveries, also those that ended with their process. Where the tries cannot be
        counted, those are taken instead.
        """
        metadata, retry = raw.metadata, self._consumer.retry
        stored_ms = int(metadata.timestamp.timestamp() * 1000)
        counter = subjects.tries(metadata.stream, metadata.consumer, metadata.sequence.stream, stored_ms)
        try:
            failed = await counters.add(self._bus, counter, 1, timeout_s=COUNT_S)
        except Unavailable:
            failed = metadata.num_delivered
        is_last = failed >= retry.attempts or metadata.num_delivered >= retry.max_deliver
        return 0 if is_last else failed

    async def _close(self, raw: Msg, error: Exception) -> None:
        """Let the owner close what the job leaves open."""
        if self._give_up is not None and not isinstance(error, Unreadable):
            model, _, scope, _ = self._open(raw)
            await self._give_up(model.read(raw.data), scope, error)

    async def _bury(self, raw: Msg, error: Exception) -> None:
        """Copy to the DLQ, and only after its PubAck terminate."""
        metadata = raw.metadata
        kept = {name: value for name, value in (raw.headers or {}).items() if name in {EVENT_ID, SCHEMA, "traceparent"}}
        await self._bus.publish(
            subjects.dead_letter(metadata.stream, metadata.consumer),
            raw.data,
            stream="DLQ",
            headers=kept
            | {
                MESSAGE_ID: f"{metadata.stream}:{metadata.sequence.stream}",
                "Dlq-Reason": type(error).__name__,
                "Dlq-Subject": raw.subject,
            },
        )
        await raw.term()
        _log.error("delivery.dead", consumer=self._consumer.name, reason=type(error).__name__, exc_info=error)


def _make_patient(slot: Any) -> None:
    """Let a slot rest when nobody answers its fetch: FastStream asks again at once, thousands of times a second.

    So it is as long as the durable is missing, and while JetStream comes up after a restart.
    """
    fetch = slot.subscription.fetch

    async def patient(*args: Any, **options: Any) -> list[Msg]:
        try:
            messages: list[Msg] = await fetch(*args, **options)
        except nats.js.errors.ServiceUnavailableError:
            await asyncio.sleep(NOBODY_THERE_S)
            raise
        return messages

    slot.subscription.fetch = patient


def _delay_s(usual_s: float, error: Exception) -> float:
    """The consumer's own delay, or the one that whoever failed asked for: never earlier, believed up to 5 minutes."""
    asked_s = min((error.retry_after_s if isinstance(error, Retryable) else None) or 0.0, LONGEST_ASKED_S)
    least, most = JITTER
    if asked_s > usual_s * most:
        return asked_s * random.uniform(1.0, most)  # noqa: S311 - no secret
    return max(asked_s, usual_s * random.uniform(least, most))  # noqa: S311 - no secret


async def acknowledge(raw: Msg) -> None:
    """Twice if need be, and heard by the server: an ack lost on the way would deliver the message again."""
    for _ in range(2):
        with contextlib.suppress(nats.errors.Error, TimeoutError, OSError):
            await raw.ack_sync(timeout=2)
            return


def consume_work(
    bus: Bus,
    work: Work[JobT],
    handler: Callable[[JobT, TenantScope, EventId], Awaitable[None]],
    *,
    slots: int,
    give_up: GiveUp | None = None,
) -> Consumption:
    """Do the jobs of a queue, `slots` at a time. `give_up` closes what a job that is dead-lettered leaves open."""
    consumption = Consumption(bus, find_consumer(work.stream, work.queue), slots=slots, give_up=give_up)
    consumption.on(subjects.job_prefix(work), work.model, handler)
    return consumption
