"""Conversations and their messages; asking without a socket."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from contracts import inference as ai
from contracts import trace
from contracts.frames import MessageAccepted
from contracts.ids import AgentId, ConversationId, MessageId
from contracts.paging import Order
from contracts.rest import NewMessage
from gateway_service.domain.post_message import post_message
from gateway_service.domain.principal import Principal
from gateway_service.domain.told_outside import told_to
from gateway_service.domain.write_as_person import speaks_as_person, write_as_person
from gateway_service.inbound.http_desk import HttpDesk
from gateway_service.inbound.openapi import taking
from gateway_service.inbound.reading import Id, Page, answer, idempotency_key, read_body, with_right

_READ, _CHAT = with_right("chat.read"), with_right("chat")


def routes(desk: HttpDesk) -> APIRouter:
    """Paths under /api/conversations."""
    router = APIRouter(tags=["conversations"])
    _conversations(router, desk)
    _messages(router, desk)
    _traces(router, desk)
    return router


def _conversations(router: APIRouter, desk: HttpDesk) -> None:
    @router.get("/api/conversations", response_model=ai.Conversations)
    async def list_conversations(
        page: Page,
        status: Annotated[ai.ConversationStatus | None, Query()] = None,
        agent_id: Annotated[AgentId | None, Query()] = None,
        principal: Principal = _READ,
    ) -> Response:
        question = ai.ListConversations(limit=page.limit, cursor=page.cursor, status=status, agent_id=agent_id)
        found = await desk.services.ask(ai.LIST_CONVERSATIONS, question, principal.scope)
        items = tuple(told_to(principal, conversation) for conversation in found.items)
        return answer(found.model_copy(update={"items": items}))

    @router.get("/api/conversations/{conversation_id}", response_model=ai.Conversation)
    async def get_conversation(conversation_id: Id, principal: Principal = _READ) -> Response:
        question = ai.GetConversation(conversation_id=ConversationId(conversation_id))
        found = (await desk.services.ask(ai.GET_CONVERSATION, question, principal.scope)).conversation
        return answer(told_to(principal, found))


def _messages(router: APIRouter, desk: HttpDesk) -> None:
    @router.get("/api/conversations/{conversation_id}/messages", response_model=ai.Messages)
    async def list_messages(
        conversation_id: Id,
        page: Page,
        order: Annotated[Order, Query()] = "asc",
        principal: Principal = _READ,
    ) -> Response:
        question = ai.ListMessages(
            conversation_id=ConversationId(conversation_id),
            limit=page.limit,
            cursor=page.cursor,
            with_notes=principal.kind == "user",
            order=order,
        )
        return answer(await desk.services.ask(ai.LIST_MESSAGES, question, principal.scope))

    @router.post(
        "/api/conversations/{conversation_id}/messages",
        status_code=202,
        response_model=MessageAccepted,
        responses={201: {"model": ai.Message, "description": "Written as a person"}},
        openapi_extra=taking(NewMessage),
    )
    async def create_message(request: Request, conversation_id: Id, principal: Principal = _CHAT) -> Response:
        message, where = await read_body(request, NewMessage), ConversationId(conversation_id)
        services, key = desk.services, idempotency_key(request)
        if await speaks_as_person(message, where, principal, services=services, idempotency_key=key):
            return answer(await write_as_person(message, where, principal, services=services, idempotency_key=key), 201)
        return answer(await post_message(message, where, principal, services=services, idempotency_key=key), 202)


def _traces(router: APIRouter, desk: HttpDesk) -> None:
    @router.get("/api/conversations/{conversation_id}/messages/{message_id}/trace", response_model=trace.AnswerTrace)
    async def get_trace(conversation_id: Id, message_id: Id, principal: Principal = _CHAT) -> Response:
        question = trace.GetTrace(conversation_id=ConversationId(conversation_id), message_id=MessageId(message_id))
        return answer((await desk.services.ask(trace.GET_TRACE, question, principal.scope)).trace)
