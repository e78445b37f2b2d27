"""Public keys for access tokens; API keys: made, listed, revoked, verified."""

import base64
from uuid import UUID

from auth_service.domain.api_key import make_api_key
from auth_service.domain.secret import sha256
from auth_service.domain.verify_key import verify_key
from auth_service.inbound import views
from auth_service.inbound.desk import Desk
from contracts import auth
from contracts.base import Nothing
from contracts.ids import ApiKeyId
from runtime.bus import Bus
from runtime.errors import Rejected
from runtime.idempotency import once
from runtime.tenancy import TenantScope


def register(bus: Bus, desk: Desk) -> None:
    """Answer everything about keys."""
    doors = _Doors(desk)
    bus.answer_open(auth.GET_KEYS, doors.public)
    bus.answer_open(auth.VERIFY_KEY, doors.verify)
    bus.answer(auth.CREATE_API_KEY, doors.create)
    bus.answer(auth.LIST_API_KEYS, doors.page)
    bus.answer(auth.DELETE_API_KEY, doors.delete)


class _Doors:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def public(self, _question: auth.GetKeys) -> auth.KeySet:
        return await self._desk.public_keys.public_keys()

    async def verify(self, question: auth.VerifyKey) -> auth.VerifiedKey:
        key = await verify_key(bytes.fromhex(question.key_sha256), keys=self._desk.api_keys, clock=self._desk.clock)
        return auth.VerifiedKey(tenant_id=key.tenant_id, key_id=key.id, scopes=key.scopes, expires_at=key.expires_at)

    async def create(self, request: auth.CreateApiKey, scope: TenantScope) -> auth.CreatedApiKey:
        desk = self._desk
        key, secret = make_api_key(request, scope.tenant_id, desk.clock.now())

        async def make() -> auth.CreatedApiKey:
            await desk.api_keys.add(scope, key, sha256(secret))
            # Sealed, because an answer with an Idempotency-Key is kept for a day.
            sealed = desk.secrets.seal(secret.encode(), _belongs_to(scope, key.id))
            return auth.CreatedApiKey(api_key=views.api_key(key), key=base64.b64encode(sealed).decode())

        async with desk.database.tenant_tx(scope) as tx:
            made = await once(tx, request.idempotency, auth.CreatedApiKey, make)
        opened = desk.secrets.open(base64.b64decode(made.key), _belongs_to(scope, made.api_key.id))
        return auth.CreatedApiKey(api_key=made.api_key, key=opened.decode())

    async def page(self, question: auth.ListApiKeys, scope: TenantScope) -> auth.ApiKeys:
        before = _before(question.cursor)
        found = await self._desk.api_keys.page(scope, before=before, limit=question.limit + 1)
        shown = found[: question.limit]
        next_cursor = str(shown[-1].id) if len(found) > len(shown) else None
        return auth.ApiKeys(items=tuple(views.api_key(key) for key in shown), next_cursor=next_cursor)

    async def delete(self, request: auth.DeleteApiKey, scope: TenantScope) -> Nothing:
        async with self._desk.database.tenant_tx(scope) as tx:
            await self._desk.api_keys.revoke(scope, request.key_id, self._desk.clock.now())
            await tx.publish(auth.API_KEY_REVOKED, auth.ApiKeyRevoked(key_id=request.key_id))
        return Nothing()


def _belongs_to(scope: TenantScope, key_id: ApiKeyId) -> str:
    return f"{scope.tenant_id}|api_key|{key_id}|1"


def _before(cursor: str | None) -> UUID | None:
    try:
        return UUID(cursor) if cursor else None
    except ValueError as error:
        raise Rejected("cursor: not one of ours") from error
