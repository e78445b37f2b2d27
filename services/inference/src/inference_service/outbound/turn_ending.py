"""How a turn ends, inside one transaction: fenced, with the stored answer, the fact, and the next waiting turn."""

from pydantic import TypeAdapter

from contracts.ids import ConversationId, MessageId
from contracts.inference import ANSWER, MESSAGE_COMPLETED, AnswerTurn, MessageCompleted, Source
from inference_service.domain.turn import Outcome
from inference_service.outbound import gap_sql, turn_sql
from runtime.db import Transaction

LOCK = "turns"
"""Whoever accepts or ends a turn holds this lock of the tenant, so that counts are true and nobody waits for ever."""

SOURCES: TypeAdapter[tuple[Source, ...]] = TypeAdapter(tuple[Source, ...])


async def complete(
    tx: Transaction, message_id: MessageId, outcome: Outcome, *, attempt: int, epoch: int | None
) -> ConversationId | None:
    """Store the answer; None when this attempt is no longer current or a person stepped in: then nothing is stored."""
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
    if outcome.trace is not None:
        body = outcome.trace.dump().decode()
        await tx.execute(turn_sql.KEEP_TRACE, tx.tenant_id, message_id, completed.conversation_id, body)
        if outcome.trace.gap is not None:
            question, reason = outcome.trace.query, outcome.trace.gap
            await tx.execute(gap_sql.KEEP, tx.tenant_id, message_id, completed.conversation_id, question, reason)
    await promote_next(tx)
    return completed.conversation_id


async def promote_next(tx: Transaction) -> None:
    """Whoever ends a turn enqueues the tenant's oldest waiting one."""
    waiting = await tx.fetch_row(turn_sql.PROMOTE)
    if waiting is not None:
        await tx.enqueue(ANSWER, AnswerTurn(message_id=waiting["id"]))
