"""Who am I?"""

from auth_service.inbound import views
from auth_service.inbound.desk import Desk
from contracts.auth import ME, Me, MeReply
from runtime.bus import Bus
from runtime.tenancy import TenantScope


def register(bus: Bus, desk: Desk) -> None:
    """Answer `rpc.auth.me`."""

    async def me(question: Me, scope: TenantScope) -> MeReply:
        async with desk.database.tenant_tx(scope):
            member = await desk.members.get(scope, question.user_id)
            return MeReply(user=views.user(member, await desk.tenants.get(scope)))

    bus.answer(ME, me)
