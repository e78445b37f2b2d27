"""Processes that are killed: in a handler, after a commit, before and after a publish. Each one really dies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from contracts import subjects
from contracts.ids import MessageId, uuid7
from contracts.inference import ANSWER, AnswerTurn
from runtime.bus import EVENT_ID, Bus
from runtime.consume import consume_work
from runtime.db import Database
from runtime.errors import Retryable
from runtime.outbox import OutboxRelay
from runtime.tenancy import TenantScope
from tests.support.dying import handle_once
from tests.support.platform import Platform, eventually
from tests.support.probe import Probe, Streams, Worker, connection, frozen, let_die, metric, new_scope, on_bus, send

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

DURABLE = (ANSWER.stream, ANSWER.queue)


@asynccontextmanager
async def impatient(platform: Platform, streams: Streams) -> AsyncIterator[None]:
    """The broker gives a dead process's message away after 1 s instead of 10.

    The operator stands still meanwhile, or it would bring the durable back to its declaration.
    """
    with frozen(platform, "operator"):
        await streams.set_ack_wait(*DURABLE, 1)
        try:
            yield
        finally:
            await streams.set_ack_wait(*DURABLE, 10)


async def nothing(_delivery: int) -> None:
    return


async def test_a_message_that_kills_every_process_is_moved_by_the_operator(
    platform: Platform, probe: Probe, streams: Streams
) -> None:
    scope = new_scope()
    async with on_bus(probe) as bus:
        event_id = await send(bus, scope)
    async with impatient(platform, streams):
        for _ in range(5):  # max_deliver
            await let_die(probe, "in_handler", scope)
        worker = Worker(scope, nothing)
        async with on_bus(probe, worker):
            # Asking for a sixth delivery is what makes the server give up, and say so.
            await eventually(lambda: _has_advisory(streams))
            assert worker.deliveries == []
    (letter,) = await eventually(lambda: streams.letters(scope))
    assert letter.headers[EVENT_ID] == str(event_id)
    assert letter.headers["Dlq-Reason"] == "MaxDeliveries"
    await eventually(lambda: _is_empty(streams, scope))


async def test_deliveries_that_died_are_no_tries(platform: Platform, probe: Probe, streams: Streams) -> None:
    async def fail_twice(delivery: int) -> None:
        if delivery < 3:
            raise Retryable

    scope = new_scope()
    worker, before = Worker(scope, fail_twice), metric("runtime_deliveries_total", consumer="answer", outcome="done")
    async with on_bus(probe) as bus:
        await send(bus, scope)
    async with impatient(platform, streams):
        for _ in range(2):  # as many deliveries are left of five as it has tries
            await let_die(probe, "in_handler", scope)
        async with on_bus(probe, worker):
            await eventually(lambda: metric("runtime_deliveries_total", consumer="answer", outcome="done") > before)
    assert len(worker.deliveries) == 3
    assert await streams.letters(scope) == []
    assert await streams.waiting(scope) == 0


async def test_the_last_delivery_is_decided_by_who_has_it(platform: Platform, probe: Probe, streams: Streams) -> None:
    async def fail(_delivery: int) -> None:
        raise Retryable

    closed: list[str] = []

    async def give_up(_job: AnswerTurn, _scope: TenantScope, error: Exception) -> None:
        closed.append(type(error).__name__)

    scope = new_scope()
    worker = Worker(scope, fail, give_up=give_up)
    async with on_bus(probe) as bus:
        await send(bus, scope)
    async with impatient(platform, streams):
        for _ in range(4):
            await let_die(probe, "in_handler", scope)
        async with on_bus(probe, worker):
            await eventually(lambda: streams.letters(scope))
    (letter,) = await streams.letters(scope)
    assert letter.headers
    assert letter.headers["Dlq-Reason"] == "Retryable"
    assert closed == ["Retryable"]
    assert len(worker.deliveries) == 1


async def _has_advisory(streams: Streams) -> bool:
    said = await streams.messages("ADVISORY", f"$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.{'.'.join(DURABLE)}")
    return bool(said)


async def _is_empty(streams: Streams, scope: TenantScope) -> bool:
    return await streams.waiting(scope) == 0


async def test_a_crash_after_the_commit_takes_effect_once(
    platform: Platform, probe: Probe, streams: Streams, database: Database
) -> None:
    scope, effects = new_scope(), list[bool]()

    async def on_job(job: AnswerTurn, found: TenantScope, event_id: object) -> None:
        if found.tenant_id == scope.tenant_id:
            effects.append(await handle_once(database, found, job, event_id))  # type: ignore[arg-type] # of that type at run time

    async with on_bus(probe) as bus:
        await send(bus, scope)
    async with impatient(platform, streams):
        await let_die(probe, "after_commit", scope)
        async with on_bus(probe, lambda bus: consume_work(bus, ANSWER, on_job, slots=1)):
            await eventually(lambda: effects)
            await eventually(lambda: _is_empty(streams, scope))
    assert effects == [False]
    async with database.tenant_tx(scope) as tx:
        assert (await tx.session.execute(text("SELECT count(*) FROM note"))).scalar_one() == 1


@asynccontextmanager
async def relaying(probe: Probe, bus: Bus) -> AsyncIterator[OutboxRelay]:
    relay = OutboxRelay(probe.relay_url, bus)
    await relay.open()
    try:
        yield relay
    finally:
        await relay.close()


async def _rows(probe: Probe, scope: TenantScope) -> int:
    async with connection(probe.admin_url) as admin:
        return int(await admin.fetchval("SELECT count(*) FROM probe.outbox WHERE tenant_id = $1", scope.tenant_id))


async def _relayed(relay: OutboxRelay, probe: Probe, scope: TenantScope) -> bool:
    """Whether a round of the relay has left nothing; rows rest a while before it takes them."""
    await relay._round()
    return await _rows(probe, scope) == 0


async def test_the_relay_takes_over_what_a_dead_process_did_not_publish(probe: Probe, streams: Streams) -> None:
    scope, job = new_scope(), AnswerTurn(message_id=MessageId(uuid7()))
    await let_die(probe, "before_publish", scope, message_id=str(job.message_id))
    assert await streams.waiting(scope) == 0
    assert await _rows(probe, scope) == 1
    async with on_bus(probe) as bus, relaying(probe, bus) as relay:
        await eventually(lambda: _relayed(relay, probe, scope))
    (message,) = await streams.messages(ANSWER.stream, subjects.job(ANSWER, scope.tenant_id))
    assert message.data == job.dump()
    assert await _rows(probe, scope) == 0


async def test_a_row_that_went_out_twice_is_one_message(probe: Probe, streams: Streams) -> None:
    scope = new_scope()
    await let_die(probe, "after_publish", scope, message_id=str(uuid7()))
    assert await streams.waiting(scope) == 1
    assert await _rows(probe, scope) == 1
    before = metric("runtime_outbox_published_total", by="relay")
    async with on_bus(probe) as bus, relaying(probe, bus) as relay:
        await eventually(lambda: _relayed(relay, probe, scope))
    assert metric("runtime_outbox_published_total", by="relay") > before
    assert await streams.waiting(scope) == 1
    assert await _rows(probe, scope) == 0


async def test_a_repeat_beyond_the_window_is_absorbed_by_the_inbox(probe: Probe, database: Database) -> None:
    # The broker would drop the same message id: another one stands for a repeat that it no longer remembers.
    scope, effects, event_id = new_scope(), list[bool](), uuid7()

    async def on_job(job: AnswerTurn, found: TenantScope, found_id: object) -> None:
        if found.tenant_id == scope.tenant_id:
            effects.append(await handle_once(database, found, job, found_id))  # type: ignore[arg-type] # of that type at run time

    async with on_bus(probe, lambda bus: consume_work(bus, ANSWER, on_job, slots=1)) as bus:
        for message_id in ("first", "second"):
            await send(bus, scope, event_id=event_id, message_id=f"{event_id}:{message_id}")
        await eventually(lambda: len(effects) == 2)
    assert effects == [True, False]
