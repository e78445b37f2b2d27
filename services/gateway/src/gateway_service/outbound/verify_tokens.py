"""Turns a bearer token into a principal: access tokens by auth's public keys, API keys by asking auth."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

import jwt
from jwt.algorithms import ECAlgorithm

from contracts.auth import (
    ACCESS_ALGORITHM,
    ACCESS_AUDIENCE,
    ACCESS_ISSUER,
    ACCESS_TYPE,
    API_KEY_PREFIX,
    ApiKeyRevoked,
    JsonWebKey,
    Role,
    VerifiedKey,
)
from contracts.ids import ApiKeyId, TenantId
from gateway_service.domain.errors import NotAuthenticated
from gateway_service.domain.ports import Keys
from gateway_service.domain.principal import Principal
from runtime.clock import Clock
from runtime.errors import Rejected
from runtime.tenancy import TenantScope

LEEWAY_S = 60
KEYS_KEPT_S = 600.0
"""After this the key set is fetched again, so that a withdrawn key does not verify for ever."""
REFETCH_S = 3.0
"""Unknown key ids ask auth at most this often."""
API_KEY_KEPT_S = 60.0
API_KEYS_KEPT = 10_000
_REQUIRED = ["exp", "iat", "sub", "aud", "iss", "tenant", "role", "sid"]


@dataclass(frozen=True, slots=True)
class _Kept:
    principal: Principal
    until_s: float
    expires_at: datetime | None


class Verifier:
    """The one way from a token to a principal, for REST and WebSocket alike."""

    def __init__(self, keys: Keys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._public: dict[str, Any] = {}
        self._fetched_s = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._known: dict[str, _Kept] = {}
        self._revision = 0

    async def verify(self, token: str) -> Principal:
        """The verified caller.

        Raises:
            NotAuthenticated: the token opens nothing: unknown, expired, revoked or forged.
            Unavailable: it cannot be told now, auth is away.
        """
        if token.startswith(API_KEY_PREFIX):
            return await self._verify_api_key(token)
        return await self._verify_access(token)

    async def drop_revoked(self, fact: ApiKeyRevoked, _scope: TenantScope) -> None:
        """A key was revoked: forget it, and what is being asked at this moment."""
        self._revision += 1
        self._known = {sha: kept for sha, kept in self._known.items() if kept.principal.id != fact.key_id}

    async def drop_all(self) -> None:
        """Revocations may have been missed: every API key is asked for again."""
        self._revision += 1
        self._known = {}

    # ---- access tokens ----------------------------------------------------------------------------------------

    async def _verify_access(self, token: str) -> Principal:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ") != ACCESS_TYPE or header.get("alg") != ACCESS_ALGORITHM:
                raise NotAuthenticated
            key = await self._public_key(str(header.get("kid", "")))
            claims = jwt.decode(
                token,
                key,
                algorithms=[ACCESS_ALGORITHM],
                audience=ACCESS_AUDIENCE,
                issuer=ACCESS_ISSUER,
                leeway=LEEWAY_S,
                options={"require": _REQUIRED},
            )
            return _person(claims)
        except (jwt.PyJWTError, ValueError) as error:
            raise NotAuthenticated("the access token is not valid, or has expired") from error

    async def _public_key(self, kid: str) -> Any:
        key = self._public.get(kid)
        age_s = self._clock.monotonic_s() - self._fetched_s
        if key is not None:
            if age_s >= KEYS_KEPT_S:
                # Beside this request: auth may be away, and what we have is good enough meanwhile.
                self._fetch()
            return key
        if age_s >= REFETCH_S:
            await asyncio.shield(self._fetch())
        return self._public.get(kid) or self._unknown()

    def _fetch(self) -> asyncio.Task[None]:
        """One at a time; whoever comes meanwhile shares its outcome."""
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._ask_public_keys())
            # Its failure is for those who wait for it; with nobody waiting it is no news.
            self._fetching.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._fetching

    async def _ask_public_keys(self) -> None:
        found = await self._keys.public_keys()
        self._public = {key.kid: _load(key) for key in found.keys}
        self._fetched_s = self._clock.monotonic_s()

    def _unknown(self) -> Any:
        raise NotAuthenticated("the access token is not valid, or has expired")

    # ---- API keys ---------------------------------------------------------------------------------------------

    async def _verify_api_key(self, token: str) -> Principal:
        sha256 = hashlib.sha256(token.encode()).hexdigest()
        kept = self._known.get(sha256)
        if kept is not None and self._is_good(kept):
            return kept.principal
        revision = self._revision
        try:
            found = await self._keys.verify_key(sha256)
        except Rejected as error:
            raise NotAuthenticated("the API key is not valid, or was revoked") from error
        if self._is_over(found.expires_at):
            raise NotAuthenticated("the API key has expired")
        principal = _program(found)
        # A revocation that was heard while auth was answering may be this key's: then the answer is not kept.
        if revision == self._revision:
            self._keep(sha256, _Kept(principal, self._clock.monotonic_s() + API_KEY_KEPT_S, found.expires_at))
        return principal

    def _is_good(self, kept: _Kept) -> bool:
        return kept.until_s > self._clock.monotonic_s() and not self._is_over(kept.expires_at)

    def _is_over(self, expires_at: datetime | None) -> bool:
        return expires_at is not None and expires_at <= self._clock.now()

    def _keep(self, sha256: str, kept: _Kept) -> None:
        self._known.pop(sha256, None)
        while len(self._known) >= API_KEYS_KEPT:
            del self._known[next(iter(self._known))]
        self._known[sha256] = kept


def _load(key: JsonWebKey) -> Any:
    return ECAlgorithm.from_jwk(key.model_dump(include={"kty", "crv", "x", "y"}))


def _person(claims: dict[str, Any]) -> Principal:
    role = claims["role"]
    if role not in get_args(Role):
        raise NotAuthenticated
    return Principal(
        "user", TenantId(UUID(claims["tenant"])), UUID(claims["sub"]), role=role, session_id=UUID(claims["sid"])
    )


def _program(found: VerifiedKey) -> Principal:
    return Principal("api_key", found.tenant_id, ApiKeyId(found.key_id), scopes=found.scopes)
