"""Turns in Postgres: every method is one transaction, fenced where two workers could meet."""

from typing import Any

from sqlalchemy import func, insert, text, update
from sqlmodel import col, select

from contracts.errors import ERRORS
from contracts.ids import AgentId, ConversationId, MessageId
from contracts.inference import (
    ANSWER,
    MESSAGE_FAILED,
    TURN_ACCEPTED,
    AcceptedTurn,
    AcceptTurn,
    AnswerOptions,
    AnswerTurn,
    MessageFailed,
    Source,
    Turn,
    TurnAccepted,
    Usage,
)
from inference_service.domain.turn import LEASE_S, Busy, Ended, LeasedTurn, Outcome, Said
from inference_service.outbound import turn_ending
from inference_service.outbound.tables import ConversationRow, MessageRow, TurnRow
from runtime.db import Database, Transaction
from runtime.errors import NotFound, Overloaded
from runtime.tenancy import TenantScope

HISTORY_MESSAGES = 20

_ROOM = text("""
    SELECT t.id, t.conversation_id, t.customer_message_id, t.state,
        (SELECT count(*) FROM turn WHERE state IN ('accepted', 'running')) AS running,
        (SELECT count(*) FROM turn WHERE state = 'queued') AS queued
    FROM (SELECT 1) one LEFT JOIN turn t ON t.client_message_id = :client_message_id
""")
_AGENT = text("""
    SELECT id FROM agent
    WHERE deleted_at IS NULL AND (id = CAST(:agent AS uuid) OR (CAST(:agent AS uuid) IS NULL AND is_default))
""")
_LEASE = text("""
    UPDATE turn t SET state = 'running', attempt = t.attempt + 1, lease_until = now() + make_interval(secs => :lease_s)
    FROM conversation c, agent a, message q
    WHERE t.id = :id AND t.state NOT IN ('completed', 'failed', 'queued')
        AND (t.lease_until IS NULL OR t.lease_until < now())
        AND (c.tenant_id, c.id) = (t.tenant_id, t.conversation_id) AND (a.tenant_id, a.id) = (t.tenant_id, t.agent_id)
        AND (q.tenant_id, q.id) = (t.tenant_id, t.customer_message_id)
    RETURNING t.conversation_id, t.agent_id, t.attempt, t.is_stop_asked, t.options, c.epoch,
        q.content AS question, q.created_at AS asked_at, q.id AS question_id,
        a.name, a.persona, a.instructions, a.model, a.fallbacks
""")


