"""Conversations that people take from the machine, and give back."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts import hand_off
from contracts.ids import ConversationId, UserId
from contracts.inference import Conversation
from contracts.rest import AssignBody, EscalateBody, SeenBody
from gateway_service.domain.principal import Principal
from gateway_service.domain.told_outside import told_to
from gateway_service.inbound.http_desk import HttpDesk
from gateway_service.inbound.openapi import taking
from gateway_service.inbound.reading import Id, answer, read_body, with_right

_CHAT, _INBOX = with_right("chat"), with_right("inbox")


def routes(desk: HttpDesk) -> APIRouter:
    """What changes the hands of a conversation; each may be said twice."""
    router = APIRouter(tags=["conversations"])
    _taking(router, desk)
    _giving(router, desk)
    return router


def _taking(router: APIRouter, desk: HttpDesk) -> None:
    @router.post(
        "/api/conversations/{conversation_id}/escalate",
        response_model=Conversation,
        openapi_extra=taking(EscalateBody),
    )
    async def escalate(request: Request, conversation_id: Id, principal: Principal = _CHAT) -> Response:
        body = await read_body(request, EscalateBody)
        question = hand_off.Escalate(conversation_id=ConversationId(conversation_id), reason=body.reason)
        found = (await desk.services.ask(hand_off.ESCALATE, question, principal.scope)).conversation
        return answer(told_to(principal, found))

    @router.post(
        "/api/conversations/{conversation_id}/assign", response_model=Conversation, openapi_extra=taking(AssignBody)
    )
    async def assign(request: Request, conversation_id: Id, principal: Principal = _INBOX) -> Response:
        body = await read_body(request, AssignBody)
        question = hand_off.Assign(
            conversation_id=ConversationId(conversation_id),
            person=UserId(principal.id),
            is_take_over=body.take_over,
        )
        return answer((await desk.services.ask(hand_off.ASSIGN, question, principal.scope)).conversation)


def _giving(router: APIRouter, desk: HttpDesk) -> None:
    @router.post(
        "/api/conversations/{conversation_id}/hand-back", response_model=Conversation, openapi_extra=taking(SeenBody)
    )
    async def hand_back(request: Request, conversation_id: Id, principal: Principal = _INBOX) -> Response:
        body = await read_body(request, SeenBody)
        question = hand_off.HandBack(conversation_id=ConversationId(conversation_id), seen=body.seen)
        return answer((await desk.services.ask(hand_off.HAND_BACK, question, principal.scope)).conversation)

    @router.post(
        "/api/conversations/{conversation_id}/resolve", response_model=Conversation, openapi_extra=taking(SeenBody)
    )
    async def resolve(request: Request, conversation_id: Id, principal: Principal = _INBOX) -> Response:
        body = await read_body(request, SeenBody)
        question = hand_off.Resolve(conversation_id=ConversationId(conversation_id), seen=body.seen)
        return answer((await desk.services.ask(hand_off.RESOLVE, question, principal.scope)).conversation)
