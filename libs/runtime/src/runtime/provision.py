"""The only maker of JetStream streams and consumers. Looks every 5 s and after each reconnect; makes what is missing.

A memory stream vanishes with its definition when a single server restarts, and a broker may be rebuilt from nothing:
what is declared in contracts.streams is simply made again.
"""

import asyncio

import nats.errors
from nats.aio.client import Client
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    PersistMode,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, NotFoundError

from contracts.streams import Consumer, Stream, consumers, streams
from runtime import logs

LOOK_S = 5.0

_log = logs.get_logger()


class Provisioner:
    """Holds the broker to its declaration."""

    def __init__(self, nc: Client, *, running_per_tenant: int) -> None:
        self._js = nc.jetstream(timeout=3)
        self._running_per_tenant = running_per_tenant
        self._wake = asyncio.Event()

    def look_now(self) -> None:
        """The connection is back: do not wait for the next round."""
        self._wake.set()

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            try:
                await self.provision()
            except (nats.errors.Error, APIError, TimeoutError, OSError) as error:
                _log.warning("provision.waiting", error=str(error)[:200])
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()

    async def provision(self) -> None:
        """Make every stream and consumer that is missing, and bring changed ones to their declaration."""
        for stream in streams(self._running_per_tenant):
            await self._hold_stream(stream)
        for consumer in consumers():
            await self._hold_consumer(consumer)

    async def _hold_stream(self, stream: Stream) -> None:
        wanted = _stream_config(stream)
        try:
            found = (await self._js.stream_info(stream.name)).config
        except NotFoundError:
            await self._js.add_stream(wanted)
            _log.info("stream.made", stream=stream.name)
            return
        if (found.max_msgs_per_subject, found.max_bytes, sorted(found.subjects or ())) != (
            wanted.max_msgs_per_subject,
            wanted.max_bytes,
            sorted(stream.subjects),
        ):
            await self._js.update_stream(wanted)
            _log.info("stream.changed", stream=stream.name)

    async def _hold_consumer(self, consumer: Consumer) -> None:
        wanted = _consumer_config(consumer)
        try:
            found = (await self._js.consumer_info(consumer.stream, consumer.name)).config
        except NotFoundError:
            await self._js.add_consumer(consumer.stream, wanted)
            _log.info("consumer.made", stream=consumer.stream, consumer=consumer.name)
            return
        filters = sorted(found.filter_subjects or ([found.filter_subject] if found.filter_subject else []))
        if filters != sorted(consumer.filter_subjects) or found.ack_wait != wanted.ack_wait:
            await self._js.add_consumer(consumer.stream, wanted)
            _log.info("consumer.changed", stream=consumer.stream, consumer=consumer.name)


def _stream_config(stream: Stream) -> StreamConfig:
    return StreamConfig(
        name=stream.name,
        subjects=list(stream.subjects),
        retention=RetentionPolicy.WORK_QUEUE if stream.retention == "workqueue" else RetentionPolicy.LIMITS,
        storage=StorageType.MEMORY if stream.storage == "memory" else StorageType.FILE,
        max_age=stream.max_age_s,
        max_bytes=stream.max_bytes,
        max_msgs_per_subject=stream.max_msgs_per_subject,
        discard=DiscardPolicy.NEW if stream.is_new_discarded_per_subject else DiscardPolicy.OLD,
        discard_new_per_subject=stream.is_new_discarded_per_subject,
        duplicate_window=min(stream.dedupe_s, stream.max_age_s),
        allow_direct=stream.is_direct,
        allow_msg_counter=stream.is_counter or None,
        persist_mode=PersistMode.ASYNC if stream.is_async_persisted else None,
    )


def _consumer_config(consumer: Consumer) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=consumer.name,
        name=consumer.name,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=consumer.retry.ack_wait_s,
        max_deliver=consumer.retry.max_deliver,
        filter_subjects=list(consumer.filter_subjects) or None,
        max_ack_pending=10_000,
    )