class PostgresTurns:
    """Implements `Turns`."""

    def __init__(self, database: Database, *, running_limit: int, queued_limit: int) -> None:
        self._database = database
        self._running_limit = running_limit
        self._queued_limit = queued_limit

    async def accept(self, scope: TenantScope, request: AcceptTurn) -> AcceptedTurn:
        async with self._database.tenant_tx(scope) as tx:
            # One accept or end of a tenant at a time: counts are true, and a repeated id meets the first one's row.
            await turn_ending.lock_tenant(tx)
            room = (await tx.session.execute(_ROOM, {"client_message_id": request.client_message_id})).one()
            if room.id is not None:
                return _accepted(room.id, room.conversation_id, room.customer_message_id, room.state, is_duplicate=True)
            state = self._admit(room.running, room.queued)
            agent_id = await _place(tx, request)
            await _store_question(tx, request, agent_id, state)
            if state == "accepted":
                await tx.enqueue(ANSWER, AnswerTurn(message_id=request.message_id))
            await tx.publish(
                TURN_ACCEPTED,
                TurnAccepted(
                    conversation_id=request.conversation_id,
                    message_id=request.message_id,
                    customer_message_id=request.customer_message_id,
                    agent_id=agent_id,
                    is_new_conversation=request.is_new_conversation,
                ),
            )
        return _accepted(
            request.message_id, request.conversation_id, request.customer_message_id, state, is_duplicate=False
        )

    def _admit(self, running: int, queued: int) -> str:
        if running < self._running_limit:
            return "accepted"
        if queued < self._queued_limit:
            return "queued"
        raise Overloaded(
            f"{running} answers are running and {queued} are waiting", code="too_many_turns", retry_after_s=5
        )

    async def lease(self, scope: TenantScope, message_id: MessageId) -> LeasedTurn | Ended | Busy:
        async with self._database.tenant_tx(scope) as tx:
            row = (await tx.session.execute(_LEASE, {"id": message_id, "lease_s": LEASE_S})).one_or_none()
            if row is None:
                state = (await tx.session.exec(select(TurnRow.state).where(TurnRow.id == message_id))).one_or_none()
                return Busy() if state in {"accepted", "running"} else Ended()
            history = await _history(tx, row)
        options = AnswerOptions.model_validate(row.options)
        return LeasedTurn(
            message_id=message_id,
            conversation_id=ConversationId(row.conversation_id),
            agent_id=AgentId(row.agent_id),
            attempt=row.attempt,
            epoch=row.epoch,
            is_stop_asked=row.is_stop_asked,
            question=row.question,
            history=history,
            options=options,
            persona=row.persona,
            instructions=row.instructions,
            agent_name=row.name,
            models=tuple(dict.fromkeys((options.model or row.model, *row.fallbacks))),
        )

    async def extend(self, scope: TenantScope, turn: LeasedTurn) -> bool | None:
        statement = (
            update(TurnRow)
            .where(_is_ours(turn))
            .values(lease_until=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, LEASE_S))
            .returning(col(TurnRow.is_stop_asked))
        )
        async with self._database.tenant_tx(scope) as tx:
            return (await tx.session.execute(statement)).scalar_one_or_none()

    async def release(self, scope: TenantScope, turn: LeasedTurn) -> None:
        async with self._database.tenant_tx(scope) as tx:
            await tx.session.execute(update(TurnRow).where(_is_ours(turn)).values(lease_until=None))

    async def complete(self, scope: TenantScope, turn: LeasedTurn, outcome: Outcome) -> bool:
        async with self._database.tenant_tx(scope) as tx:
            await turn_ending.lock_tenant(tx)
            return await turn_ending.complete(tx, turn.message_id, outcome, attempt=turn.attempt, epoch=turn.epoch)

    async def fail(self, scope: TenantScope, message_id: MessageId, code: str, *, attempt: int | None = None) -> bool:
        async with self._database.tenant_tx(scope) as tx:
            await turn_ending.lock_tenant(tx)
            statement = (
                update(TurnRow)
                .where(col(TurnRow.id) == message_id, col(TurnRow.state).not_in(("completed", "failed")))
                .values(state="failed", error_code=code, lease_until=None, ended_at=func.now())
                .returning(col(TurnRow.conversation_id), col(TurnRow.agent_id))
            )
            if attempt is not None:
                statement = statement.where(col(TurnRow.attempt) == attempt)
            row = (await tx.session.execute(statement)).one_or_none()
            if row is None:
                return False
            failed = MessageFailed(
                conversation_id=row.conversation_id, message_id=message_id, agent_id=row.agent_id, code=code
            )
            await tx.publish(MESSAGE_FAILED, failed)
            await turn_ending.promote_next(tx)
            return True

    async def stop(self, scope: TenantScope, message_id: MessageId) -> bool:
        async with self._database.tenant_tx(scope) as tx:
            await turn_ending.lock_tenant(tx)
            statement = (
                update(TurnRow)
                .where(col(TurnRow.id) == message_id, col(TurnRow.state).not_in(("completed", "failed")))
                .values(is_stop_asked=True)
                .returning(func.coalesce(col(TurnRow.lease_until) > func.now(), False), col(TurnRow.attempt))
            )
            row = (await tx.session.execute(statement)).one_or_none()
            if row is None:
                await _must_exist(tx, message_id)
                return False
            is_leased, attempt = row
            if not is_leased:
                stopped = Outcome(content="", finish_reason="stopped", model="")
                await turn_ending.complete(tx, message_id, stopped, attempt=attempt, epoch=None)
            return bool(is_leased)

    async def get(self, scope: TenantScope, message_id: MessageId) -> Turn:
        question = select(TurnRow, MessageRow, func.coalesce(col(TurnRow.lease_until) > func.now(), False)).outerjoin(
            MessageRow, (col(MessageRow.tenant_id) == TurnRow.tenant_id) & (col(MessageRow.id) == TurnRow.id)
        )
        async with self._database.tenant_tx(scope) as tx:
            found = (await tx.session.exec(question.where(TurnRow.id == message_id))).one_or_none()
        if found is None:
            raise NotFound
        return _turn(*found)


# ---- parts of one transaction ---------------------------------------------------------------------------------


