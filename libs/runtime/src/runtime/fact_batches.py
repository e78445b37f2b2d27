"""Consume facts by the batch: those of one business share a transaction, all of them the wait for an acknowledgement.

Facts are many and small, and nobody waits for them: what they cost is mostly the transaction and the acknowledgement
that each had for itself. Jobs are consumed one by one in `consume.py`, which also decides here how a delivery ends
that did not succeed within its batch.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.js.client import JetStreamContext

from contracts import subjects
from contracts.base import Event
from contracts.channel import Fact
from contracts.ids import EventId
from contracts.streams import Consumer
from contracts.streams import consumer as find_consumer
from runtime import logs, metrics, nats_permissions, tracing
from runtime.bus import Bus
from runtime.consume import NOBODY_THERE_S, PULL_S, Consumption, acknowledge
from runtime.errors import Unreadable
from runtime.tenancy import TenantScope

MOST = 256
"""Facts in a batch; well below the 1,000 that the server lets a consumer leave unacknowledged."""
GATHER_S = 1.0
"""How long a batch waits for more after its first fact, which is how old a figure may be."""
BURST_S = 0.1
"""How long what has gathered meanwhile may take to come: all at once, instead of waking us fact by fact."""
ALONE_AT_ONCE = 8
"""Deliveries of a failed batch that are tried at the same time, each alone."""

_log = logs.get_logger()


@dataclass(frozen=True, slots=True)
class Said:
    """One fact as it came; the same `event_id` may come again, also within a batch."""

    fact: Event
    event_id: EventId


FactsHandler = Callable[[Sequence[Said], TenantScope], Awaitable[None]]
"""Gets facts of one business. All of its effects or none: after an error each fact comes again, alone."""


@dataclass
class _Group:
    """What one batch holds of one business."""

    said: list[Said] = field(default_factory=list)
    raws: list[Msg] = field(default_factory=list)


class FactBatches:
    """A service's own durable on EVENTS, by the batch. `watch` hears until `stop`."""

    def __init__(self, bus: Bus, consumer: Consumer, facts: Sequence[Fact[Any]], handler: FactsHandler) -> None:
        self._bus = bus
        self._consumer = consumer
        self._handler = handler
        self._alone = Consumption(bus, consumer, slots=0, give_up=None)
        for fact in facts:
            self._alone.on(subjects.fact_prefix(fact), fact.model, self._handle_alone)
        self._is_missing = False
        self._is_stopping = False
        self._working = asyncio.Lock()

    async def stop(self) -> None:
        """Begin no further batch; returns when the running one has ended."""
        self._is_stopping = True
        async with self._working:
            pass

    async def watch(self) -> None:
        """Fetch and handle batches. Runs until `stop` or until cancelled."""
        inbox = f"{nats_permissions.inbox_prefix(self._bus.service)}.".encode()
        subscription = await self._bus.nc.jetstream().pull_subscribe_bind(
            self._consumer.name, self._consumer.stream, inbox_prefix=inbox
        )
        is_behind = False
        try:
            while not self._is_stopping:
                batch = await self._fetch(subscription, 1, PULL_S)
                async with self._working:
                    if batch and not self._is_stopping:
                        await asyncio.sleep(0 if is_behind else GATHER_S)
                        batch += await self._fetch(subscription, MOST - 1, BURST_S)
                    is_behind = len(batch) == MOST
                    await self._take(batch)
        finally:
            with contextlib.suppress(nats.errors.Error):
                await subscription.unsubscribe()

    async def _fetch(self, subscription: JetStreamContext.PullSubscription, most: int, wait_s: float) -> list[Msg]:
        """What comes within `wait_s`, or as soon as that is `most`."""
        batch: list[Msg] = []
        try:
            batch = await subscription.fetch(most, timeout=wait_s)
        except TimeoutError:
            self._found()
        except (nats.js.errors.NotFoundError, nats.js.errors.ServiceUnavailableError):
            self._missed()
            await asyncio.sleep(NOBODY_THERE_S)
        except (nats.errors.Error, OSError) as error:
            _log.warning("batch.not_fetched", consumer=self._consumer.name, error=type(error).__name__)
            await asyncio.sleep(NOBODY_THERE_S)
        else:
            self._found()
        return batch

    def _missed(self) -> None:
        if not self._is_missing:
            self._is_missing = True
            metrics.CONSUMERS_MISSING.inc()
            _log.warning("consumer.missing", stream=self._consumer.stream, consumer=self._consumer.name)

    def _found(self) -> None:
        if self._is_missing:
            self._is_missing = False
            metrics.CONSUMERS_MISSING.dec()
            _log.info("consumer.back", stream=self._consumer.stream, consumer=self._consumer.name)

    # ---- one batch --------------------------------------------------------------------------------------------

    async def _take(self, batch: list[Msg]) -> None:
        if self._is_stopping:
            with contextlib.suppress(nats.errors.Error, OSError):
                for raw in batch:
                    await raw.nak()  # fetched while the service began to drain: another replica has it sooner this way
            return
        unfinished = {raw.reply: raw for raw in batch}
        beating = asyncio.create_task(self._beat(unfinished))
        try:
            await self._handle(unfinished)
        finally:
            beating.cancel()

    async def _handle(self, unfinished: dict[str, Msg]) -> None:
        """Each business's facts together; those of a group that fails, and what nobody can read, each alone."""
        groups, failed = self._sort(unfinished.values())
        done: list[Msg] = []
        for scope, group in groups.items():
            try:
                await self._handler(group.said, scope)
            except Exception as error:  # noqa: BLE001 - one of them may be the cause: that is found out alone
                _log.warning("batch.failed", consumer=self._consumer.name, size=len(group.raws), exc_info=error)
                failed += group.raws
            else:
                done += group.raws
        await self._acknowledge(done)
        for raw in done:
            del unfinished[raw.reply]
        places = asyncio.Semaphore(ALONE_AT_ONCE)
        await asyncio.gather(*(self._deliver_alone(raw, places, unfinished) for raw in failed))

    def _sort(self, batch: Iterable[Msg]) -> tuple[dict[TenantScope, _Group], list[Msg]]:
        groups: defaultdict[TenantScope, _Group] = defaultdict(_Group)
        unreadable: list[Msg] = []
        for raw in batch:
            try:
                fact, scope, event_id = self._alone.read(raw)
            except Unreadable:
                unreadable.append(raw)
                continue
            groups[scope].said.append(Said(fact, event_id))
            groups[scope].raws.append(raw)
        return groups, unreadable

    async def _acknowledge(self, done: list[Msg]) -> None:
        """All in one go. The server reads them in order, so its answer to the last one speaks for those before it."""
        if not done:
            return
        with contextlib.suppress(nats.errors.Error, OSError):  # not heard: they come again, and change nothing
            for raw in done[:-1]:
                await raw.ack()
        await acknowledge(done[-1])
        metrics.DELIVERIES.labels(self._consumer.name, "done").inc(len(done))

    async def _deliver_alone(self, raw: Msg, places: asyncio.Semaphore, unfinished: dict[str, Msg]) -> None:
        async with places:
            del unfinished[raw.reply]  # from here on it beats for itself
            with tracing.span(f"{self._consumer.name} alone", (raw.headers or {}).get("traceparent", "")):
                await self._alone.deliver(raw)

    async def _handle_alone(self, fact: Event, scope: TenantScope, event_id: EventId) -> None:
        await self._handler([Said(fact, event_id)], scope)

    async def _beat(self, unfinished: dict[str, Msg]) -> None:
        while True:
            await asyncio.sleep(self._consumer.retry.heartbeat_s)
            for raw in tuple(unfinished.values()):
                with contextlib.suppress(nats.errors.Error, OSError):
                    await raw.in_progress()


def consume_facts(bus: Bus, facts: Sequence[Fact[Any]], handler: FactsHandler) -> FactBatches:
    """Consume facts with the service's own durable on EVENTS."""
    return FactBatches(bus, find_consumer("EVENTS", bus.service), facts, handler)
