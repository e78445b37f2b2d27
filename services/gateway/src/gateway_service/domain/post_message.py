"""Asking through REST: the answer is read later, from the conversation or over a socket."""

from uuid import UUID, uuid5

from contracts.frames import MessageAccepted
from contracts.ids import ClientMessageId, ConversationId, MessageId, uuid7
from contracts.inference import ACCEPT_TURN, LIST_MESSAGES, AcceptedTurn, AcceptTurn, ListMessages
from contracts.paging import PAGE_LIMIT
from contracts.rest import NewMessage
from gateway_service.domain.ports import Services
from gateway_service.domain.principal import Principal
from runtime.errors import Conflict


async def post_message(
    message: NewMessage,
    conversation_id: ConversationId,
    principal: Principal,
    *,
    services: Services,
    idempotency_key: str | None,
) -> MessageAccepted:
    """Have the turn accepted in a conversation that exists; durable when it returns.

    Raises:
        Conflict: the Idempotency-Key came before with another message.
        NotFound: this business has no such conversation.
        Overloaded: as many answers as the business may have are waiting or running.
        Unavailable: inference is away.
    """
    request = AcceptTurn(
        client_message_id=message.client_message_id or _client_message_id(principal.tenant_id, idempotency_key),
        conversation_id=conversation_id,
        is_new_conversation=False,
        message_id=MessageId(uuid7()),
        customer_message_id=MessageId(uuid7()),
        agent_id=message.agent_id,
        content=message.content,
        options=message.options,
        customer=principal.key,
    )
    accepted = await services.ask(ACCEPT_TURN, request, principal.scope)
    if accepted.is_duplicate and idempotency_key is not None:
        await _refuse_another(request, accepted, principal, services)
    return MessageAccepted(
        client_message_id=request.client_message_id,
        conversation_id=accepted.conversation_id,
        message_id=accepted.message_id,
        customer_message_id=accepted.customer_message_id,
        duplicate=accepted.is_duplicate,
    )


async def _refuse_another(
    request: AcceptTurn, accepted: AcceptedTurn, principal: Principal, services: Services
) -> None:
    """Rare, so the first message is looked up where it is kept, page by page."""
    cursor: str | None = None
    while accepted.conversation_id == request.conversation_id:
        question = ListMessages(conversation_id=accepted.conversation_id, limit=PAGE_LIMIT, cursor=cursor)
        page = await services.ask(LIST_MESSAGES, question, principal.scope)
        first = next((message for message in page.items if message.id == accepted.customer_message_id), None)
        if first is not None and first.content == request.content:
            return
        if first is not None or page.next_cursor is None:
            break
        cursor = page.next_cursor
    raise Conflict(code="idempotency_conflict")


def _client_message_id(tenant_id: UUID, idempotency_key: str | None) -> ClientMessageId:
    """An Idempotency-Key names the message as well as an id does; without either it is a new one."""
    return ClientMessageId(uuid7() if idempotency_key is None else uuid5(tenant_id, idempotency_key))