async def _place(tx: Transaction, request: AcceptTurn) -> AgentId:
    """The conversation, made or continued; returns the agent that answers."""
    agent_id = request.agent_id
    if not request.is_new_conversation:
        statement = (
            update(ConversationRow)
            .where(col(ConversationRow.id) == request.conversation_id)
            .values(message_count=ConversationRow.message_count + 1, updated_at=func.now())
            .returning(col(ConversationRow.agent_id))
        )
        own_agent = (await tx.session.execute(statement)).scalar_one_or_none()
        if own_agent is None:
            raise NotFound("no such conversation")
        if agent_id in (None, own_agent):
            return AgentId(own_agent)
    found = (await tx.session.execute(_AGENT, {"agent": agent_id})).scalar_one_or_none()
    if found is None:
        raise NotFound("no such agent" if agent_id else "this business has no agent yet: create one first")
    if request.is_new_conversation:
        await tx.session.execute(
            insert(ConversationRow).values(
                tenant_id=tx.tenant_id,
                id=request.conversation_id,
                agent_id=found,
                status="active",
                channel="chat",
                customer=request.customer,
                message_count=1,
                created_at=func.now(),
                updated_at=func.now(),
            )
        )
    return AgentId(found)


async def _store_question(tx: Transaction, request: AcceptTurn, agent_id: AgentId, state: str) -> None:
    await tx.session.execute(
        insert(MessageRow).values(
            tenant_id=tx.tenant_id,
            id=request.customer_message_id,
            conversation_id=request.conversation_id,
            author="customer",
            content=request.content,
            created_at=func.now(),
        )
    )
    await tx.session.execute(
        insert(TurnRow).values(
            tenant_id=tx.tenant_id,
            id=request.message_id,
            conversation_id=request.conversation_id,
            customer_message_id=request.customer_message_id,
            client_message_id=request.client_message_id,
            agent_id=agent_id,
            options=request.options.model_dump(mode="json"),
            state=state,
            enqueued_at=func.now(),
            accepted_at=func.now(),
        )
    )


async def _history(tx: Transaction, row: Any) -> tuple[Said, ...]:
    """What was said before the question, oldest first."""
    question = (
        select(MessageRow.author, MessageRow.content)
        .where(
            MessageRow.conversation_id == row.conversation_id,
            MessageRow.created_at <= row.asked_at,
            MessageRow.id != row.question_id,
            MessageRow.content != "",
        )
        .order_by(col(MessageRow.created_at).desc(), col(MessageRow.id).desc())
        .limit(HISTORY_MESSAGES)
    )
    rows = (await tx.session.exec(question)).all()
    return tuple(Said(author == "customer", content) for author, content in reversed(rows))


async def _must_exist(tx: Transaction, message_id: MessageId) -> None:
    if (await tx.session.exec(select(TurnRow.id).where(TurnRow.id == message_id))).one_or_none() is None:
        raise NotFound


def _is_ours(turn: LeasedTurn) -> Any:
    return (
        (col(TurnRow.id) == turn.message_id)
        & (col(TurnRow.attempt) == turn.attempt)
        & (col(TurnRow.state) == "running")
    )


def _accepted(
    message_id: Any, conversation_id: Any, customer_message_id: Any, state: Any, *, is_duplicate: bool
) -> AcceptedTurn:
    return AcceptedTurn(
        conversation_id=conversation_id,
        message_id=message_id,
        customer_message_id=customer_message_id,
        is_duplicate=is_duplicate,
        state=state,
    )


def _turn(turn: TurnRow, message: MessageRow | None, is_leased: bool) -> Turn:  # noqa: FBT001 - a column
    return Turn.model_validate(
        {
            "conversation_id": turn.conversation_id,
            "message_id": turn.id,
            "customer_message_id": turn.customer_message_id,
            "state": turn.state,
            "attempt": turn.attempt,
            "is_leased": is_leased,
            "content": message.content if message else "",
            "usage": Usage(
                prompt_tokens=turn.prompt_tokens,
                completion_tokens=turn.completion_tokens,
                is_estimated=turn.is_usage_estimated,
            ),
            "confidence": turn.confidence,
            "sources": tuple(Source.model_validate(source) for source in message.sources) if message else (),
            "finish_reason": turn.finish_reason,
            "categories": tuple(turn.categories),
            "error_code": turn.error_code,
            "is_retryable": ERRORS[turn.error_code].retryable if turn.error_code in ERRORS else False,
            "model": turn.model,
            "ended_at": turn.ended_at,
        }
    )
