"""Conversations that people take and give back, and what they write in them."""

from collections.abc import Iterable

from contracts.hand_off import (
    ASSIGN,
    CHOOSE_AUTHOR,
    ESCALATE,
    HAND_BACK,
    RESOLVE,
    WRITE_MESSAGE,
    Assign,
    ChooseAuthor,
    ChosenAuthor,
    Escalate,
    HandBack,
    MessageReply,
    Resolve,
    WriteMessage,
)
from contracts.ids import ConversationId, MessageId
from contracts.inference import ConversationReply, StopAsked
from inference_service.domain.ports import HandOffs
from inference_service.domain.standing import Move, assigned, escalated, handed_back, resolved
from runtime.bus import Bus
from runtime.tenancy import TenantScope


def register(bus: Bus, hand_offs: HandOffs) -> None:
    """Answer `rpc.inference.{escalate,assign,hand_back,resolve,choose_author,write_message}`."""

    async def moved(
        scope: TenantScope, conversation_id: ConversationId, change: Move, seen: MessageId | None = None
    ) -> ConversationReply:
        done = await hand_offs.move(scope, conversation_id, change, seen=seen)
        await silence(scope, done.stale)
        return ConversationReply(conversation=done.conversation)

    async def silence(scope: TenantScope, stale: Iterable[MessageId]) -> None:
        """The raised epoch is what counts; the hint only spares the customer words that will not stay."""
        for message_id in stale:
            await bus.hint("stop", scope.tenant_id, message_id, StopAsked(message_id=message_id))

    async def escalate(question: Escalate, scope: TenantScope) -> ConversationReply:
        return await moved(scope, question.conversation_id, lambda standing: escalated(standing, question.reason))

    async def assign(question: Assign, scope: TenantScope) -> ConversationReply:
        return await moved(
            scope,
            question.conversation_id,
            lambda standing: assigned(standing, question.person, is_take_over=question.is_take_over),
        )

    async def hand_back(question: HandBack, scope: TenantScope) -> ConversationReply:
        return await moved(scope, question.conversation_id, handed_back, question.seen)

    async def resolve(question: Resolve, scope: TenantScope) -> ConversationReply:
        return await moved(scope, question.conversation_id, resolved, question.seen)

    async def choose_author(question: ChooseAuthor, scope: TenantScope) -> ChosenAuthor:
        return await hand_offs.choose_author(scope, question)

    async def write_message(question: WriteMessage, scope: TenantScope) -> MessageReply:
        message, stale = await hand_offs.write(scope, question)
        await silence(scope, stale)
        return MessageReply(message=message)

    bus.answer(ESCALATE, escalate)
    bus.answer(ASSIGN, assign)
    bus.answer(HAND_BACK, hand_back)
    bus.answer(RESOLVE, resolve)
    bus.answer(CHOOSE_AUTHOR, choose_author)
    bus.answer(WRITE_MESSAGE, write_message)
