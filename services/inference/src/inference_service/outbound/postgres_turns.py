"""Turns in Postgres: every method is one transaction, fenced where two workers could meet.

What each turn does is one call of a function (migrations/versions/0006_turn_functions.py); each may run twice.
"""

from typing import Any
from uuid import UUID

from contracts.errors import ERRORS
from contracts.ids import AgentId, ConversationId, MessageId, TenantId
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
    Usage,
)
from inference_service.domain.standing import is_with_people, reopened
from inference_service.domain.turn import LEASE_S, Busy, Ended, LeasedTurn, Outcome, Said
from inference_service.outbound import hand_off, turn_ending, turn_sql
from runtime.db import Database
from runtime.errors import NotFound, Overloaded
from runtime.outbox import Outgoing
from runtime.tenancy import TenantScope

HISTORY_MESSAGES = 20


class PostgresTurns:
    """Implements `Turns`."""

    def __init__(self, database: Database, *, running_limit: int, queued_limit: int) -> None:
        self._database = database
        self._running_limit = running_limit
        self._queued_limit = queued_limit

    async def accept(self, scope: TenantScope, request: AcceptTurn) -> AcceptedTurn:
        accepted = await self._accept(scope, request)
        if accepted is None:
            async with self._database.tenant_tx(scope, lock=turn_ending.LOCK):
                await self._reopen(scope, request.conversation_id)
                accepted = await self._accept(scope, request)
                assert accepted is not None
        return accepted

    async def _reopen(self, scope: TenantScope, conversation_id: ConversationId) -> None:
        async with self._database.tenant_tx(scope, lock=turn_ending.LOCK) as tx:
            await hand_off.move(tx, conversation_id, reopened)

    async def _accept(self, scope: TenantScope, request: AcceptTurn) -> AcceptedTurn | None:
        """None when the conversation is resolved and is to be opened again first: then nothing is stored."""
        row = await self._database.call(
            scope,
            "accept_turn",
            request.client_message_id,
            request.conversation_id,
            request.is_new_conversation,
            request.message_id,
            request.customer_message_id,
            request.agent_id,
            request.content,
            request.options.dump().decode(),
            request.customer,
            self._running_limit,
            self._queued_limit,
            said=_accepted(scope.tenant_id, request),
            lock=turn_ending.LOCK,
        )
        if row["state"] is None:
            raise Overloaded(
                f"{row['running']} answers are running and {row['queued']} are waiting",
                code="too_many_turns",
                retry_after_s=5,
            )
        if row["is_duplicate"]:
            return AcceptedTurn(
                conversation_id=row["conversation_id"],
                message_id=row["message_id"],
                customer_message_id=row["customer_message_id"],
                is_duplicate=True,
                state=row["state"],
            )
        if row["agent_id"] is None:
            raise NotFound(_missing(request))
        if row["is_resolved"]:
            return None
        return AcceptedTurn(
            conversation_id=request.conversation_id,
            message_id=request.message_id,
            customer_message_id=request.customer_message_id,
            is_duplicate=False,
            state=row["state"],
        )

    async def lease(self, scope: TenantScope, message_id: MessageId) -> LeasedTurn | Ended | Busy:
        row = await self._database.call(scope, "lease_turn", message_id, LEASE_S, HISTORY_MESSAGES)
        if row["attempt"] is None:
            return Busy() if row["state"] in {"accepted", "running"} else Ended()
        if row["status"] == "resolved":
            # It was accepted before somebody ended the conversation, and is answered all the same.
            await self._reopen(scope, row["conversation_id"])
        options = AnswerOptions.read(row["options"])
        said = zip(row["authors"] or (), row["contents"] or (), strict=True)
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
            history=tuple(Said(author == "customer", content) for author, content in said),
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
        row = await self._database.call(scope, "extend_lease", turn.message_id, turn.attempt, LEASE_S)
        return None if row is None else bool(row["is_stop_asked"])

    async def release(self, scope: TenantScope, turn: LeasedTurn, pause_s: float = 0.0) -> None:
        async with self._database.tenant_tx(scope) as tx:
            await tx.execute(turn_sql.RELEASE, turn.message_id, turn.attempt, pause_s)

    async def complete(self, scope: TenantScope, turn: LeasedTurn, outcome: Outcome) -> Turn | None:
        of = turn_ending.Attempt(turn.message_id, turn.conversation_id, turn.agent_id, turn.attempt, turn.epoch)
        if not outcome.is_for_people:
            return await turn_ending.complete(self._database, scope, of, outcome)
        async with self._database.tenant_tx(scope, lock=turn_ending.LOCK) as tx:
            completed = await turn_ending.complete(self._database, scope, of, outcome)
            if completed is not None:
                await hand_off.move(tx, turn.conversation_id, outcome.hand_over)
        return completed

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
                of = turn_ending.Attempt(message_id, row["conversation_id"], row["agent_id"], row["attempt"])
                await turn_ending.complete(self._database, scope, of, stopped)
        return bool(row["is_leased"])

    async def get(self, scope: TenantScope, message_id: MessageId) -> Turn:
        async with self._database.tenant_tx(scope) as tx:
            row = await tx.fetch_row(turn_sql.GET, message_id)
        if row is None:
            raise NotFound
        return _turn(row)


def _accepted(tenant_id: TenantId, request: AcceptTurn) -> tuple[Outgoing, Outgoing]:
    """The fact and the job. Which agent answers only the database knows, which then fills it in."""
    fact = TurnAccepted(
        conversation_id=request.conversation_id,
        message_id=request.message_id,
        customer_message_id=request.customer_message_id,
        agent_id=request.agent_id or AgentId(UUID(int=0)),
        is_new_conversation=request.is_new_conversation,
    )
    job = AnswerTurn(message_id=request.message_id)
    return Outgoing.fact(tenant_id, TURN_ACCEPTED, fact), Outgoing.job(tenant_id, ANSWER, job)


def _missing(request: AcceptTurn) -> str:
    if not request.is_new_conversation:
        return "no such conversation, or no such agent"
    return "no such agent" if request.agent_id else "this business has no agent yet: create one first"


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
