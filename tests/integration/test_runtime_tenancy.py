"""One tenant a transaction: what row security hides, refuses and never lets out, on the real database."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from contracts.ids import uuid7
from runtime.db import Database
from runtime.errors import Unavailable
from runtime.provision_postgres import Schema, is_current, migrate
from runtime.tenancy import TenantScope
from runtime.transaction import Transaction
from tests.support.platform import Platform
from tests.support.ports import free_ports
from tests.support.probe import MIGRATIONS, Probe, connection, frozen, new_scope

pytestmark = pytest.mark.integration


async def write(tx: Transaction, body: str, tenant_id: UUID | None = None) -> UUID:
    row_id = uuid7()
    await tx.session.execute(
        text("INSERT INTO note (tenant_id, id, body) VALUES (:t, :i, :b)"),
        {"t": tenant_id or tx.tenant_id, "i": row_id, "b": body},
    )
    return row_id


async def bodies(tx: Transaction) -> list[str]:
    return list((await tx.session.execute(text("SELECT body FROM note ORDER BY body"))).scalars())


async def test_a_tenant_sees_its_own_rows_alone(database: Database) -> None:
    one, other = new_scope(), new_scope()
    for scope, body in ((one, "mine"), (other, "theirs")):
        async with database.tenant_tx(scope) as tx:
            await write(tx, body)
    for scope, body in ((one, "mine"), (other, "theirs")):
        async with database.tenant_tx(scope) as tx:
            assert await bodies(tx) == [body]


async def test_a_foreign_row_can_be_neither_written_changed_nor_deleted(database: Database) -> None:
    one, other = new_scope(), new_scope()
    async with database.tenant_tx(other) as tx:
        row_id = await write(tx, "theirs")
    with pytest.raises(DBAPIError, match="row-level security"):
        await _write_as(database, one, other)
    async with database.tenant_tx(one) as tx:
        for change in ("UPDATE note SET body = 'stolen' WHERE id = :i", "DELETE FROM note WHERE id = :i"):
            assert (await tx.session.execute(text(change), {"i": row_id})).rowcount == 0  # type: ignore[attr-defined] # a DML result has it
        await write(tx, "mine")
    with pytest.raises(DBAPIError, match="row-level security"):
        await _move(database, one, other)
    async with database.tenant_tx(other) as tx:
        assert await bodies(tx) == ["theirs"]


async def _write_as(database: Database, scope: TenantScope, owner: TenantScope) -> None:
    async with database.tenant_tx(scope) as tx:
        await write(tx, "planted", owner.tenant_id)


async def _move(database: Database, scope: TenantScope, owner: TenantScope) -> None:
    async with database.tenant_tx(scope) as tx:
        await tx.session.execute(text("UPDATE note SET tenant_id = :t"), {"t": owner.tenant_id})


async def test_a_second_helper_of_the_same_tenant_joins(database: Database) -> None:
    scope = new_scope()
    with pytest.raises(RuntimeError, match="late"):
        await _fail_after_an_inner_block(database, scope)
    async with database.tenant_tx(scope) as tx:
        assert await bodies(tx) == []


async def _fail_after_an_inner_block(database: Database, scope: TenantScope) -> None:
    async with database.tenant_tx(scope) as outer:
        async with database.tenant_tx(TenantScope(scope.tenant_id, "user:another")) as inner:
            assert inner is outer
            await write(inner, "inner")
        assert await bodies(outer) == ["inner"]
        raise RuntimeError("late")


async def test_another_tenant_inside_gets_a_transaction_of_its_own(database: Database) -> None:
    one, other = new_scope(), new_scope()
    async with database.tenant_tx(one) as outer:
        await write(outer, "mine")
        async with database.tenant_tx(other) as inner:
            assert inner is not outer
            assert await bodies(inner) == []
        assert await bodies(outer) == ["mine"]


async def test_a_task_started_inside_does_not_join(database: Database) -> None:
    # Two tasks on one session would mix their statements.
    scope = new_scope()

    async def elsewhere() -> Transaction:
        async with database.tenant_tx(scope) as tx:
            return tx

    async with database.tenant_tx(scope) as outer:
        assert await asyncio.create_task(elsewhere()) is not outer


async def test_without_a_tenant_there_is_no_row(database: Database) -> None:
    scope = new_scope()
    async with database.tenant_tx(scope) as tx:
        await write(tx, "mine")
    for _ in range(6):  # more than the pool has: connections that carried a tenant before are among them
        async with database.lookup_tx() as session:
            assert (await session.execute(text("SELECT count(*) FROM note"))).scalar_one() == 0


async def test_the_tables_owner_is_bound_too(probe: Probe, database: Database) -> None:
    async with database.tenant_tx(new_scope()) as tx:
        await write(tx, "mine")
    async with connection(probe.owner_url) as owner:
        assert await owner.fetchval("SELECT count(*) FROM note") == 0


async def test_a_role_that_could_look_past_row_security_is_refused(probe: Probe, database: Database) -> None:
    await database.refuse_privileges()
    mighty = Database(probe.admin_url, pool_size=1)
    with pytest.raises(RuntimeError, match="superuser"):
        await mighty.refuse_privileges()
    await mighty.close()


async def test_a_connection_that_died_in_the_pool_is_replaced_unseen(probe: Probe, database: Database) -> None:
    scope = new_scope()
    async with database.tenant_tx(scope) as tx:
        await write(tx, "before")
    async with connection(probe.admin_url) as admin:
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'probe_app'")
    async with database.tenant_tx(scope) as tx:
        assert await bodies(tx) == ["before"]


async def test_nobody_there_is_unavailable_soon() -> None:
    nowhere = Database(f"postgresql://probe_app:x@127.0.0.1:{free_ports(1)}/lumora", pool_size=1)
    with pytest.raises(Unavailable) as refused:
        await _touch(nowhere)
    assert refused.value.retry_after_s
    await nowhere.close()


async def _touch(database: Database) -> None:
    async with database.tenant_tx(new_scope()):
        pass


async def test_a_database_that_hangs_is_unavailable_within_two_seconds(platform: Platform, probe: Probe) -> None:
    hanging = Database(probe.app_url, pool_size=1)
    with frozen(platform, "postgres"):
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            await _touch(hanging)
        assert time.monotonic() - begun < 2.5
    await _touch(hanging)
    await hanging.close()


async def test_a_warm_connection_to_a_database_that_hangs_is_given_up_as_soon(platform: Platform, probe: Probe) -> None:
    warm = Database(probe.app_url, pool_size=1)
    await _touch(warm)
    with frozen(platform, "postgres"):
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            await _touch(warm)
        assert time.monotonic() - begun < 2.5
    await _touch(warm)
    await warm.close()


async def test_a_busy_pool_is_unavailable_and_serves_again(probe: Probe) -> None:
    small = Database(probe.app_url, pool_size=2)
    async with AsyncExitStack() as held:
        for _ in range(2):
            await held.enter_async_context(small.tenant_tx(new_scope()))
        with pytest.raises(Unavailable):
            await asyncio.create_task(_touch(small))
    await _touch(small)
    await small.close()


async def test_a_lock_that_is_held_too_long_is_unavailable(database: Database) -> None:
    scope = new_scope()
    async with database.tenant_tx(scope) as tx:
        row_id = await write(tx, "contended")

    async def change() -> None:
        async with database.tenant_tx(scope) as tx:
            await tx.session.execute(text("UPDATE note SET body = body WHERE id = :i"), {"i": row_id})

    async with database.tenant_tx(scope) as holder:
        await holder.session.execute(text("UPDATE note SET body = 'held' WHERE id = :i"), {"i": row_id})
        with pytest.raises(Unavailable):
            await asyncio.create_task(change())


async def test_an_error_names_no_value(database: Database) -> None:
    scope, secret = new_scope(), "the customer's own words"
    with pytest.raises(DBAPIError) as refused:
        await _write_twice(database, scope, secret)
    assert secret not in str(refused.value)


async def _write_twice(database: Database, scope: TenantScope, body: str) -> None:
    async with database.tenant_tx(scope) as tx:
        row_id = await write(tx, "first")
        again = text("INSERT INTO note (tenant_id, id, body) VALUES (:t, :i, :b)")
        await tx.session.execute(again, {"t": tx.tenant_id, "i": row_id, "b": body})


async def test_migrations_are_applied_once(probe: Probe, tmp_path: Path) -> None:
    schema = Schema("probe", MIGRATIONS)
    assert await is_current(probe.owner_url, schema)
    await asyncio.to_thread(migrate, probe.owner_url, schema)
    newer = tmp_path / "versions"
    newer.mkdir()
    (newer / "0002_more.py").touch()
    assert not await is_current(probe.owner_url, Schema("probe", tmp_path))
