"""How documents are cut; what customers asked in vain, and the answers that close such gaps."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from contracts import gaps
from contracts.ids import GapId
from contracts.ingest import GET_SETTINGS, PUT_SETTINGS, GetKnowledgeSettings, KnowledgeSettings, PutKnowledgeSettings
from contracts.rest import GapResolution
from gateway_service.domain.principal import Principal
from gateway_service.domain.resolve_gap import resolve_gap
from gateway_service.inbound.http_desk import HttpDesk
from gateway_service.inbound.openapi import taking
from gateway_service.inbound.reading import Id, Page, answer, read_body, with_right

_READ, _CHANGE = with_right("documents.read"), with_right("documents")
_DECIDE = with_right("business")


def routes(desk: HttpDesk) -> APIRouter:
    """Paths under /api/knowledge."""
    router = APIRouter(tags=["knowledge"])
    _add_settings(router, desk)
    _add_gaps(router, desk)
    return router


def _add_settings(router: APIRouter, desk: HttpDesk) -> None:
    @router.get("/api/knowledge/settings", response_model=KnowledgeSettings)
    async def get_settings(principal: Principal = _READ) -> Response:
        return answer((await desk.services.ask(GET_SETTINGS, GetKnowledgeSettings(), principal.scope)).settings)

    @router.put("/api/knowledge/settings", response_model=KnowledgeSettings, openapi_extra=taking(KnowledgeSettings))
    async def put_settings(request: Request, principal: Principal = _DECIDE) -> Response:
        asked = PutKnowledgeSettings(settings=await read_body(request, KnowledgeSettings))
        return answer((await desk.services.ask(PUT_SETTINGS, asked, principal.scope)).settings)


def _add_gaps(router: APIRouter, desk: HttpDesk) -> None:
    @router.get("/api/knowledge/gaps", response_model=gaps.Gaps)
    async def list_gaps(
        page: Page, state: Annotated[gaps.GapState, Query()] = "open", principal: Principal = _READ
    ) -> Response:
        question = gaps.ListGaps(limit=page.limit, cursor=page.cursor, state=state)
        return answer(await desk.services.ask(gaps.LIST_GAPS, question, principal.scope))

    @router.post("/api/knowledge/gaps/{gap_id}/resolve", response_model=gaps.Gap, openapi_extra=taking(GapResolution))
    async def resolve(request: Request, gap_id: Id, principal: Principal = _CHANGE) -> Response:
        resolution = await read_body(request, GapResolution)
        return answer(await resolve_gap(GapId(gap_id), resolution, principal, services=desk.services, inbox=desk.inbox))

    @router.post("/api/knowledge/gaps/{gap_id}/reopen", response_model=gaps.Gap)
    async def reopen(gap_id: Id, principal: Principal = _CHANGE) -> Response:
        asked = gaps.ReopenGap(gap_id=GapId(gap_id))
        return answer((await desk.services.ask(gaps.REOPEN_GAP, asked, principal.scope)).gap)
