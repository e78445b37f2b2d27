"""auth's tables on the real database: the ports' promises, and the walls between tenants."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from auth_service.domain.errors import EmailTaken
from auth_service.domain.member import Member
from auth_service.domain.tenant import Tenant
from auth_service.outbound.postgres_api_keys import PostgresApiKeys
from auth_service.outbound.postgres_members import PostgresMembers
from auth_service.outbound.postgres_sessions import PostgresSessions
from auth_service.outbound.postgres_tenants import PostgresTenants
from auth_service.outbound.sealed_secrets import SealBroken, Sealer
from auth_service.outbound.signing_keys import SigningKeys
from contracts.ids import TenantId, UserId, uuid7
from runtime.clock import SystemClock
from runtime.db import Database
from runtime.tenancy import TenantScope
from services.auth.tests.promises import NOW, Kept, Promises, new_owner, new_token
from tests.support.platform import Platform

pytestmark = pytest.mark.integration

TENANT_TABLES = ("business", "member", "session_family", "refresh_token", "api_key", "outbox", "idempotency")


@pytest.fixture(scope="module")
async def database(platform: Platform) -> AsyncIterator[Database]:
    made = Database(platform.postgres_url("auth_app"), pool_size=8)
    yield made
    await made.close()


@pytest.fixture
def kept(database: Database) -> Kept:
    return Kept(
        database,
        PostgresTenants(database),
        PostgresMembers(database),
        PostgresSessions(database),
        PostgresApiKeys(database),
    )


class TestPostgres(Promises):
    pass


@pytest.fixture
async def as_app(platform: Platform) -> AsyncIterator["asyncpg.Connection"]:
    connection = await asyncpg.connect(platform.postgres_url("auth_app"))
    yield connection
    await connection.close()


async def test_without_a_tenant_no_row_is_seen(kept: Kept, as_app: "asyncpg.Connection"):
    await new_token(kept, *await new_owner(kept))
    for table in TENANT_TABLES:
        assert await as_app.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608 - our own names


async def test_a_tenant_sees_and_changes_its_own_rows_alone(kept: Kept, as_app: "asyncpg.Connection"):
    scope, owner = await new_owner(kept)
    foreign, stranger = await new_owner(kept)
    for who, person in ((scope, owner), (foreign, stranger)):
        await new_token(kept, who, person)
    async with as_app.transaction():
        await as_app.execute("SELECT set_config('app.tenant', $1, true)", str(scope.tenant_id))
        for table in ("business", "member", "session_family", "refresh_token"):
            rows = await as_app.fetch(f"SELECT tenant_id FROM {table}")  # noqa: S608 - our own names
            assert {row["tenant_id"] for row in rows} == {scope.tenant_id}
        assert await as_app.execute("UPDATE member SET role = 'viewer' WHERE id = $1", stranger.id) == "UPDATE 0"
        assert await as_app.execute("DELETE FROM refresh_token WHERE tenant_id = $1", foreign.tenant_id) == "DELETE 0"


async def test_a_row_of_another_tenant_cannot_be_written(kept: Kept, as_app: "asyncpg.Connection"):
    scope, _ = await new_owner(kept)
    foreign, _ = await new_owner(kept)
    row = (foreign.tenant_id, uuid7(), f"{uuid7()}@example.com")
    transaction = as_app.transaction()
    await transaction.start()
    await as_app.execute("SELECT set_config('app.tenant', $1, true)", str(scope.tenant_id))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_app.execute("INSERT INTO member VALUES ($1, $2, $3, 'hash', 'owner', now())", *row)
    await transaction.rollback()


@pytest.mark.parametrize("role", ["auth_relay", "learning_app"])
async def test_only_the_handlers_may_look_up(platform: Platform, role: str):
    connection = await asyncpg.connect(platform.postgres_url(role))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM auth.member_by_email('a@example.com')")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM auth.signing_key")
    finally:
        await connection.close()


async def test_a_lookup_is_not_led_astray_by_the_callers_search_path(kept: Kept, as_app: "asyncpg.Connection"):
    _, owner = await new_owner(kept)
    await as_app.execute("CREATE TEMP TABLE member (LIKE auth.member)")
    await as_app.execute("SET search_path = pg_temp, auth")
    row = await as_app.fetchrow("SELECT * FROM auth.member_by_email($1)", owner.email)
    assert row["id"] == owner.id


async def test_of_many_who_register_an_email_at_once_one_gets_it(kept: Kept):
    email = f"{uuid7()}@example.com"

    async def register() -> TenantId:
        tenant = Tenant(TenantId(uuid7()), "Racers", "", NOW)
        scope = TenantScope(tenant.id, "test")
        async with kept.transactions.tenant_tx(scope):
            await kept.tenants.add(scope, tenant)
            await kept.members.add(scope, Member(UserId(uuid7()), tenant.id, email, "hash", "owner", NOW))
        return tenant.id

    results = await asyncio.gather(*(register() for _ in range(8)), return_exceptions=True)
    winners = [result for result in results if isinstance(result, type(uuid7()))]
    assert len(winners) == 1
    assert sum(isinstance(result, EmailTaken) for result in results) == 7
    found = await kept.members.find(email)
    assert found is not None
    assert found.tenant_id == winners[0]


async def test_replicas_agree_on_one_signing_key(platform: Platform, database: Database):
    sealer = Sealer(platform.secrets.master_key)
    replicas = [SigningKeys(database, sealer, SystemClock()) for _ in range(4)]
    await asyncio.gather(*(replica.load() for replica in replicas))
    assert len((await replicas[0].public_keys()).keys) == 1
    tokens = [replica.sign({"sub": "x"}) for replica in replicas]
    assert len({token.split(".")[0] for token in tokens}) == 1


async def test_a_signing_key_lies_sealed_and_opens_with_its_master_key_alone(platform: Platform, database: Database):
    await SigningKeys(database, Sealer(platform.secrets.master_key), SystemClock()).load()
    with pytest.raises(SealBroken, match="AUTH_MASTER_KEY"):
        await SigningKeys(database, Sealer("0f" * 32), SystemClock()).load()
