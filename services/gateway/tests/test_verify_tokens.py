import asyncio
import hashlib
import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from contracts.auth import ApiKeyRevoked, JsonWebKey, KeySet, VerifiedKey
from contracts.ids import ApiKeyId, TenantId, uuid7
from gateway_service.domain.errors import NotAuthenticated
from gateway_service.outbound.verify_tokens import API_KEY_KEPT_S, KEYS_KEPT_S, REFETCH_S, Verifier
from runtime.clock import FrozenClock
from runtime.errors import Rejected, Unavailable
from runtime.tenancy import TenantScope

TENANT, USER, SESSION = TenantId(uuid7()), uuid7(), uuid7()
API_KEY = "lum_" + "a" * 43


class MemoryKeys:
    def __init__(self) -> None:
        self.signing = {"k1": ec.generate_private_key(ec.SECP256R1())}
        self.api: dict[str, VerifiedKey] = {}
        self.asked_public = 0
        self.asked_api = 0
        self.is_away = False

    async def public_keys(self) -> KeySet:
        self.asked_public += 1
        if self.is_away:
            raise Unavailable
        return KeySet(keys=tuple(self._public(kid) for kid in self.signing))

    async def verify_key(self, key_sha256: str) -> VerifiedKey:
        self.asked_api += 1
        if self.is_away:
            raise Unavailable
        if key_sha256 not in self.api:
            raise Rejected(code="not_authenticated")
        return self.api[key_sha256]

    def _public(self, kid: str) -> JsonWebKey:
        numbers = ECAlgorithm.to_jwk(self.signing[kid].public_key(), as_dict=True)
        return JsonWebKey(kid=kid, x=numbers["x"], y=numbers["y"])

    def add_api_key(self, key: str = API_KEY, expires_at: datetime | None = None) -> ApiKeyId:
        key_id = ApiKeyId(uuid7())
        found = VerifiedKey(tenant_id=TENANT, key_id=key_id, scopes=("chat",), expires_at=expires_at)
        self.api[hashlib.sha256(key.encode()).hexdigest()] = found
        return key_id

    def token(self, kid: str = "k1", *, key=None, alg: str = "ES256", typ: str = "at+jwt", **changed) -> str:
        now = int(time.time())
        claims = {
            "iss": "lumora",
            "aud": "lumora.api",
            "sub": str(USER),
            "sid": str(SESSION),
            "tenant": str(TENANT),
            "role": "owner",
            "iat": now,
            "exp": now + 900,
            **changed,
        }
        return jwt.encode(claims, key or self.signing[kid], algorithm=alg, headers={"kid": kid, "typ": typ})


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime.now(UTC))


@pytest.fixture
def verifier(keys: MemoryKeys, clock: FrozenClock) -> Verifier:
    return Verifier(keys, clock)


async def test_an_access_token_names_its_person(verifier, keys):
    principal = await verifier.verify(keys.token())
    assert (principal.kind, principal.tenant_id, principal.id, principal.role) == ("user", TENANT, USER, "owner")
    assert principal.credential_id == SESSION


async def test_the_keys_are_asked_for_once(verifier, keys):
    for _ in range(3):
        await verifier.verify(keys.token())
    assert keys.asked_public == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": int(time.time()) - 120},
        {"iss": "somebody"},
        {"aud": "lumora.widget"},
        {"typ": "JWT"},
        {"role": "king"},
        {"tenant": "not-a-uuid"},
        {"sub": None},
        {"sid": None},
    ],
)
async def test_a_token_that_is_wrong_in_one_thing_opens_nothing(verifier, keys, changed):
    with pytest.raises(NotAuthenticated):
        await verifier.verify(keys.token(**changed))


async def test_other_algorithms_open_nothing(verifier, keys):
    forged = keys.token(key="x" * 64, alg="HS512")
    unsigned = keys.token(key="x" * 64, alg="HS512").rsplit(".", 1)[0] + "."
    for token in (forged, unsigned, "", "a.b.c", "é" * 10):
        with pytest.raises(NotAuthenticated):
            await verifier.verify(token)


