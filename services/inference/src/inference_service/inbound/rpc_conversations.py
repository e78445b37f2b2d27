"""Conversations and their messages, to read."""

from contracts.hand_off import GET_MESSAGE, GetMessage, MessageReply
from contracts.inference import (
    GET_CONVERSATION,
    LIST_CONVERSATIONS,
    LIST_MESSAGES,
    ConversationReply,
    Conversations,
    GetConversation,
    ListConversations,
    ListMessages,
    Messages,
)
from inference_service.domain.ports import ConversationStore
from runtime.bus import Bus
from runtime.tenancy import TenantScope


def register(bus: Bus, conversations: ConversationStore) -> None:
    """Answer `rpc.inference.{get_conversation,list_conversations,list_messages,get_message}`."""

    async def get_conversation(question: GetConversation, scope: TenantScope) -> ConversationReply:
        return ConversationReply(conversation=await conversations.get(scope, question.conversation_id))

    async def list_conversations(question: ListConversations, scope: TenantScope) -> Conversations:
        return await conversations.list(scope, question)

    async def list_messages(question: ListMessages, scope: TenantScope) -> Messages:
        return await conversations.messages(scope, question)

    async def get_message(question: GetMessage, scope: TenantScope) -> MessageReply:
        return MessageReply(message=await conversations.message(scope, question.conversation_id, question.message_id))

    bus.answer(GET_MESSAGE, get_message)
    bus.answer(GET_CONVERSATION, get_conversation)
    bus.answer(LIST_CONVERSATIONS, list_conversations)
    bus.answer(LIST_MESSAGES, list_messages)
