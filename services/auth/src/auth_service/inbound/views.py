"""What is kept, as the contract words it."""

from auth_service.domain.api_key import ApiKey
from auth_service.domain.member import Member
from auth_service.domain.sign_in import SignedIn
from auth_service.domain.tenant import Tenant
from auth_service.domain.token import ACCESS_LIFE
from contracts import auth


def business(tenant: Tenant) -> auth.Business:
    return auth.Business(id=tenant.id, name=tenant.name, industry=tenant.industry, created_at=tenant.created_at)


def user(member: Member, tenant: Tenant) -> auth.User:
    return auth.User(
        id=member.id, email=member.email, role=member.role, business=business(tenant), created_at=member.created_at
    )


def session(signed_in: SignedIn) -> auth.Session:
    return auth.Session(
        user=user(signed_in.member, signed_in.tenant),
        access_token=signed_in.access_token,
        refresh_token=signed_in.refresh_token,
        expires_in=int(ACCESS_LIFE.total_seconds()),
    )


def api_key(key: ApiKey) -> auth.ApiKey:
    return auth.ApiKey(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        scopes=key.scopes,
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
    )
