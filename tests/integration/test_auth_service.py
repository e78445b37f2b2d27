"""auth as a process of its own, asked over the broker as the gateway asks."""

import asyncio
import hashlib
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from contracts import auth
from contracts.ids import SessionId, uuid7
from contracts.paging import Idempotency
from gateway_service.domain.errors import NotAuthenticated
from gateway_service.outbound.keys_rpc import KeysRpc
from gateway_service.outbound.verify_tokens import Verifier
from runtime.bus import Bus
from runtime.clock import SystemClock
from runtime.errors import Conflict, NotFound, Rejected, Unavailable
from runtime.tenancy import TenantScope
from tests.support.children import bound
from tests.support.platform import Platform, eventually
from tests.support.ports import free_ports

pytestmark = pytest.mark.integration

PASSWORD = "a long enough password"


@pytest.fixture(scope="module")
def service(platform: Platform) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {**os.environ, **platform.env("auth", free_ports(1))}
    process = subprocess.Popen(bound("-m", "auth_service"), env=environment)
    yield process
    process.terminate()
    assert process.wait(20) == 0


@pytest.fixture(scope="module")
async def bus(platform: Platform, service: "subprocess.Popen[bytes]") -> AsyncIterator[Bus]:
    asking = Bus("gateway", platform.nats_url, platform.seed("gateway"))
    await asking.connect()

    async def answers() -> bool:
        try:
            return bool((await asking.request(auth.GET_KEYS, auth.GetKeys(), timeout_s=1)).keys)
        except Unavailable:
            return False

    await eventually(answers)
    yield asking
    await asking.stop()


@pytest.fixture
def verifier(bus: Bus) -> Verifier:
    return Verifier(KeysRpc(bus), SystemClock())


def registration(**changed: Any) -> auth.Register:
    asked = {"email": f"{uuid7()}@example.com", "password": PASSWORD, "company_name": "Trails", **changed}
    return auth.Register(**asked)


def scope_of(session: auth.Session) -> TenantScope:
    return TenantScope(session.user.business.id, f"user:{session.user.id}")


async def test_from_registering_to_signing_out(bus: Bus, verifier: Verifier):
    asked = registration()
    session = await bus.request(auth.REGISTER, asked)
    assert session.expires_in == 900
    principal = await verifier.verify(session.access_token)
    assert (principal.id, principal.tenant_id, principal.role) == (session.user.id, session.user.business.id, "owner")
    me = await bus.request(auth.ME, auth.Me(user_id=session.user.id), principal.scope)
    assert me.user == session.user

    again = await bus.request(auth.LOGIN, auth.Login(email=asked.email.upper(), password=PASSWORD))
    fresh = await bus.request(auth.REFRESH, auth.Refresh(refresh_token=again.refresh_token, client="c"))
    session_id = (await verifier.verify(fresh.access_token)).session_id
    me_still = auth.Me(user_id=session.user.id, session_id=SessionId(session_id) if session_id else None)
    assert (await bus.request(auth.ME, me_still, principal.scope)).user == session.user
    await bus.request(auth.LOGOUT, auth.Refresh(refresh_token=fresh.refresh_token))
    with pytest.raises(Rejected, match="not_authenticated"):
        await bus.request(auth.ME, me_still, principal.scope)
    with pytest.raises(Rejected, match="not_authenticated"):
        await bus.request(auth.REFRESH, auth.Refresh(refresh_token=fresh.refresh_token, client="c"))


async def test_a_wrong_password_and_an_unknown_email_get_the_same_answer(bus: Bus):
    session = await bus.request(auth.REGISTER, registration())
    answers = []
    for email in (session.user.email, "nobody@example.com"):
        with pytest.raises(Rejected) as refused:
            await bus.request(auth.LOGIN, auth.Login(email=email, password="wrong"))
        answers.append(refused.value.as_failure())
    assert answers[0] == answers[1]
    assert answers[0].code == "wrong_credentials"


async def test_a_reused_refresh_token_ends_the_family_for_good(bus: Bus):
    first = (await bus.request(auth.REGISTER, registration())).refresh_token
    second = await bus.request(auth.REFRESH, auth.Refresh(refresh_token=first, client="laptop"))
    with pytest.raises(Rejected):
        await bus.request(auth.REFRESH, auth.Refresh(refresh_token=first, client="thief"))
    with pytest.raises(Rejected):
        await bus.request(auth.REFRESH, auth.Refresh(refresh_token=second.refresh_token, client="laptop"))


async def test_two_tabs_that_refresh_at_once_both_stay_signed_in(bus: Bus):
    first = (await bus.request(auth.REGISTER, registration())).refresh_token
    asked = auth.Refresh(refresh_token=first, client="browser")
    pairs = await asyncio.gather(*(bus.request(auth.REFRESH, asked) for _ in range(4)))
    for pair in pairs:
        await bus.request(auth.REFRESH, auth.Refresh(refresh_token=pair.refresh_token, client="browser"))


