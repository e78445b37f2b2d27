"""Agents, and the models they may use."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts import inference as ai
from contracts import models
from contracts.ids import AgentId
from contracts.rest import AgentStatus, ModelPage
from gateway_service.domain.principal import Principal
from gateway_service.inbound.http_desk import HttpDesk
from gateway_service.inbound.openapi import taking
from gateway_service.inbound.reading import Id, Page, answer, idempotency_of, no_content, read_body, with_right

_READ, _CHANGE = with_right("chat.read"), with_right("business")


def routes(desk: HttpDesk) -> APIRouter:
    """Paths under /api/agent, /api/agents and /api/models."""
    router = APIRouter(tags=["agents"])
    _all(router, desk)
    _one(router, desk)
    return router


def _all(router: APIRouter, desk: HttpDesk) -> None:
    @router.post("/api/agent/create", status_code=201, response_model=ai.Agent, openapi_extra=taking(ai.CreateAgent))
    async def create_agent(request: Request, principal: Principal = _CHANGE) -> Response:
        asked = await read_body(request, ai.CreateAgent, idempotency=await idempotency_of(request))
        return answer((await desk.services.ask(ai.CREATE_AGENT, asked, principal.scope)).agent, 201)

    @router.get("/api/agents", response_model=ai.Agents)
    async def list_agents(page: Page, principal: Principal = _READ) -> Response:
        question = ai.ListAgents(limit=page.limit, cursor=page.cursor)
        return answer(await desk.services.ask(ai.LIST_AGENTS, question, principal.scope))

    @router.get("/api/models", response_model=ModelPage)
    async def list_models(principal: Principal = _READ) -> Response:
        found = await desk.services.ask(models.LIST_MODELS, models.ListModels(), principal.scope)
        return answer(ModelPage(items=found.items))


def _one(router: APIRouter, desk: HttpDesk) -> None:
    @router.get("/api/agent/{agent_id}", response_model=ai.Agent)
    async def get_agent(agent_id: Id, principal: Principal = _READ) -> Response:
        question = ai.GetAgent(agent_id=AgentId(agent_id))
        return answer((await desk.services.ask(ai.GET_AGENT, question, principal.scope)).agent)

    @router.put("/api/agent/{agent_id}", response_model=ai.Agent, openapi_extra=taking(ai.UpdateAgent, "agent_id"))
    async def put_agent(request: Request, agent_id: Id, principal: Principal = _CHANGE) -> Response:
        asked = await read_body(request, ai.UpdateAgent, agent_id=agent_id)
        return answer((await desk.services.ask(ai.UPDATE_AGENT, asked, principal.scope)).agent)

    @router.delete("/api/agent/{agent_id}", status_code=204)
    async def delete_agent(agent_id: Id, principal: Principal = _CHANGE) -> Response:
        await desk.services.ask(ai.DELETE_AGENT, ai.DeleteAgent(agent_id=AgentId(agent_id)), principal.scope)
        return no_content()

    @router.get("/api/agent/{agent_id}/status", response_model=AgentStatus)
    async def get_agent_status(agent_id: Id, principal: Principal = _READ) -> Response:
        question = ai.GetAgent(agent_id=AgentId(agent_id))
        agent = (await desk.services.ask(ai.GET_AGENT, question, principal.scope)).agent
        return answer(AgentStatus(agent_id=agent.id, status="active"))
