"""Durables that vanish: a worker that fetches from nothing must notice, stay quiet, and work again by itself."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats.errors
import pytest
from nats.js.errors import APIError

from contracts.inference import ANSWER
from contracts.streams import streams as declared
from runtime import consume
from runtime.bus import Bus
from runtime.provision import Provisioner
from tests.support.platform import Platform, eventually
from tests.support.probe import Probe, Streams, Worker, frozen, metric, new_scope, on_bus, send

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

DURABLE = (ANSWER.stream, ANSWER.queue)


async def nothing(_delivery: int) -> None:
    return


@asynccontextmanager
async def watched(worker: Worker) -> AsyncIterator[None]:
    watching = asyncio.create_task(worker.consumption.watch())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def provision(platform: Platform) -> None:
    bus = Bus("provisioner", platform.nats_url, platform.seed("provisioner"))
    await bus.connect()
    await Provisioner(bus.nc, running_per_tenant=8).provision()
    await bus.stop()


async def test_a_durable_that_was_away_is_heard_again(
    platform: Platform, probe: Probe, streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consume, "WATCH_S", 0.3)
    worker = Worker(new_scope(), nothing, slots=2)
    async with on_bus(probe, worker) as bus, watched(worker):
        with frozen(platform, "operator"):
            await streams.delete_consumer(*DURABLE)
            await eventually(lambda: metric("runtime_consumers_missing") == 1)
            await provision(platform)
            await eventually(lambda: metric("runtime_consumers_missing") == 0)
        await send(bus, worker.scope)
        await eventually(lambda: len(worker.deliveries) == 1)


async def test_a_durable_that_came_back_between_two_looks_is_heard_again(
    platform: Platform, probe: Probe, streams: Streams
) -> None:
    # The watchdog looks every 10 s and never sees it missing: the slots themselves must survive.
    worker = Worker(new_scope(), nothing, slots=2)
    async with on_bus(probe, worker) as bus:
        await send(bus, worker.scope)
        await eventually(lambda: len(worker.deliveries) == 1)
        with frozen(platform, "operator"):
            await streams.delete_consumer(*DURABLE)
            await provision(platform)
        for _ in range(4):
            await send(bus, worker.scope)
        await eventually(lambda: len(worker.deliveries) == 5)


async def test_a_missing_durable_is_not_asked_in_a_tight_loop(
    platform: Platform, probe: Probe, streams: Streams
) -> None:
    worker = Worker(new_scope(), nothing, slots=4)
    async with on_bus(probe, worker) as bus, watched(worker):
        with frozen(platform, "operator"):
            await streams.delete_consumer(*DURABLE)
            before = bus.nc.stats["out_msgs"]
            await asyncio.sleep(5)
            asked = bus.nc.stats["out_msgs"] - before
            await provision(platform)
        await send(bus, worker.scope)
        await eventually(lambda: len(worker.deliveries) == 1)
    assert asked < 4 * 10


async def test_the_operator_makes_again_what_is_gone(platform: Platform, streams: Streams) -> None:
    await streams.delete_consumer(*DURABLE)
    await eventually(lambda: streams.has_consumer(*DURABLE))
    await streams.delete_stream("RATE")
    await eventually(lambda: streams.has_stream("RATE"))


async def test_a_broker_that_lost_its_folder_works_again_by_itself(
    platform: Platform, probe: Probe, streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consume, "WATCH_S", 0.5)
    worker = Worker(new_scope(), nothing, slots=2)
    async with on_bus(probe, worker) as bus, watched(worker):
        await send(bus, worker.scope)
        await eventually(lambda: len(worker.deliveries) == 1)
        (server,) = platform.processes("nats")
        server.suspend()
        shutil.rmtree(platform.folder.nats / "jetstream")
        server.kill()
        server.wait(10)
        await eventually(lambda: is_whole(streams), timeout_s=40)
        await send(bus, worker.scope)
        await eventually(lambda: len(worker.deliveries) == 2)


async def is_whole(streams: Streams) -> bool:
    """Is every declared stream there, and our durable?"""
    try:
        there = [await streams.has_stream(stream.name) for stream in declared(8)]
        return all(there) and await streams.has_consumer(*DURABLE)
    except (nats.errors.Error, APIError, OSError, TimeoutError):
        return False


async def test_streams_are_as_declared(platform: Platform, streams: Streams) -> None:
    assert platform.ready
    for stream in declared(8):
        found = await streams.config(stream.name)
        assert sorted(found.subjects or ()) == sorted(stream.subjects), stream.name
        assert found.max_msgs_per_subject == stream.max_msgs_per_subject
        assert found.max_age == stream.max_age_s
        assert found.duplicate_window == min(stream.dedupe_s, stream.max_age_s)
        assert bool(found.discard_new_per_subject) == stream.is_new_discarded_per_subject
