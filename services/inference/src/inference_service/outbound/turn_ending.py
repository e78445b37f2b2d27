"""How a turn ends, inside one transaction: fenced, with the stored answer, the fact, and the next waiting turn."""

from sqlalchemy import func, insert, text, update
from sqlmodel import col

from contracts.ids import MessageId
from contracts.inference import ANSWER, MESSAGE_COMPLETED, AnswerTurn, MessageCompleted
from inference_service.domain.turn import Outcome
from inference_service.outbound.tables import ConversationRow, MessageRow
from runtime.db import Transaction

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:tenant, 0))")
_COMPLETE = text("""
    UPDATE turn SET state = 'completed', lease_until = NULL, ended_at = now(), finish_reason = :finish_reason,
        categories = :categories, model = :model, prompt_tokens = :prompt_tokens,
        completion_tokens = :completion_tokens, is_usage_estimated = :is_estimated, confidence = :confidence
    WHERE id = :id AND attempt = :attempt AND state NOT IN ('completed', 'failed')
        AND (CAST(:epoch AS integer) IS NULL OR :epoch = (
            SELECT epoch FROM conversation c WHERE (c.tenant_id, c.id) = (turn.tenant_id, turn.conversation_id)))
    RETURNING conversation_id, agent_id
""")
_PROMOTE = text("""
    UPDATE turn SET state = 'accepted', enqueued_at = now()
    WHERE id = (SELECT id FROM turn WHERE state = 'queued' ORDER BY accepted_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id
""")


async def lock_tenant(tx: Transaction) -> None:
    """Always first: whoever accepts or ends a turn of this tenant waits here, so nobody waits for rows in turn."""
    await tx.session.execute(_LOCK, {"tenant": f"turns:{tx.tenant_id}"})


async def complete(
    tx: Transaction, message_id: MessageId, outcome: Outcome, *, attempt: int, epoch: int | None
) -> bool:
    """Store the answer; False when this attempt is no longer current or a person stepped in: then nothing is stored."""
    values = {
        "id": message_id,
        "attempt": attempt,
        "epoch": epoch,
        "finish_reason": outcome.finish_reason,
        "categories": list(outcome.categories),
        "model": outcome.model,
        "prompt_tokens": outcome.usage.prompt_tokens,
        "completion_tokens": outcome.usage.completion_tokens,
        "is_estimated": outcome.usage.is_estimated,
        "confidence": outcome.confidence,
    }
    row = (await tx.session.execute(_COMPLETE, values)).one_or_none()
    if row is None:
        return False
    await tx.session.execute(
        insert(MessageRow).values(
            tenant_id=tx.tenant_id,
            id=message_id,
            conversation_id=row.conversation_id,
            author="machine",
            content=outcome.content,
            sources=[source.model_dump(mode="json") for source in outcome.sources],
            created_at=func.now(),
        )
    )
    await tx.session.execute(
        update(ConversationRow)
        .where(col(ConversationRow.id) == row.conversation_id)
        .values(message_count=ConversationRow.message_count + 1, updated_at=func.now())
    )
    completed = MessageCompleted(
        conversation_id=row.conversation_id,
        message_id=message_id,
        agent_id=row.agent_id,
        attempt=attempt,
        finish_reason=outcome.finish_reason,
        prompt_tokens=outcome.usage.prompt_tokens,
        completion_tokens=outcome.usage.completion_tokens,
    )
    await tx.publish(MESSAGE_COMPLETED, completed)
    await promote_next(tx)
    return True


async def promote_next(tx: Transaction) -> None:
    """Whoever ends a turn enqueues the tenant's oldest waiting one."""
    waiting = (await tx.session.execute(_PROMOTE)).scalar_one_or_none()
    if waiting is not None:
        await tx.enqueue(ANSWER, AnswerTurn(message_id=waiting))
