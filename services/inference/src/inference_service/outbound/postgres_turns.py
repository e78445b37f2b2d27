"""Turns in Postgres: every method is one transaction, fenced where two workers could meet."""

from typing import Any

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
    Turn,
    TurnAccepted,
    TurnState,
    Usage,
)
from inference_service.domain.standing import is_with_people, reopened
from inference_service.domain.turn import LEASE_S, Busy, Ended, LeasedTurn, Outcome, Said
from inference_service.outbound import hand_off, turn_ending, turn_sql
from runtime.db import Database, Transaction
from runtime.errors import NotFound, Overloaded
from runtime.tenancy import TenantScope

HISTORY_MESSAGES = 20


class PostgresTurns:
    """Implements `Turns`."""

    def __init__(self, database: Database, *, running_limit: int, queued_limit: int) -> None:
        self._database = database
        self._running_limit = running_limit
        self._queued_limit = queued_limit

    async def accept(self, scope: TenantScope, request: AcceptTurn) -> AcceptedTurn:
        async with self._database.tenant_tx(scope, lock=turn_ending.LOCK) as tx:
            room = await tx.fetch_row(turn_sql.ROOM, request.client_message_id)
            if room["id"] is not None:
                return AcceptedTurn(
                    conversation_id=room["conversation_id"],
                    message_id=room["id"],
                    customer_message_id=room["customer_message_id"],
                    is_duplicate=True,
                    state=room["state"],
                )
            state = self._admit(room["running"], room["queued"])
            agent_id = await _store(tx, request, state)
            if state == "accepted":
                await tx.enqueue(ANSWER, AnswerTurn(message_id=request.message_id))
            await tx.publish(TURN_ACCEPTED, _fact(request, agent_id))
        return AcceptedTurn(
            conversation_id=request.conversation_id,
            message_id=request.message_id,
            customer_message_id=request.customer_message_id,
            is_duplicate=False,
            state=state,
        )

    def _admit(self, running: int, queued: int) -> TurnState:
        if running < self._running_limit:
            return "accepted"
        if queued < self._queued_limit:
            return "queued"
        raise Overloaded(
            f"{running} answers are running and {queued} are waiting", code="too_many_turns", retry_after_s=5
        )

    async def lease(self, scope: TenantScope, message_id: MessageId) -> LeasedTurn | Ended | Busy:
        async with self._database.tenant_tx(scope) as tx:
            row = await tx.fetch_row(turn_sql.LEASE, message_id, LEASE_S)
            if row is None:
                found = await tx.fetch_row(turn_sql.STATE, message_id)
                return Busy() if found is not None and found["state"] in {"accepted", "running"} else Ended()
            history = await _history(tx, row) if row["message_count"] > 1 else ()
        options = AnswerOptions.read(row["options"])
        return LeasedTurn(
            message_id=message_id,
            conversation_id=ConversationId(row["conversation_id"]),
            agent_id=AgentId(row["agent_id"]),
            attempt=row["attempt"],
            epoch=row["epoch"],
            is_stop_asked=row["is_stop_asked"],
            is_with_people=is_with_people(row["status"]),
            is_told=row["is_told"],
            question=row["question"],
            history=history,
            options=options,
            persona=row["persona"],
            instructions=row["instructions"],
            agent_name=row["name"],
            unsupported=row["unsupported"],
            agent_updated_at=row["agent_updated_at"],
            models=tuple(dict.fromkeys((options.model or row["model"], *row["fallbacks"]))),
            waited_s=row["waited_s"],
        )

    async def extend(self, scope: TenantScope, turn: LeasedTurn) -> bool | None:
        async with self._database.tenant_tx(scope) as tx:
            row = await tx.fetch_row(turn_sql.EXTEND, turn.message_id, turn.attempt, LEASE_S)
        return None if row is None else bool(row["is_stop_asked"])

    async def release(self, scope: TenantScope, turn: LeasedTurn, pause_s: float = 0.0) -> None:
        async with self._database.tenant_tx(scope) as tx:
            await tx.execute(turn_sql.RELEASE, turn.message_id, turn.attempt, pause_s)

    async def complete(self, scope: TenantScope, turn: LeasedTurn, outcome: Outcome) -> Turn | None:
        async with self._database.tenant_tx(scope, lock=turn_ending.LOCK) as tx:
            return await turn_ending.complete(tx, turn.message_id, outcome, attempt=turn.attempt, epoch=turn.epoch)

    async def fail(self, scope: TenantScope, message_id: MessageId, code: str, *, attempt: int | None = None) -> bool:
        async with self._database.tenant_tx(scope, lock=turn_ending.LOCK) as tx:
            row = await tx.fetch_row(turn_sql.FAIL, message_id, code, attempt)
            if row is None:
                return False
            failed = MessageFailed(
                conversation_id=row["conversation_id"], message_id=message_id, agent_id=row["agent_id"], code=code
            )
            await tx.publish(MESSAGE_FAILED, failed)
            await turn_ending.promote_next(tx)
        return True

    async def stop(self, scope: TenantScope, message_id: MessageId) -> bool:
        async with self._database.tenant_tx(scope, lock=turn_ending.LOCK) as tx:
            row = await tx.fetch_row(turn_sql.ASK_STOP, message_id)
            if row is None:
                if await tx.fetch_row(turn_sql.STATE, message_id) is None:
                    raise NotFound
                return False
            if not row["is_leased"]:
                stopped = Outcome(content="", finish_reason="stopped", model="")
                await turn_ending.complete(tx, message_id, stopped, attempt=row["attempt"], epoch=None)
        return bool(row["is_leased"])

    async def get(self, scope: TenantScope, message_id: MessageId) -> Turn:
        async with self._database.tenant_tx(scope) as tx:
            row = await tx.fetch_row(turn_sql.GET, message_id)
        if row is None:
            raise NotFound
        return _turn(row)


