"""What the edge needs from others."""

from collections.abc import AsyncIterable
from typing import Protocol, TypeVar

from contracts.auth import KeySet, Role, VerifiedKey
from contracts.base import Reply, Request
from contracts.channel import Rpc
from contracts.ids import TenantId
from gateway_service.domain.principal import Principal
from runtime.tenancy import TenantScope

RequestT = TypeVar("RequestT", bound=Request)
ReplyT = TypeVar("ReplyT", bound=Reply)

ANSWER_S = 1.7
"""A client hears within 2 s that a service is away."""
SIGN_IN_S = 5.0
"""Passwords are hashed slowly on purpose, in a queue: a busy auth is not an absent one, which is told at once."""


class Keys(Protocol):
    """What auth knows about credentials."""

    async def public_keys(self) -> KeySet:
        """The keys that access tokens are signed with.

        Raises:
            Unavailable: auth is away.
        """
        ...

    async def verify_key(self, key_sha256: str) -> VerifiedKey:
        """Whose API key has this SHA-256 (hex).

        Raises:
            Rejected: nobody's (`not_authenticated`).
            Unavailable: auth is away.
        """
        ...


class Sessions(Protocol):
    """Who is still signed in."""

    async def role(self, principal: Principal) -> Role:
        """The role that a person has now.

        Raises:
            Rejected: the session ended, or the person is gone.
            Unavailable: auth is away.
        """
        ...


class Tokens(Protocol):
    """From a bearer token to its principal."""

    async def verify(self, token: str) -> Principal:
        """Raises NotAuthenticated, or Unavailable when it cannot be told now."""
        ...


class Services(Protocol):
    """The other services, each question to one replica of its owner."""

    async def ask(
        self,
        rpc: Rpc[RequestT, ReplyT],
        request: RequestT,
        scope: TenantScope | None = None,
        *,
        timeout_s: float = ANSWER_S,
    ) -> ReplyT:
        """What the owner answers.

        Raises:
            LumoraError: what the owner refused.
            Unavailable: it is away.
        """
        ...


class Inbox(Protocol):
    """Where an upload waits until ingest takes it."""

    async def put(self, tenant_id: TenantId, name: str, pieces: AsyncIterable[bytes]) -> None:
        """Store the pieces as they come; nothing is left when they break off.

        Raises:
            Unavailable: the store is away.
        """
        ...

    async def drop(self, tenant_id: TenantId, name: str) -> None:
        """Take it back; never raises."""
        ...
