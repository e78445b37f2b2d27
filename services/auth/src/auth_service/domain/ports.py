"""What auth needs kept, hashed and signed. What is asked without a scope is asked before the tenant is known."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from auth_service.domain.api_key import ApiKey
from auth_service.domain.member import Member
from auth_service.domain.session import RefreshToken
from auth_service.domain.tenant import Tenant
from auth_service.domain.token import Claims
from contracts.auth import KeySet
from contracts.base import Event
from contracts.channel import Fact
from contracts.ids import ApiKeyId, UserId
from runtime.tenancy import TenantScope


class Outbox(Protocol):
    """An open transaction, as far as a decision needs it."""

    async def publish(self, fact: Fact[Any], content: Event) -> None:
        """Say a fact once this commits."""
        ...


class Transactions(Protocol):
    """Several changes, all or none."""

    def tenant_tx(self, scope: TenantScope) -> AbstractAsyncContextManager[Outbox]:
        """What the ports do inside the block commits at its end."""
        ...


class Tenants(Protocol):
    """Businesses."""

    async def add(self, scope: TenantScope, tenant: Tenant) -> None: ...

    async def get(self, scope: TenantScope) -> Tenant:
        """Raises NotFound."""
        ...

    async def change(self, scope: TenantScope, *, name: str | None, industry: str | None) -> Tenant:
        """None leaves a field as it is. Raises NotFound."""
        ...


class Members(Protocol):
    """People."""

    async def find(self, email: str) -> Member | None:
        """By normal e-mail, in any business."""
        ...

    async def add(self, scope: TenantScope, member: Member) -> None:
        """Raises EmailTaken."""
        ...

    async def get(self, scope: TenantScope, member_id: UserId) -> Member:
        """Raises NotFound."""
        ...

    async def set_password_hash(self, scope: TenantScope, member_id: UserId, password_hash: str) -> None: ...


class Sessions(Protocol):
    """Refresh tokens and their families."""

    async def find(self, token_sha256: bytes) -> RefreshToken | None:
        """In any business; only to learn whose it is: it is judged after `lock`."""
        ...

    async def open_family(self, scope: TenantScope, family_id: UUID, member_id: UserId, now: datetime) -> None: ...

    async def add(self, scope: TenantScope, token: RefreshToken, token_sha256: bytes) -> None: ...

    async def lock(self, scope: TenantScope, token_id: UUID) -> RefreshToken:
        """As it is now; nobody else judges it until the transaction ends. Raises NotFound."""
        ...

    async def mark_used(self, scope: TenantScope, token_id: UUID, client: str, now: datetime) -> None: ...

    async def is_open(self, scope: TenantScope, family_id: UUID, member_id: UserId) -> bool:
        """Whether this person has such a family, and nobody revoked it."""
        ...

    async def revoke_family(self, scope: TenantScope, family_id: UUID, now: datetime) -> None: ...

    async def drop_expired(self, scope: TenantScope, member_id: UserId, now: datetime) -> None:
        """Forget this person's tokens that are over, and the families left empty."""
        ...


class ApiKeys(Protocol):
    """API keys, by hash."""

    async def find(self, key_sha256: bytes) -> ApiKey | None:
        """In any business; revoked ones are not found."""
        ...

    async def add(self, scope: TenantScope, key: ApiKey, key_sha256: bytes) -> None: ...

    async def page(self, scope: TenantScope, *, before: UUID | None, limit: int) -> list[ApiKey]:
        """Newest first, those older than `before`."""
        ...

    async def revoke(self, scope: TenantScope, key_id: ApiKeyId, now: datetime) -> None:
        """Raises NotFound when there is no such living key."""
        ...

    async def touch(self, scope: TenantScope, key_id: ApiKeyId, now: datetime) -> None: ...


class Passwords(Protocol):
    """A slow, memory-hard hash, computed beside the loop."""

    async def hash(self, password: str) -> str:
        """Raises Unavailable when too many wait already."""
        ...

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """None: the same work, and False. Raises Unavailable when too many wait already."""
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Was it made with other parameters than today's?"""
        ...


class Secrets(Protocol):
    """Seals what must be kept and not be read."""

    def seal(self, secret: bytes, belongs_to: str) -> bytes: ...

    def open(self, sealed: bytes, belongs_to: str) -> bytes:
        """Raises when it was sealed for something else, or with another key."""
        ...

    def fingerprint(self, text: str) -> str:
        """A keyed hash (hex)."""
        ...


class PublicKeys(Protocol):
    """What access tokens are checked with."""

    async def public_keys(self) -> KeySet: ...


class Signer(Protocol):
    """Makes access tokens."""

    def sign(self, claims: Claims) -> str:
        """A signed JWT. Raises Unavailable while no key was loaded."""
        ...
