"""Whose API key is this?"""

from datetime import timedelta

from auth_service.domain.api_key import ApiKey
from auth_service.domain.errors import NotAuthenticated
from auth_service.domain.ports import ApiKeys
from runtime.clock import Clock
from runtime.tenancy import TenantScope

TOUCHED_EVERY = timedelta(minutes=1)
"""`last_used_at` is as exact as this; a write for each request would be waste."""


async def verify_key(key_sha256: bytes, *, keys: ApiKeys, clock: Clock) -> ApiKey:
    """The key with this hash.

    Raises:
        NotAuthenticated: unknown, revoked or expired.
    """
    now = clock.now()
    found = await keys.find(key_sha256)
    if found is None or (found.expires_at is not None and found.expires_at <= now):
        raise NotAuthenticated
    if found.last_used_at is None or found.last_used_at + TOUCHED_EVERY <= now:
        await keys.touch(TenantScope(found.tenant_id, f"key:{found.id}"), found.id, now)
    return found
