"""How a conversation changes hands, inside one transaction that holds `turn_ending.LOCK`.

Whoever ends a turn holds that lock too, so an epoch is never raised between the look at it and the answer's row.
"""

from contracts.hand_off import CONVERSATION_UPDATED, ConversationUpdated
from contracts.ids import ConversationId
from inference_service.domain.standing import Move, Standing
from inference_service.outbound import hand_off_sql
from runtime.errors import NotFound
from runtime.transaction import Transaction


async def move(tx: Transaction, conversation_id: ConversationId, change: Move) -> tuple[Standing, Standing]:
    """Change how it stands, and say so if anybody could see it; returns what it was and what it is.

    Raises:
        NotFound: there is no such conversation.
    """
    row = await tx.fetch_row(hand_off_sql.STANDING, conversation_id)
    if row is None:
        raise NotFound
    before = Standing(**row)
    after = change(before)
    if after == before:
        return before, before
    await tx.execute(
        hand_off_sql.MOVE, conversation_id, after.status, after.epoch, after.reason, after.assignee, after.is_told
    )
    if (after.status, after.reason, after.assignee) != (before.status, before.reason, before.assignee):
        await say(tx, conversation_id, after)
    return before, after


async def say(tx: Transaction, conversation_id: ConversationId, standing: Standing) -> None:
    """Tell how it stands now."""
    updated = ConversationUpdated(conversation_id=conversation_id, status=standing.status, assignee=standing.assignee)
    await tx.publish(CONVERSATION_UPDATED, updated)
