"""What a commit said goes out: at once when the broker is there, and after it is back when it was away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from contracts import subjects
from contracts.ids import AgentId, ConversationId, MessageId, uuid7
from contracts.inference import ANSWER, MESSAGE_FAILED, AnswerTurn, MessageFailed
from contracts.streams import streams as declared_streams
from runtime.bus import EVENT_ID, MESSAGE_ID, SCHEMA
from runtime.db import Database
from runtime.outbox import BATCH, OutboxRelay
from runtime.tenancy import TenantScope
from tests.support.platform import Platform, eventually
from tests.support.probe import Probe, Streams, connection, frozen, metric, new_scope, on_bus, send

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]
CAP = next(stream for stream in declared_streams() if stream.name == "ANSWER").max_msgs_per_subject


@asynccontextmanager
async def house(probe: Probe, *, is_running: bool = True) -> AsyncIterator[tuple[Database, OutboxRelay]]:
    """Database and relay as `Service.database` connects them."""
    async with on_bus(probe) as bus:
        database, relay = Database(probe.app_url, pool_size=3), OutboxRelay(probe.relay_url, bus)
        database.after_commit(relay.hand_over)
        await relay.open()
        running = asyncio.create_task(relay.run() if is_running else asyncio.sleep(0))
        try:
            yield database, relay
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await relay.close()
            await database.close()


def failed() -> MessageFailed:
    return MessageFailed(
        conversation_id=ConversationId(uuid7()),
        message_id=MessageId(uuid7()),
        agent_id=AgentId(uuid7()),
        code="model_broken",
    )


async def rows(probe: Probe, scope: TenantScope) -> int:
    async with connection(probe.admin_url) as admin:
        return int(await admin.fetchval("SELECT count(*) FROM probe.outbox WHERE tenant_id = $1", scope.tenant_id))


async def test_a_committed_fact_goes_out_at_once_with_its_envelope(probe: Probe, streams: Streams) -> None:
    scope, fact = new_scope(), failed()
    async with house(probe) as (database, _):
        async with database.tenant_tx(scope) as tx:
            await tx.publish(MESSAGE_FAILED, fact)
            assert await streams.messages("EVENTS", _subject(scope, fact)) == []
        (message,) = await eventually(lambda: streams.messages("EVENTS", _subject(scope, fact)))
        await eventually(lambda: _is_gone(probe, scope))
    assert message.data == fact.dump()
    assert message.headers[EVENT_ID] == message.headers[MESSAGE_ID]
    assert message.headers[SCHEMA] == "inference.message_failed.v1"


def _subject(scope: TenantScope, fact: MessageFailed) -> str:
    return subjects.fact(MESSAGE_FAILED, scope.tenant_id, fact.conversation_id)


async def _is_gone(probe: Probe, scope: TenantScope) -> bool:
    return await rows(probe, scope) == 0


async def test_what_was_rolled_back_is_never_said(probe: Probe, streams: Streams) -> None:
    scope, fact = new_scope(), failed()
    async with house(probe) as (database, relay):
        with pytest.raises(RuntimeError, match="changed my mind"):
            await _say_and_fail(database, scope, fact)
        assert not relay._running
    assert await rows(probe, scope) == 0
    assert await streams.messages("EVENTS", _subject(scope, fact)) == []


async def _say_and_fail(database: Database, scope: TenantScope, fact: MessageFailed) -> None:
    async with database.tenant_tx(scope) as tx:
        await tx.publish(MESSAGE_FAILED, fact)
        raise RuntimeError("changed my mind")


async def test_a_row_outlives_a_broker_that_hangs(platform: Platform, probe: Probe, streams: Streams) -> None:
    scope, fact = new_scope(), failed()
    async with house(probe) as (database, relay):
        with frozen(platform, "nats"):
            async with database.tenant_tx(scope) as tx:
                await tx.publish(MESSAGE_FAILED, fact)
            await eventually(lambda: not relay._running)  # its publish has timed out
            assert await rows(probe, scope) == 1
        await eventually(lambda: streams.messages("EVENTS", _subject(scope, fact)))
        await eventually(lambda: _is_gone(probe, scope))
    assert len(await streams.messages("EVENTS", _subject(scope, fact))) == 1


async def test_a_row_outlives_a_broker_that_is_killed(platform: Platform, probe: Probe, streams: Streams) -> None:
    scope, fact = new_scope(), failed()
    async with house(probe) as (database, _):
        (server,) = platform.processes("nats")
        server.kill()
        server.wait(10)
        async with database.tenant_tx(scope) as tx:
            await tx.publish(MESSAGE_FAILED, fact)
        await eventually(lambda: _is_gone(probe, scope), timeout_s=40)
        await eventually(lambda: _is_said(streams, scope, fact))
    assert len(await streams.messages("EVENTS", _subject(scope, fact))) == 1


async def _is_said(streams: Streams, scope: TenantScope, fact: MessageFailed) -> bool:
    try:
        return bool(await streams.messages("EVENTS", _subject(scope, fact)))
    except (OSError, TimeoutError):
        return False


async def test_a_full_queue_keeps_its_rows_and_holds_up_nobody_else(probe: Probe, streams: Streams) -> None:
    flooded, other, fact = new_scope(), new_scope(), failed()
    async with house(probe, is_running=False) as (database, relay):
        async with on_bus(probe) as bus:
            for _ in range(CAP):
                await send(bus, flooded)
        for scope in (flooded, other):
            async with database.tenant_tx(scope) as tx:
                await tx.enqueue(ANSWER, AnswerTurn(message_id=MessageId(uuid7())))
                if scope is other:
                    await tx.publish(MESSAGE_FAILED, fact)
        await eventually(lambda: not relay._running)
        await relay._delete_published()
        assert (await rows(probe, flooded), await rows(probe, other)) == (1, 0)
        assert (await streams.waiting(flooded), await streams.waiting(other)) == (CAP, 1)
        await relay._round(grace_s=0)
        assert await rows(probe, flooded) == 1


async def test_thousands_of_rows_for_a_full_queue_do_not_stand_before_one_of_another(
    probe: Probe, streams: Streams
) -> None:
    flooded, other = new_scope(), new_scope()
    database = Database(probe.app_url)  # nobody publishes after the commit
    async with database.tenant_tx(flooded) as tx:
        for _ in range(CAP + 2 * BATCH):
            await tx.enqueue(ANSWER, AnswerTurn(message_id=MessageId(uuid7())))
    async with database.tenant_tx(other) as tx:
        await tx.enqueue(ANSWER, AnswerTurn(message_id=MessageId(uuid7())))
    await database.close()
    async with house(probe, is_running=False) as (_, relay):
        await relay._round(grace_s=0)
        assert (await rows(probe, flooded), await rows(probe, other)) == (2 * BATCH, 0)
        assert (await streams.waiting(flooded), await streams.waiting(other)) == (CAP, 1)
        async with connection(probe.admin_url) as admin:
            await admin.execute("DELETE FROM probe.outbox WHERE tenant_id = $1", flooded.tenant_id)


async def test_two_relays_never_take_the_same_row(probe: Probe, streams: Streams) -> None:
    scope = new_scope()
    database = Database(probe.app_url)  # nobody publishes after the commit
    async with database.tenant_tx(scope) as tx:
        for _ in range(6):
            await tx.enqueue(ANSWER, AnswerTurn(message_id=MessageId(uuid7())))
    await database.close()
    before = metric("runtime_outbox_published_total", by="relay")
    async with house(probe, is_running=False) as (_, one), house(probe, is_running=False) as (_, two):
        await asyncio.gather(one._round(grace_s=0), two._round(grace_s=0))
    assert metric("runtime_outbox_published_total", by="relay") - before == 6
    assert await streams.waiting(scope) == 6


async def test_the_relay_waits_while_postgres_is_away_and_goes_on(platform: Platform, probe: Probe) -> None:
    scope = new_scope()
    async with house(probe) as (database, _):
        async with connection(probe.admin_url) as admin:
            await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'probe_%'")
        async with database.tenant_tx(scope) as tx:
            await tx.session.execute(text("SELECT 1"))
            await tx.publish(MESSAGE_FAILED, failed())
        await eventually(lambda: _is_gone(probe, scope))
