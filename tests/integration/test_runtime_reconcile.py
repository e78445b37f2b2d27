"""Unfinished work is put back, whatever the broker remembers or has forgotten."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from contracts import subjects
from contracts.ids import MessageId, uuid7
from contracts.inference import ANSWER, AnswerTurn
from contracts.streams import streams as declared_streams
from runtime.outbox import OutboxRelay
from runtime.reconcile import Reconciler, Unfinished
from runtime.tenancy import TenantScope
from tests.support.platform import eventually
from tests.support.probe import Probe, Streams, Worker, connection, metric, new_scope, on_bus, send

pytestmark = pytest.mark.integration
CAP = next(stream for stream in declared_streams() if stream.name == "ANSWER").max_msgs_per_subject

TAKE = """
    UPDATE errand SET enqueued_at = now(), times_enqueued = times_enqueued + 1
    WHERE (tenant_id, id) IN (
        SELECT tenant_id, id FROM errand
        WHERE state = 'open' AND (lease_until IS NULL OR lease_until < now())
            AND enqueued_at < now() - interval '30 seconds'
        LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING tenant_id, id, times_enqueued
"""


async def nothing(_delivery: int) -> None:
    return


async def errand(
    probe: Probe, scope: TenantScope, *, age_s: float = 60, state: str = "open", lease_s: float = -1
) -> UUID:
    row_id = uuid7()
    async with connection(probe.admin_url) as admin:
        await admin.execute(
            """INSERT INTO probe.errand (tenant_id, id, state, enqueued_at, lease_until)
            VALUES ($1, $2, $3, now() - make_interval(secs => $4), now() + make_interval(secs => $5))""",
            scope.tenant_id,
            row_id,
            state,
            age_s,
            lease_s,
        )
    return row_id


@asynccontextmanager
async def reconciler(probe: Probe, worker: Worker) -> AsyncIterator[Reconciler]:
    async with on_bus(probe, worker) as bus:
        relay = OutboxRelay(probe.relay_url, bus)
        await relay.open()
        try:
            yield Reconciler(bus, relay, Unfinished(ANSWER, TAKE, lambda row: AnswerTurn(message_id=MessageId(row))))
        finally:
            await relay.close()


async def test_a_fresh_message_id_gets_through_where_the_old_one_is_dropped(probe: Probe, streams: Streams) -> None:
    worker = Worker(new_scope(), nothing)
    row_id = await errand(probe, worker.scope)
    job = AnswerTurn(message_id=MessageId(row_id)).dump()
    async with reconciler(probe, worker) as found:
        bus = found._bus
        await send(bus, worker.scope, job, message_id=str(row_id))
        await eventually(lambda: len(worker.deliveries) == 1)
        await eventually(lambda: _is_empty(streams, worker.scope))
        # Acknowledged long ago, and still: the same message id is answered with success and dropped.
        await send(bus, worker.scope, job, message_id=str(row_id))
        assert await streams.waiting(worker.scope) == 0
        assert await found.round() == 1
        await eventually(lambda: len(worker.deliveries) == 2)
    assert worker.deliveries[1].message_id == row_id


async def _is_empty(streams: Streams, scope: TenantScope) -> bool:
    return await streams.waiting(scope) == 0


async def test_each_round_uses_another_message_id(probe: Probe) -> None:
    worker = Worker(new_scope(), nothing)
    row_id = await errand(probe, worker.scope)
    before = metric("runtime_reconciled_total", queue="answer")
    async with reconciler(probe, worker) as found:
        for times in (1, 2):
            assert await found.round() == 1
            await eventually(lambda times=times: len(worker.deliveries) == times)
            async with connection(probe.admin_url) as admin:
                await admin.execute(
                    "UPDATE probe.errand SET enqueued_at = now() - interval '60 s' WHERE id = $1", row_id
                )
        await admin_close(probe, row_id)
    assert metric("runtime_reconciled_total", queue="answer") - before == 2


async def admin_close(probe: Probe, row_id: UUID) -> None:
    async with connection(probe.admin_url) as admin:
        await admin.execute("UPDATE probe.errand SET state = 'done' WHERE id = $1", row_id)


async def test_finished_leased_and_fresh_rows_are_left_alone(probe: Probe) -> None:
    worker = Worker(new_scope(), nothing)
    await errand(probe, worker.scope, state="done")
    await errand(probe, worker.scope, lease_s=30)
    await errand(probe, worker.scope, age_s=1)
    async with reconciler(probe, worker) as found:
        assert await found.round() == 0


async def test_a_full_queue_is_tried_again_next_time(probe: Probe, streams: Streams) -> None:
    scope = new_scope()
    row_id = await errand(probe, scope)
    async with on_bus(probe) as bus:
        for _ in range(CAP):
            await send(bus, scope)
        relay = OutboxRelay(probe.relay_url, bus)
        await relay.open()
        found = Reconciler(bus, relay, Unfinished(ANSWER, TAKE, lambda each: AnswerTurn(message_id=MessageId(each))))
        assert await found.round() == 0
        await relay.close()
    held = await streams.messages(ANSWER.stream, subjects.job(ANSWER, scope.tenant_id))
    assert str(row_id).encode() not in b"".join(message.data or b"" for message in held)
    await admin_close(probe, row_id)


async def test_a_place_that_comes_free_within_a_round_is_taken(probe: Probe, streams: Streams) -> None:
    scope, other = new_scope(), new_scope()
    rows = [await errand(probe, each) for each in (scope, scope, other)]
    async with on_bus(probe) as bus:
        for _ in range(CAP):
            await send(bus, scope)
        relay = OutboxRelay(probe.relay_url, bus)
        await relay.open()
        found = Reconciler(bus, relay, Unfinished(ANSWER, TAKE, lambda each: AnswerTurn(message_id=MessageId(each))))
        going = asyncio.create_task(found.round(until=asyncio.get_running_loop().time() + 30))
        await eventually(lambda: _waits(streams, other, 1))
        assert await streams.waiting(scope) == CAP
        await streams.empty(scope)
        assert await going == len(rows)
        assert await streams.waiting(scope) == 2
        await relay.close()
    for row_id in rows:
        await admin_close(probe, row_id)


async def _waits(streams: Streams, scope: TenantScope, count: int) -> bool:
    return await streams.waiting(scope) == count


async def test_the_relay_role_sees_the_state_of_work_and_not_its_content(probe: Probe) -> None:
    import asyncpg

    async with connection(probe.relay_url) as relay:
        assert await relay.fetch("SELECT id, state FROM errand LIMIT 1") is not None
        for forbidden in (
            "SELECT * FROM note",
            "UPDATE errand SET state = 'done'",
            "DELETE FROM errand",
            "INSERT INTO outbox (id) VALUES (gen_random_uuid())",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await relay.execute(forbidden)