async def _store(tx: Transaction, request: AcceptTurn, state: TurnState) -> AgentId:
    """Conversation, question and turn in one statement; returns the agent that answers."""
    values = (
        tx.tenant_id,
        request.conversation_id,
        request.customer_message_id,
        request.message_id,
        request.client_message_id,
        request.content,
        request.options.dump().decode(),
        state,
        request.agent_id,
    )
    if request.is_new_conversation:
        row = await tx.fetch_row(turn_sql.BEGIN_CONVERSATION, *values, request.customer)
        missing = "no such agent" if request.agent_id else "this business has no agent yet: create one first"
    else:
        row = await tx.fetch_row(turn_sql.CONTINUE_CONVERSATION, *values)
        missing = "no such conversation, or no such agent"
    if row is None:
        raise NotFound(missing)
    if not request.is_new_conversation and row["status"] == "resolved":
        await hand_off.move(tx, request.conversation_id, reopened)
    return AgentId(row["id"])


async def _history(tx: Transaction, row: Any) -> tuple[Said, ...]:
    """What was said before the question, oldest first."""
    rows = await tx.fetch_rows(
        turn_sql.HISTORY, row["conversation_id"], row["asked_at"], row["question_id"], HISTORY_MESSAGES
    )
    return tuple(Said(said["author"] == "customer", said["content"]) for said in reversed(rows))


def _fact(request: AcceptTurn, agent_id: AgentId) -> TurnAccepted:
    return TurnAccepted(
        conversation_id=request.conversation_id,
        message_id=request.message_id,
        customer_message_id=request.customer_message_id,
        agent_id=agent_id,
        is_new_conversation=request.is_new_conversation,
    )


def _turn(row: Any) -> Turn:
    return Turn(
        conversation_id=row["conversation_id"],
        message_id=row["id"],
        customer_message_id=row["customer_message_id"],
        state=row["state"],
        attempt=row["attempt"],
        is_leased=row["is_leased"],
        content=row["content"],
        usage=Usage(
            prompt_tokens=row["prompt_tokens"],
            completion_tokens=row["completion_tokens"],
            is_estimated=row["is_usage_estimated"],
        ),
        confidence=row["confidence"],
        sources=turn_ending.SOURCES.validate_json(row["sources"]),
        finish_reason=row["finish_reason"],
        categories=tuple(row["categories"]),
        error_code=row["error_code"],
        is_retryable=row["error_code"] in ERRORS and ERRORS[row["error_code"]].retryable,
        model=row["model"],
        ended_at=row["ended_at"],
    )
