"""The business's own profile and figures."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.auth import GET_BUSINESS, UPDATE_BUSINESS, GetBusiness, UpdateBusiness
from contracts.filter import GET_POLICY, PUT_POLICY, GetPolicy, ModerationPolicy, PutPolicy
from contracts.learning import GET_STATS, GetStats, Stats
from contracts.rest import Profile, ProfileChange
from gateway_service.domain.ports import Services
from gateway_service.domain.principal import Principal
from gateway_service.inbound.http_desk import HttpDesk
from gateway_service.inbound.openapi import taking
from gateway_service.inbound.reading import answer, read_body, with_right
from runtime.tenancy import TenantScope

_READ, _CHANGE = with_right("business.read"), with_right("business")


def routes(desk: HttpDesk) -> APIRouter:
    """Paths under /api/business."""
    router = APIRouter(tags=["business"])

    @router.get("/api/business/profile", response_model=Profile)
    async def get_profile(principal: Principal = _READ) -> Response:
        return answer(await _profile(desk.services, principal.scope))

    @router.put("/api/business/profile", response_model=Profile, openapi_extra=taking(ProfileChange))
    async def put_profile(request: Request, principal: Principal = _CHANGE) -> Response:
        change = await read_body(request, ProfileChange)
        await _change(change, desk.services, principal.scope)
        return answer(await _profile(desk.services, principal.scope))

    @router.get("/api/business/stats", response_model=Stats)
    async def get_stats(principal: Principal = _READ) -> Response:
        return answer(await desk.services.ask(GET_STATS, GetStats(), principal.scope))

    return router


async def _profile(services: Services, scope: TenantScope) -> Profile:
    business = (await services.ask(GET_BUSINESS, GetBusiness(), scope)).business
    policy = (await services.ask(GET_POLICY, GetPolicy(), scope)).policy
    return Profile(**business.model_dump(), moderation=policy)


async def _change(change: ProfileChange, services: Services, scope: TenantScope) -> None:
    # The policy first: it is the part that may be refused, and then nothing has changed.
    if change.moderation is not None:
        kept = (await services.ask(GET_POLICY, GetPolicy(), scope)).policy
        given = change.moderation.model_dump(exclude_unset=True, exclude={"version"})
        policy = ModerationPolicy(**{**kept.model_dump(), **given})
        await services.ask(PUT_POLICY, PutPolicy(policy=policy), scope)
    if change.name is not None or change.industry is not None:
        await services.ask(UPDATE_BUSINESS, UpdateBusiness(name=change.name, industry=change.industry), scope)
