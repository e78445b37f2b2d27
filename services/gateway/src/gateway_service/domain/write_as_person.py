"""What people write in a conversation: to the customer, or to each other."""

import hashlib

from contracts.hand_off import WRITE_MESSAGE, WriteMessage
from contracts.ids import ConversationId, UserId
from contracts.inference import GET_CONVERSATION, GetConversation, Message
from contracts.paging import Idempotency
from contracts.rest import NewMessage
from gateway_service.domain.ports import Services
from gateway_service.domain.principal import Principal

_WITH_PEOPLE = ("waiting_for_person", "with_person")


async def speaks_as_person(
    message: NewMessage, conversation_id: ConversationId, principal: Principal, services: Services
) -> bool:
    """Tell whether a message is a person's: when they say so, or when people have the conversation.

    Raises:
        Forbidden: a program, or who may not, wants to write as a person.
        NotFound: this business has no such conversation.
        Unavailable: inference is away.
    """
    if message.internal or message.author == "person":
        principal.require("inbox")
        return True
    if message.author == "customer" or not principal.may("inbox"):
        return False
    question = GetConversation(conversation_id=conversation_id)
    return (await services.ask(GET_CONVERSATION, question, principal.scope)).conversation.status in _WITH_PEOPLE


async def write_as_person(
    message: NewMessage,
    conversation_id: ConversationId,
    principal: Principal,
    *,
    services: Services,
    idempotency_key: str | None,
) -> Message:
    """Store it; a repeated Idempotency-Key or `client_message_id` is the same message.

    Raises:
        Conflict: the key came before with another message.
        NotFound: this business has no such conversation.
        Unavailable: inference is away.
    """
    key = idempotency_key or (str(message.client_message_id) if message.client_message_id else None)
    said = f"{conversation_id}:{message.internal}:{message.content}"
    request = WriteMessage(
        conversation_id=conversation_id,
        person=UserId(principal.id),
        content=message.content,
        internal=message.internal,
        idempotency=key and Idempotency(key=key, body_sha256=hashlib.sha256(said.encode()).hexdigest()),
    )
    return (await services.ask(WRITE_MESSAGE, request, principal.scope)).message
