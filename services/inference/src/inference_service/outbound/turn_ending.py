"""How a turn ends, inside one transaction: fenced, with the stored answer, the fact, and the next waiting turn."""

from typing import Any

from pydantic import TypeAdapter

from contracts.ids import MessageId
from contracts.inference import ANSWER, MESSAGE_COMPLETED, AnswerTurn, MessageCompleted, Source, Turn
from inference_service.domain.turn import Outcome
from inference_service.outbound import gap_sql, hand_off, turn_sql
from runtime.db import Transaction

LOCK = "turns"
"""Whoever accepts or ends a turn holds this lock of the tenant, so that counts are true and nobody waits for ever."""

SOURCES: TypeAdapter[tuple[Source, ...]] = TypeAdapter(tuple[Source, ...])


async def complete(
    tx: Transaction, message_id: MessageId, outcome: Outcome, *, attempt: int, epoch: int | None
) -> Turn | None:
    """Store the answer; None when this attempt is no longer current or a person stepped in: then nothing is stored."""
    trace = outcome.trace
    row = await tx.fetch_row(
        turn_sql.COMPLETE,
        tx.tenant_id,
        message_id,
        attempt,
        epoch,
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
    )
    if row is None:
        return None
    completed = MessageCompleted(
        conversation_id=row["conversation_id"],
        message_id=message_id,
        agent_id=row["agent_id"],
        attempt=attempt,
        finish_reason=outcome.finish_reason,
        prompt_tokens=outcome.usage.prompt_tokens,
        completion_tokens=outcome.usage.completion_tokens,
    )
    await tx.publish(MESSAGE_COMPLETED, completed)
    if trace is not None and trace.gap is not None:
        await tx.execute(gap_sql.KEEP, tx.tenant_id, message_id, row["conversation_id"], trace.query, trace.gap)
    if outcome.finish_reason == "handed_over":
        await hand_off.move(tx, row["conversation_id"], outcome.hand_over)
    await _enqueue_next(tx, row["next_id"])
    return _ended(row, message_id, outcome, attempt)


async def promote_next(tx: Transaction) -> None:
    """Whoever ends a turn enqueues the tenant's oldest waiting one."""
    waiting = await tx.fetch_row(turn_sql.PROMOTE)
    await _enqueue_next(tx, None if waiting is None else waiting["id"])


async def _enqueue_next(tx: Transaction, promoted: MessageId | None) -> None:
    if promoted is not None:
        await tx.enqueue(ANSWER, AnswerTurn(message_id=promoted))


def _ended(row: Any, message_id: MessageId, outcome: Outcome, attempt: int) -> Turn:
    """What asking for the turn would give."""
    return Turn(
        conversation_id=row["conversation_id"],
        message_id=message_id,
        customer_message_id=row["customer_message_id"],
        state="completed",
        attempt=attempt,
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