async def test_of_many_who_register_an_email_at_once_one_gets_it(bus: Bus):
    asked = registration()
    results = await asyncio.gather(*(bus.request(auth.REGISTER, asked) for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(result, auth.Session) for result in results) == 1
    refused = [result for result in results if isinstance(result, Conflict)]
    assert [error.code for error in refused] == ["email_taken"] * 5


async def test_registering_again_with_the_same_key_and_body_signs_in_again(bus: Bus):
    key = str(uuid7())
    asked = registration(idempotency=Idempotency(key=key, body_sha256="a" * 64))
    first, second = await bus.request(auth.REGISTER, asked), await bus.request(auth.REGISTER, asked)
    assert first.user == second.user
    assert first.refresh_token != second.refresh_token
    for other, code in (
        (Idempotency(key=key, body_sha256="b" * 64), "idempotency_conflict"),
        (Idempotency(key="another", body_sha256="a" * 64), "email_taken"),
        (None, "email_taken"),
    ):
        with pytest.raises(Conflict, match=code):
            await bus.request(auth.REGISTER, asked.model_copy(update={"idempotency": other}))


async def test_an_api_key_lives_from_making_to_revoking(bus: Bus, verifier: Verifier):
    owner = scope_of(await bus.request(auth.REGISTER, registration()))
    made = await bus.request(auth.CREATE_API_KEY, auth.CreateApiKey(name="shop", scopes=("chat",)), owner)
    principal = await verifier.verify(made.key)
    assert (principal.tenant_id, principal.id, principal.scopes) == (owner.tenant_id, made.api_key.id, ("chat",))
    listed = await bus.request(auth.LIST_API_KEYS, auth.ListApiKeys(), owner)
    assert [key.id for key in listed.items] == [made.api_key.id]
    assert listed.items[0].last_used_at is not None

    heard = await bus.listen(auth.API_KEY_REVOKED, verifier.drop_revoked)
    foreign = scope_of(await bus.request(auth.REGISTER, registration()))
    with pytest.raises(NotFound):
        await bus.request(auth.DELETE_API_KEY, auth.DeleteApiKey(key_id=made.api_key.id), foreign)
    await bus.request(auth.DELETE_API_KEY, auth.DeleteApiKey(key_id=made.api_key.id), owner)

    async def is_refused() -> bool:
        try:
            await verifier.verify(made.key)
        except NotAuthenticated:
            return True
        return False

    await eventually(is_refused, timeout_s=5)
    await heard.unsubscribe()


async def test_an_idempotent_key_is_made_once_and_lies_nowhere_in_the_clear(bus: Bus, platform: Platform):
    owner = scope_of(await bus.request(auth.REGISTER, registration()))
    asked = auth.CreateApiKey(name="shop", idempotency=Idempotency(key="k", body_sha256="a" * 64))
    first, second = [await bus.request(auth.CREATE_API_KEY, asked, owner) for _ in range(2)]
    assert first == second
    changed = asked.model_copy(update={"idempotency": Idempotency(key="k", body_sha256="b" * 64)})
    with pytest.raises(Conflict, match="idempotency_conflict"):
        await bus.request(auth.CREATE_API_KEY, changed, owner)
    connection = await asyncpg.connect(platform.postgres_url("lumora"))
    try:
        rows = await connection.fetch("SELECT answer FROM auth.idempotency WHERE tenant_id = $1", owner.tenant_id)
        kept = await connection.fetch("SELECT key_sha256 FROM auth.api_key WHERE tenant_id = $1", owner.tenant_id)
    finally:
        await connection.close()
    assert first.key.encode() not in b"".join(row["answer"] for row in rows)
    assert [row["key_sha256"] for row in kept] == [hashlib.sha256(first.key.encode()).digest()]


async def test_pages_of_keys_meet_end_to_end(bus: Bus):
    owner = scope_of(await bus.request(auth.REGISTER, registration()))
    for name in "abc":
        await bus.request(auth.CREATE_API_KEY, auth.CreateApiKey(name=name), owner)
    first = await bus.request(auth.LIST_API_KEYS, auth.ListApiKeys(limit=2), owner)
    rest = await bus.request(auth.LIST_API_KEYS, auth.ListApiKeys(limit=2, cursor=first.next_cursor), owner)
    assert {key.name for key in (*first.items, *rest.items)} == {"a", "b", "c"}
    assert rest.next_cursor is None
    with pytest.raises(Rejected):
        await bus.request(auth.LIST_API_KEYS, auth.ListApiKeys(cursor="nonsense"), owner)


async def test_a_profile_changes_where_asked(bus: Bus):
    owner = scope_of(await bus.request(auth.REGISTER, registration(industry="outdoor")))
    changed = await bus.request(auth.UPDATE_BUSINESS, auth.UpdateBusiness(name="Paths"), owner)
    assert (changed.business.name, changed.business.industry) == ("Paths", "outdoor")
    assert await bus.request(auth.GET_BUSINESS, auth.GetBusiness(), owner) == changed


async def test_a_person_of_another_business_does_not_exist(bus: Bus):
    session, stranger = [await bus.request(auth.REGISTER, registration()) for _ in range(2)]
    with pytest.raises(NotFound):
        await bus.request(auth.ME, auth.Me(user_id=stranger.user.id), scope_of(session))