async def test_a_foreign_key_under_a_known_id_opens_nothing(verifier, keys):
    await verifier.verify(keys.token())
    with pytest.raises(NotAuthenticated):
        await verifier.verify(keys.token(key=ec.generate_private_key(ec.SECP256R1())))


async def test_a_rotated_key_is_learned_and_unknown_ones_do_not_flood_auth(verifier, keys, clock):
    await verifier.verify(keys.token())
    keys.signing["k2"] = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(NotAuthenticated):
        await verifier.verify(keys.token("k2"))
    assert keys.asked_public == 1
    clock.advance(REFETCH_S + 1)
    assert (await verifier.verify(keys.token("k2"))).id == USER
    assert keys.asked_public == 2


async def test_known_keys_last_while_auth_is_away(verifier, keys, clock):
    await verifier.verify(keys.token())
    keys.is_away = True
    clock.advance(3_600)
    assert (await verifier.verify(keys.token())).id == USER


async def test_a_withdrawn_key_is_forgotten_in_time(verifier, keys, clock):
    await verifier.verify(keys.token())
    withdrawn = keys.token()
    keys.signing = {"k2": ec.generate_private_key(ec.SECP256R1())}
    clock.advance(KEYS_KEPT_S)
    await verifier.verify(withdrawn)
    await asyncio.sleep(0)
    with pytest.raises(NotAuthenticated):
        await verifier.verify(withdrawn)
    assert (await verifier.verify(keys.token("k2"))).id == USER


async def test_many_at_once_with_a_new_key_ask_auth_once(verifier, keys):
    await asyncio.gather(*(verifier.verify(keys.token()) for _ in range(20)))
    assert keys.asked_public == 1


async def test_without_auth_nothing_can_be_told_about_an_unknown_key(verifier, keys):
    keys.is_away = True
    for token in (keys.token(), API_KEY):
        with pytest.raises(Unavailable):
            await verifier.verify(token)


async def test_an_api_key_is_asked_for_once_a_minute(verifier, keys, clock):
    key_id = keys.add_api_key()
    assert (await verifier.verify(API_KEY)).id == key_id
    await verifier.verify(API_KEY)
    assert keys.asked_api == 1
    clock.advance(API_KEY_KEPT_S)
    await verifier.verify(API_KEY)
    assert keys.asked_api == 2


async def test_a_revoked_api_key_is_forgotten(verifier, keys):
    key_id = keys.add_api_key()
    await verifier.verify(API_KEY)
    keys.api.clear()
    await verifier.drop_revoked(ApiKeyRevoked(key_id=key_id), TenantScope(TENANT, "service:auth"))
    with pytest.raises(NotAuthenticated):
        await verifier.verify(API_KEY)


async def test_after_a_reconnect_every_api_key_is_asked_for_again(verifier, keys):
    keys.add_api_key()
    await verifier.verify(API_KEY)
    await verifier.drop_all()
    await verifier.verify(API_KEY)
    assert keys.asked_api == 2


async def test_a_revocation_heard_while_auth_answers_is_not_lost(keys, clock):
    key_id = keys.add_api_key()

    class RevokedMeanwhile(MemoryKeys):
        async def verify_key(self, key_sha256: str) -> VerifiedKey:
            await verifier.drop_revoked(ApiKeyRevoked(key_id=key_id), TenantScope(TENANT, "service:auth"))
            return await keys.verify_key(key_sha256)

    verifier = Verifier(RevokedMeanwhile(), clock)
    await verifier.verify(API_KEY)
    await verifier.verify(API_KEY)
    assert keys.asked_api == 2


async def test_a_kept_api_key_still_expires(verifier, keys, clock):
    keys.add_api_key(expires_at=clock.now() + timedelta(seconds=10))
    await verifier.verify(API_KEY)
    clock.advance(11)
    with pytest.raises(NotAuthenticated):
        await verifier.verify(API_KEY)
