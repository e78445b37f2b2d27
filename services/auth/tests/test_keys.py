import pytest

from auth_service.domain.api_key import make_api_key
from auth_service.domain.errors import NotAuthenticated
from auth_service.domain.secret import sha256
from auth_service.domain.verify_key import TOUCHED_EVERY, verify_key
from contracts.auth import CreateApiKey
from contracts.ids import TenantId, uuid7
from runtime.clock import FrozenClock
from runtime.tenancy import TenantScope
from services.auth.tests.memory import MemoryApiKeys

SCOPE = TenantScope(TenantId(uuid7()), "test")


async def made(keys: MemoryApiKeys, clock: FrozenClock, **asked):
    key, secret = make_api_key(CreateApiKey(name="shop", **asked), SCOPE.tenant_id, clock.now())
    await keys.add(SCOPE, key, sha256(secret))
    return key, secret


async def test_a_key_is_found_by_its_hash_and_shows_little():
    keys, clock = MemoryApiKeys(), FrozenClock()
    key, secret = await made(keys, clock, scopes=("chat", "chat"))
    assert secret.startswith("lum_")
    assert len(secret) == len("lum_") + 43
    assert secret.startswith(key.prefix)
    assert len(key.prefix) == 10
    assert key.scopes == ("chat",)
    assert (await verify_key(sha256(secret), keys=keys, clock=clock)).id == key.id


async def test_unknown_revoked_and_expired_keys_open_nothing():
    keys, clock = MemoryApiKeys(), FrozenClock()
    with pytest.raises(NotAuthenticated):
        await verify_key(sha256("lum_unknown"), keys=keys, clock=clock)
    revoked, secret = await made(keys, clock)
    await keys.revoke(SCOPE, revoked.id, clock.now())
    with pytest.raises(NotAuthenticated):
        await verify_key(sha256(secret), keys=keys, clock=clock)
    _, secret = await made(keys, clock, expires_in_days=1)
    clock.advance(24 * 3600)
    with pytest.raises(NotAuthenticated):
        await verify_key(sha256(secret), keys=keys, clock=clock)


async def test_use_is_noted_at_most_once_a_minute():
    keys, clock = MemoryApiKeys(), FrozenClock()
    key, secret = await made(keys, clock)
    first = clock.now()
    await verify_key(sha256(secret), keys=keys, clock=clock)
    clock.advance(TOUCHED_EVERY.total_seconds() - 1)
    assert (await verify_key(sha256(secret), keys=keys, clock=clock)).last_used_at == first
    clock.advance(1)
    await verify_key(sha256(secret), keys=keys, clock=clock)
    found = await keys.find(sha256(secret))
    assert found is not None
    assert found.last_used_at == clock.now()
    assert found.id == key.id
