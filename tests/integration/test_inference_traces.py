"""Traces on the real database: kept with the answer, seen by their own business, thrown away when they are old."""

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from contracts.ids import ClientMessageId, ConversationId, MessageId, TenantId, uuid7
from contracts.inference import AcceptTurn, CreateAgent
from contracts.trace import AnswerTrace
from inference_service.domain.turn import LeasedTurn, Outcome
from inference_service.outbound.postgres_agents import PostgresAgents
from inference_service.outbound.postgres_traces import PostgresTraces
from inference_service.outbound.postgres_turns import PostgresTurns
from runtime.bus import Bus
from runtime.db import Database
from runtime.errors import NotFound
from runtime.expiry import Expiry
from runtime.outbox import OutboxRelay
from runtime.tenancy import TenantScope
from tests.support.platform import Platform

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def database(platform: Platform) -> AsyncIterator[Database]:
    made = Database(platform.postgres_url("inference_app"), pool_size=4)
    yield made
    await made.close()


def new_scope() -> TenantScope:
    return TenantScope(TenantId(uuid7()), "service:test")


async def leased(database: Database, scope: TenantScope) -> LeasedTurn:
    await PostgresAgents(database).create(scope, CreateAgent(name="Ada"), "extractive/sentences", ())
    request = AcceptTurn(
        client_message_id=ClientMessageId(uuid7()),
        conversation_id=ConversationId(uuid7()),
        is_new_conversation=True,
        message_id=MessageId(uuid7()),
        customer_message_id=MessageId(uuid7()),
        content="Why?",
    )
    turns = PostgresTurns(database, running_limit=8, queued_limit=8)
    await turns.accept(scope, request)
    turn = await turns.lease(scope, request.message_id)
    assert isinstance(turn, LeasedTurn)
    return turn


def traced(turn: LeasedTurn) -> Outcome:
    trace = AnswerTrace(
        conversation_id=turn.conversation_id,
        message_id=turn.message_id,
        agent_id=turn.agent_id,
        agent_updated_at=turn.agent_updated_at,
        attempt=turn.attempt,
        query=turn.question,
        is_knowledge_used=True,
        finish_reason="stop",
        confidence=0.5,
    )
    return Outcome(content="Because.", finish_reason="stop", model="extractive/sentences", trace=trace)


async def completed(database: Database, scope: TenantScope) -> LeasedTurn:
    turn = await leased(database, scope)
    turns = PostgresTurns(database, running_limit=8, queued_limit=8)
    assert await turns.complete(scope, turn, traced(turn)) == await turns.get(scope, turn.message_id)
    return turn


async def test_a_trace_is_kept_with_its_answer(database: Database):
    scope = new_scope()
    turn = await completed(database, scope)
    assert turn.agent_updated_at is not None
    found = await PostgresTraces(database).get(scope, turn.conversation_id, turn.message_id)
    assert found == traced(turn).trace


async def test_an_answer_that_was_fenced_leaves_no_trace(database: Database):
    scope = new_scope()
    turn = await leased(database, scope)
    turns = PostgresTurns(database, running_limit=8, queued_limit=8)
    assert not await turns.complete(scope, replace(turn, attempt=turn.attempt + 1), traced(turn))
    with pytest.raises(NotFound):
        await PostgresTraces(database).get(scope, turn.conversation_id, turn.message_id)


async def test_a_trace_is_found_under_its_own_business_and_conversation_alone(database: Database):
    scope = new_scope()
    turn = await completed(database, scope)
    traces = PostgresTraces(database)
    with pytest.raises(NotFound):
        await traces.get(new_scope(), turn.conversation_id, turn.message_id)
    with pytest.raises(NotFound):
        await traces.get(scope, ConversationId(uuid7()), turn.message_id)


async def test_an_old_trace_is_thrown_away_and_a_younger_one_stays(database: Database, platform: Platform):
    scope = new_scope()
    old, young = await completed(database, scope), await completed(database, scope)
    async with database.tenant_tx(scope) as tx:
        await tx.execute("DELETE FROM trace WHERE id = $1", old.message_id)
        await tx.execute(
            "INSERT INTO trace (tenant_id, id, conversation_id, body, created_at) "
            "VALUES ($1, $2, $3, '{}', now() - interval '31 days')",
            scope.tenant_id,
            old.message_id,
            old.conversation_id,
        )
    relay = OutboxRelay(
        platform.postgres_url("inference_relay"), Bus("inference", platform.nats_url, platform.seed("inference"))
    )
    await relay.open()
    try:
        assert await Expiry(relay, {("trace", "created_at"): 30}).round() >= 1
    finally:
        await relay.pool.close()
    traces = PostgresTraces(database)
    with pytest.raises(NotFound):
        await traces.get(scope, old.conversation_id, old.message_id)
    assert await traces.get(scope, young.conversation_id, young.message_id)


async def test_the_relay_sees_no_text_of_a_trace(platform: Platform):
    connection = await asyncpg.connect(platform.postgres_url("inference_relay"))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT body FROM trace")
    finally:
        await connection.close()
