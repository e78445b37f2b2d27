"""How a conversation changes hands, inside one transaction that holds `turn_ending.LOCK`.

Whoever ends a turn holds that lock too, so an epoch is never raised between the look at it and the answer's row.
"""

from contracts.hand_off import CONVERSATION_UPDATED, ConversationUpdated
from contracts.ids import ConversationId, MessageId
from inference_service.domain.standing import Move, Standing
from inference_service.outbound import hand_off_sql
from runtime.errors import Conflict, NotFound, Rejected
from runtime.transaction import Transaction


async def move(
    tx: Transaction, conversation_id: ConversationId, change: Move, *, seen: MessageId | None = None
) -> tuple[Standing, Standing]:
    """Change how it stands, and say so if anybody could see it; returns what it was and what it is.

    Raises:
        NotFound: there is no such conversation.
        Conflict, Rejected: the customer wrote after `seen`, or that is no message of it.
    """
    row = await tx.fetch_row(hand_off_sql.STANDING, conversation_id)
    if row is None:
        raise NotFound
    before = Standing(**row)
    after = change(before)
    if after == before:
        return before, before
    if seen is not None:
        await _refuse_unseen(tx, conversation_id, seen)
    await tx.execute(
        hand_off_sql.MOVE, conversation_id, after.status, after.epoch, after.reason, after.assignee, after.is_told
    )
    if (after.status, after.reason, after.assignee) != (before.status, before.reason, before.assignee):
        await say(tx, conversation_id, after)
    return before, after


async def _refuse_unseen(tx: Transaction, conversation_id: ConversationId, seen: MessageId) -> None:
    """Nobody decides over words of the customer that they have not read.

    Raises:
        Conflict: the customer wrote after `seen` (`unseen_message`), with the newest such message.
        Rejected: `seen` is neither a message nor a note of this conversation.
    """
    row = await tx.fetch_row(hand_off_sql.SEEN, conversation_id, seen)
    if row is None:
        raise Rejected("`seen` is no message of this conversation")
    unseen = await tx.fetch_row(hand_off_sql.UNSEEN, conversation_id, row["created_at"], seen)
    if unseen is not None:
        raise Conflict(
            "the customer has written since: read that first", code="unseen_message", conflicts_with=str(unseen["id"])
        )


async def say(tx: Transaction, conversation_id: ConversationId, standing: Standing) -> None:
    """Tell how it stands now."""
    updated = ConversationUpdated(conversation_id=conversation_id, status=standing.status, assignee=standing.assignee)
    await tx.publish(CONVERSATION_UPDATED, updated)
