"""Registering, signing in, staying signed in, signing out."""

from dataclasses import dataclass
from uuid import UUID

from auth_service.domain.errors import NotAuthenticated, WrongCredentials
from auth_service.domain.member import Member, normal_email
from auth_service.domain.ports import Members, Passwords, Sessions, Signer, Tenants, Transactions
from auth_service.domain.secret import new_refresh_token, sha256
from auth_service.domain.session import REFRESH_LIFE, RefreshToken, judge
from auth_service.domain.tenant import Tenant
from auth_service.domain.token import access_claims
from contracts.auth import BUSINESS_REGISTERED, SESSION_ENDED, BusinessRegistered, Register, SessionEnded
from contracts.ids import SessionId, TenantId, UserId, uuid7
from runtime.clock import Clock
from runtime.errors import NotFound
from runtime.tenancy import TenantScope


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person with a fresh pair of tokens."""

    member: Member
    tenant: Tenant
    access_token: str
    refresh_token: str


@dataclass(frozen=True)
class SignIn:
    """The desk where people show who they are."""

    transactions: Transactions
    tenants: Tenants
    members: Members
    sessions: Sessions
    passwords: Passwords
    signer: Signer
    clock: Clock

    async def prepare(self, request: Register) -> tuple[Tenant, Member]:
        """The business and its owner, not kept yet: hashing takes its time outside of any transaction."""
        now = self.clock.now()
        tenant = Tenant(TenantId(uuid7()), request.company_name, request.industry.strip(), now)
        email, password_hash = normal_email(request.email), await self.passwords.hash(request.password)
        return tenant, Member(UserId(uuid7()), tenant.id, email, password_hash, "owner", now)

    async def register(self, tenant: Tenant, owner: Member) -> SignedIn:
        """Keep a new business and its owner, signed in.

        Raises:
            EmailTaken: somebody was faster.
        """
        scope = _scope(owner)
        async with self.transactions.tenant_tx(scope) as tx:
            await self.tenants.add(scope, tenant)
            await self.members.add(scope, owner)
            await tx.publish(BUSINESS_REGISTERED, BusinessRegistered(tenant_id=tenant.id))
            return await self.open(owner)

    async def login(self, email: str, password: str) -> SignedIn:
        """A new session.

        Raises:
            WrongCredentials: unknown e-mail or wrong password; both take as long.
        """
        member = await self.members.find(normal_email(email))
        fits = await self.passwords.fits(password, member.password_hash if member else None)
        if member is None or not fits:
            raise WrongCredentials
        if self.passwords.is_outdated(member.password_hash):
            await self.members.set_password_hash(_scope(member), member.id, await self.passwords.hash(password))
        return await self.open(member)

    async def open(self, member: Member) -> SignedIn:
        """A new family of tokens for a person who has shown who they are."""
        scope, now, family_id = _scope(member), self.clock.now(), uuid7()
        async with self.transactions.tenant_tx(scope):
            await self.sessions.drop_expired(scope, member.id, now)
            await self.sessions.open_family(scope, family_id, member.id, now)
            return await self._issue(member, family_id)

    async def refresh(self, refresh_token: str, client: str) -> SignedIn:
        """A fresh pair for a refresh token, which is used up.

        Raises:
            NotAuthenticated: it opens nothing (any more); one that was used before ends its whole family.
        """
        found = await self.sessions.find(sha256(refresh_token))
        if found is None:
            raise NotAuthenticated
        scope = TenantScope(found.tenant_id, f"user:{found.member_id}")
        # The verdict leaves the block before it is told: a revoked family must be committed.
        async with self.transactions.tenant_tx(scope):
            signed_in = await self._renew(scope, found.id, client)
        if signed_in is None:
            raise NotAuthenticated
        return signed_in

    async def logout(self, refresh_token: str) -> None:
        """End the token's family; an unknown token ends nothing, and nobody is told."""
        found = await self.sessions.find(sha256(refresh_token))
        if found is not None:
            scope = TenantScope(found.tenant_id, f"user:{found.member_id}")
            await self._end(scope, found.family_id)

    async def _end(self, scope: TenantScope, family_id: UUID) -> None:
        async with self.transactions.tenant_tx(scope) as tx:
            await self.sessions.revoke_family(scope, family_id, self.clock.now())
            await tx.publish(SESSION_ENDED, SessionEnded(session_id=SessionId(family_id)))

    async def _renew(self, scope: TenantScope, token_id: UUID, client: str) -> SignedIn | None:
        now = self.clock.now()
        try:
            token = await self.sessions.lock(scope, token_id)
            member = await self.members.get(scope, token.member_id)
        except NotFound:
            return None
        match judge(token, client, now):
            case "rotate":
                await self.sessions.mark_used(scope, token.id, client, now)
            case "repeat":
                pass
            case "reused":
                await self._end(scope, token.family_id)
                return None
            case "dead":
                return None
        await self.sessions.drop_expired(scope, member.id, now)
        return await self._issue(member, token.family_id)

    async def _issue(self, member: Member, family_id: UUID) -> SignedIn:
        scope, now, secret = _scope(member), self.clock.now(), new_refresh_token()
        token = RefreshToken(
            id=uuid7(),
            tenant_id=member.tenant_id,
            family_id=family_id,
            member_id=member.id,
            expires_at=now + REFRESH_LIFE,
            used_at=None,
            used_by="",
            is_revoked=False,
        )
        await self.sessions.add(scope, token, sha256(secret))
        access = self.signer.sign(access_claims(member, family_id, now))
        return SignedIn(member, await self.tenants.get(scope), access, secret)


def _scope(member: Member) -> TenantScope:
    return TenantScope(member.tenant_id, f"user:{member.id}")
