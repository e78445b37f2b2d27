"""Who am I?"""

from auth_service.domain.errors import NotAuthenticated
from auth_service.domain.member import Member
from auth_service.inbound import views
from auth_service.inbound.desk import Desk
from contracts.auth import ME, Me, MeReply
from contracts.ids import SessionId
from runtime.bus import Bus
from runtime.tenancy import TenantScope


def register(bus: Bus, desk: Desk) -> None:
    """Answer `rpc.auth.me`."""

    async def me(question: Me, scope: TenantScope) -> MeReply:
        async with desk.database.tenant_tx(scope):
            member = await desk.members.get(scope, question.user_id)
            if question.session_id is not None:
                await _require_open(question.session_id, member, scope)
            return MeReply(user=views.user(member, await desk.tenants.get(scope)))

    async def _require_open(session_id: SessionId, member: Member, scope: TenantScope) -> None:
        if not await desk.sessions.is_open(scope, session_id, member.id):
            raise NotAuthenticated

    bus.answer(ME, me)
