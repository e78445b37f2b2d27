"""How a turn ends, inside one transaction: fenced, with the stored answer, the fact, and the next waiting turn."""

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from contracts.ids import AgentId, ConversationId, MessageId, TenantId
from contracts.inference import ANSWER, MESSAGE_COMPLETED, AnswerTurn, MessageCompleted, Source, Turn
from inference_service.domain.turn import Outcome
from inference_service.outbound import turn_sql
from runtime.db import Database
from runtime.outbox import Outgoing
from runtime.tenancy import TenantScope
from runtime.transaction import Transaction

LOCK = "turns"
"""Whoever accepts or ends a turn holds this lock of the tenant, so that counts are true and nobody waits for ever."""

SOURCES: TypeAdapter[tuple[Source, ...]] = TypeAdapter(tuple[Source, ...])


@dataclass(frozen=True, slots=True)
class Attempt:
    """Which attempt ends. Without an epoch it ends whoever stepped in."""

    message_id: MessageId
    conversation_id: ConversationId
    agent_id: AgentId
    number: int
    epoch: int | None = None


async def complete(database: Database, scope: TenantScope, of: Attempt, outcome: Outcome) -> Turn | None:
    """Store the answer; None when this attempt is no longer current or a person stepped in: then nothing is stored."""
    trace = outcome.trace
    row = await database.call(
        scope,
        "complete_turn",
        of.message_id,
        of.number,
        of.epoch,
        outcome.finish_reason,
        list(outcome.categories),
        outcome.model,
        outcome.usage.prompt_tokens,
        outcome.usage.completion_tokens,
        outcome.usage.is_estimated,
        outcome.confidence,
        outcome.content,
        SOURCES.dump_json(outcome.sources).decode(),
        None if trace is None else trace.dump().decode(),
        None if trace is None else trace.query,
        None if trace is None else trace.gap,
        said=_completed(scope.tenant_id, of, outcome),
        lock=LOCK,
    )
    return None if row is None else _ended(row, of, outcome)


def _completed(tenant_id: TenantId, of: Attempt, outcome: Outcome) -> tuple[Outgoing, Outgoing]:
    """The fact, and the job of the turn that is let in, if one waits: the database fills in which."""
    fact = MessageCompleted(
        conversation_id=of.conversation_id,
        message_id=of.message_id,
        agent_id=of.agent_id,
        attempt=of.number,
        finish_reason=outcome.finish_reason,
        prompt_tokens=outcome.usage.prompt_tokens,
        completion_tokens=outcome.usage.completion_tokens,
    )
    job = AnswerTurn(message_id=of.message_id)
    return Outgoing.fact(tenant_id, MESSAGE_COMPLETED, fact), Outgoing.job(tenant_id, ANSWER, job)


async def promote_next(tx: Transaction) -> None:
    """Whoever ends a turn enqueues the tenant's oldest waiting one."""
    waiting = await tx.fetch_row(turn_sql.PROMOTE)
    if waiting is not None:
        await tx.enqueue(ANSWER, AnswerTurn(message_id=waiting["id"]))


def _ended(row: Any, of: Attempt, outcome: Outcome) -> Turn:
    """What asking for the turn would give."""
    return Turn(
        conversation_id=of.conversation_id,
        message_id=of.message_id,
        customer_message_id=row["customer_message_id"],
        state="completed",
        attempt=of.number,
        is_leased=False,
        content=outcome.content,
        usage=outcome.usage,
        confidence=outcome.confidence,
        sources=outcome.sources,
        finish_reason=outcome.finish_reason,
        categories=outcome.categories,
        model=outcome.model,
        ended_at=row["ended_at"],
    )
