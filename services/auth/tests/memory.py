"""Memory fakes that implement auth's ports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from auth_service.domain.api_key import ApiKey
from auth_service.domain.errors import EmailTaken
from auth_service.domain.member import Member
from auth_service.domain.session import RefreshToken
from auth_service.domain.tenant import Tenant
from auth_service.domain.token import Claims
from contracts.base import Event
from contracts.channel import Fact
from contracts.ids import ApiKeyId, UserId
from runtime.errors import NotFound
from runtime.tenancy import TenantScope


class MemoryTransactions:
    def __init__(self) -> None:
        self.said: list[Event] = []

    @asynccontextmanager
    async def tenant_tx(self, scope: TenantScope) -> AsyncIterator["MemoryTransactions"]:
        assert scope.tenant_id
        yield self

    async def publish(self, fact: Fact[Any], content: Event) -> None:
        assert isinstance(content, fact.model)
        self.said.append(content)


class MemoryTenants:
    def __init__(self) -> None:
        self._kept: dict[UUID, Tenant] = {}

    async def add(self, scope: TenantScope, tenant: Tenant) -> None:
        assert tenant.id == scope.tenant_id
        self._kept[tenant.id] = tenant

    async def get(self, scope: TenantScope) -> Tenant:
        if scope.tenant_id not in self._kept:
            raise NotFound
        return self._kept[scope.tenant_id]

    async def change(self, scope: TenantScope, *, name: str | None, industry: str | None) -> Tenant:
        found = await self.get(scope)
        changed = {key: value for key, value in (("name", name), ("industry", industry)) if value is not None}
        self._kept[scope.tenant_id] = replace(found, **changed)
        return self._kept[scope.tenant_id]


class MemoryMembers:
    def __init__(self) -> None:
        self._kept: dict[tuple[UUID, UUID], Member] = {}

    async def find(self, email: str) -> Member | None:
        return next((member for member in self._kept.values() if member.email == email), None)

    async def add(self, scope: TenantScope, member: Member) -> None:
        if await self.find(member.email):
            raise EmailTaken
        self._kept[scope.tenant_id, member.id] = member

    async def get(self, scope: TenantScope, member_id: UserId) -> Member:
        if (scope.tenant_id, member_id) not in self._kept:
            raise NotFound
        return self._kept[scope.tenant_id, member_id]

    async def set_password_hash(self, scope: TenantScope, member_id: UserId, password_hash: str) -> None:
        member = await self.get(scope, member_id)
        self._kept[scope.tenant_id, member_id] = replace(member, password_hash=password_hash)


class MemorySessions:
    def __init__(self) -> None:
        self._families: dict[UUID, UserId] = {}
        self._revoked: set[UUID] = set()
        self._tokens: dict[bytes, RefreshToken] = {}

    async def find(self, token_sha256: bytes) -> RefreshToken | None:
        found = self._tokens.get(token_sha256)
        return found and replace(found, is_revoked=found.family_id in self._revoked)

    async def open_family(self, scope: TenantScope, family_id: UUID, member_id: UserId, now: datetime) -> None:
        self._families[family_id] = member_id

    async def add(self, scope: TenantScope, token: RefreshToken, token_sha256: bytes) -> None:
        assert token.family_id in self._families
        self._tokens[token_sha256] = token

    async def lock(self, scope: TenantScope, token_id: UUID) -> RefreshToken:
        for sha, token in self._tokens.items():
            if token.id == token_id and token.tenant_id == scope.tenant_id:
                found = await self.find(sha)
                assert found is not None
                return found
        raise NotFound

    async def mark_used(self, scope: TenantScope, token_id: UUID, client: str, now: datetime) -> None:
        for sha, token in self._tokens.items():
            if token.id == token_id and token.tenant_id == scope.tenant_id:
                self._tokens[sha] = replace(token, used_at=now, used_by=client)

    async def is_open(self, scope: TenantScope, family_id: UUID, member_id: UserId) -> bool:
        return self._families.get(family_id) == member_id and family_id not in self._revoked

    async def revoke_family(self, scope: TenantScope, family_id: UUID, now: datetime) -> None:
        self._revoked.add(family_id)

    async def drop_expired(self, scope: TenantScope, member_id: UserId, now: datetime) -> None:
        kept = {sha: t for sha, t in self._tokens.items() if t.member_id != member_id or t.expires_at > now}
        self._tokens = kept
        living = {token.family_id for token in kept.values()}
        self._families = {id_: member for id_, member in self._families.items() if member != member_id or id_ in living}


class MemoryApiKeys:
    def __init__(self) -> None:
        self._kept: dict[bytes, ApiKey] = {}

    async def find(self, key_sha256: bytes) -> ApiKey | None:
        return self._kept.get(key_sha256)

    async def add(self, scope: TenantScope, key: ApiKey, key_sha256: bytes) -> None:
        self._kept[key_sha256] = key

    async def page(self, scope: TenantScope, *, before: UUID | None, limit: int) -> list[ApiKey]:
        own = [key for key in self._kept.values() if key.tenant_id == scope.tenant_id]
        older = [key for key in own if before is None or key.id < before]
        return sorted(older, key=lambda key: key.id, reverse=True)[:limit]

    async def revoke(self, scope: TenantScope, key_id: ApiKeyId, now: datetime) -> None:
        del self._kept[self._sha(scope, key_id)]

    async def touch(self, scope: TenantScope, key_id: ApiKeyId, now: datetime) -> None:
        sha = self._sha(scope, key_id)
        self._kept[sha] = replace(self._kept[sha], last_used_at=now)

    def _sha(self, scope: TenantScope, key_id: ApiKeyId) -> bytes:
        for sha, key in self._kept.items():
            if key.id == key_id and key.tenant_id == scope.tenant_id:
                return sha
        raise NotFound


class QuickPasswords:
    """As slow as a string comparison; counts the work, which must not depend on whether a user exists."""

    def __init__(self) -> None:
        self.work = 0
        self.outdated: set[str] = set()

    async def hash(self, password: str) -> str:
        self.work += 1
        return f"hashed:{password}"

    async def fits(self, password: str, password_hash: str | None) -> bool:
        self.work += 1
        return password_hash is not None and password_hash.endswith(f":{password}")

    def is_outdated(self, password_hash: str) -> bool:
        return password_hash in self.outdated


class PlainSigner:
    def sign(self, claims: Claims) -> str:
        return f"{claims['sub']}.{claims['sid']}"
