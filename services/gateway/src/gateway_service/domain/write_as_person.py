"""What people write in a conversation: to the customer, or to each other."""

import hashlib

from contracts.hand_off import CHOOSE_AUTHOR, WRITE_MESSAGE, ChooseAuthor, WriteMessage
from contracts.ids import ConversationId, UserId
from contracts.inference import Message
from contracts.paging import Idempotency
from contracts.rest import NewMessage
from gateway_service.domain.ports import Services
from gateway_service.domain.principal import Principal


async def speaks_as_person(
    message: NewMessage,
    conversation_id: ConversationId,
    principal: Principal,
    *,
    services: Services,
    idempotency_key: str | None,
) -> bool:
    """Tell whether a message is a person's: when they say so, or when people have the conversation.

    What is sent again with its key is whose it was.

    Raises:
        Forbidden: a program, or who may not, wants to write as a person.
        Conflict: the key came before with another message, or as another author's.
        NotFound: this business has no such conversation.
        Unavailable: inference is away.
    """
    said = "person" if message.internal else message.author
    if said == "person":
        principal.require("inbox")
    if not principal.may("inbox"):
        return False
    idempotency = _idempotency(message, conversation_id, idempotency_key)
    if said is not None and idempotency is None:
        return said == "person"
    question = ChooseAuthor(conversation_id=conversation_id, said=said, idempotency=idempotency)
    return (await services.ask(CHOOSE_AUTHOR, question, principal.scope)).author == "person"


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
    request = WriteMessage(
        conversation_id=conversation_id,
        person=UserId(principal.id),
        content=message.content,
        internal=message.internal,
        idempotency=_idempotency(message, conversation_id, idempotency_key),
    )
    return (await services.ask(WRITE_MESSAGE, request, principal.scope)).message


def _idempotency(message: NewMessage, conversation_id: ConversationId, key: str | None) -> Idempotency | None:
    """What names the message, with a hash of its words."""
    key = key or (str(message.client_message_id) if message.client_message_id else None)
    if key is None:
        return None
    words = f"{conversation_id}:{message.internal}:{message.content}"
    return Idempotency(key=key, body_sha256=hashlib.sha256(words.encode()).hexdigest())
