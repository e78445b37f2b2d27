"""The business's own profile."""

from auth_service.inbound import views
from auth_service.inbound.desk import Desk
from contracts.auth import GET_BUSINESS, UPDATE_BUSINESS, BusinessReply, GetBusiness, UpdateBusiness
from runtime.bus import Bus
from runtime.tenancy import TenantScope


def register(bus: Bus, desk: Desk) -> None:
    """Answer `rpc.auth.get_business` and `.update_business`."""

    async def get_business(_question: GetBusiness, scope: TenantScope) -> BusinessReply:
        return BusinessReply(business=views.business(await desk.tenants.get(scope)))

    async def update_business(request: UpdateBusiness, scope: TenantScope) -> BusinessReply:
        changed = await desk.tenants.change(scope, name=request.name, industry=request.industry)
        return BusinessReply(business=views.business(changed))

    bus.answer(GET_BUSINESS, get_business)
    bus.answer(UPDATE_BUSINESS, update_business)
