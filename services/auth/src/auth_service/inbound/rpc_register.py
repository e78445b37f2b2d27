"""A new business and its owner."""

from auth_service.domain.errors import EmailTaken
from auth_service.domain.member import normal_email
from auth_service.domain.sign_in import SignedIn
from auth_service.inbound import views
from auth_service.inbound.desk import Desk
from contracts.auth import REGISTER, Register, Session
from contracts.base import Nothing
from contracts.paging import Idempotency
from runtime.bus import Bus
from runtime.idempotency import once
from runtime.tenancy import TenantScope


def register(bus: Bus, desk: Desk) -> None:
    """Answer `rpc.auth.register`."""

    async def register_business(request: Register) -> Session:
        tenant, owner = await desk.sign_in.prepare(request)
        idempotency = _fingerprinted(request.idempotency, desk)
        try:
            async with desk.database.tenant_tx(TenantScope(tenant.id, f"user:{owner.id}")) as tx:
                await once(tx, idempotency, Nothing, _noted)
                return views.session(await desk.sign_in.register(tenant, owner))
        except EmailTaken:
            if idempotency is None:
                raise
            return views.session(await _again(request, idempotency, desk))

    bus.answer_open(REGISTER, register_business)


async def _again(request: Register, idempotency: Idempotency, desk: Desk) -> SignedIn:
    """The caller's first try got through, and its answer was lost: signed in anew.

    The key alone would not do: the body, with its password, must be the same.
    """
    member = await desk.members.find(normal_email(request.email))
    if member is None:
        raise EmailTaken
    async with desk.database.tenant_tx(TenantScope(member.tenant_id, f"user:{member.id}")) as tx:
        await once(tx, idempotency, Nothing, _never_noted)
        return await desk.sign_in.open(member)


async def _noted() -> Nothing:
    return Nothing()


async def _never_noted() -> Nothing:
    raise EmailTaken


def _fingerprinted(idempotency: Idempotency | None, desk: Desk) -> Idempotency | None:
    """The body holds a password: its plain hash must not lie in a table, where it could be searched for."""
    if idempotency is None:
        return None
    return Idempotency(key=idempotency.key, body_sha256=desk.secrets.fingerprint(idempotency.body_sha256))
