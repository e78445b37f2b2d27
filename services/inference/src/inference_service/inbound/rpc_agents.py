"""Agents, and the models they can be given."""

from contracts.base import Nothing
from contracts.inference import (
    CREATE_AGENT,
    DELETE_AGENT,
    GET_AGENT,
    LIST_AGENTS,
    UPDATE_AGENT,
    AgentReply,
    Agents,
    CreateAgent,
    DeleteAgent,
    GetAgent,
    ListAgents,
    UpdateAgent,
)
from contracts.models import LIST_MODELS, ListModels, Models
from inference_service.domain.ports import AgentStore, Providers
from runtime.bus import Bus
from runtime.tenancy import TenantScope

LAST_RESORT = ("extractive/sentences",)
"""What answers when an agent names no fallbacks and its model is away: the business's own documents, word for word."""


def register(bus: Bus, agents: AgentStore, providers: Providers) -> None:
    """Answer `rpc.inference.*_agent` and `list_models`."""

    async def create_agent(question: CreateAgent, scope: TenantScope) -> AgentReply:
        model = question.model or providers.default()
        fallbacks = LAST_RESORT if question.fallbacks is None else question.fallbacks
        return AgentReply(agent=await agents.create(scope, question, model, fallbacks))

    async def update_agent(question: UpdateAgent, scope: TenantScope) -> AgentReply:
        return AgentReply(agent=await agents.update(scope, question))

    async def get_agent(question: GetAgent, scope: TenantScope) -> AgentReply:
        return AgentReply(agent=await agents.get(scope, question.agent_id))

    async def delete_agent(question: DeleteAgent, scope: TenantScope) -> Nothing:
        await agents.delete(scope, question.agent_id)
        return Nothing()

    async def list_agents(question: ListAgents, scope: TenantScope) -> Agents:
        return await agents.list(scope, question)

    async def list_models(_question: ListModels, _scope: TenantScope) -> Models:
        return Models(items=await providers.list())

    bus.answer(CREATE_AGENT, create_agent)
    bus.answer(UPDATE_AGENT, update_agent)
    bus.answer(GET_AGENT, get_agent)
    bus.answer(DELETE_AGENT, delete_agent)
    bus.answer(LIST_AGENTS, list_agents)
    bus.answer(LIST_MODELS, list_models)
