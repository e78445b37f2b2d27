"""A function of the schema as a whole transaction: whose rows it sees, what it says, and when its connection breaks."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from contracts.ids import MessageId, uuid7
from contracts.inference import ANSWER, AnswerTurn
from runtime.db import Database
from runtime.errors import Unavailable
from runtime.outbox import Outgoing
from runtime.tenancy import TenantScope
from tests.support.cut_line import CutLine, cut_line
from tests.support.platform import Platform, eventually
from tests.support.probe import Probe, connection, frozen, new_scope

pytestmark = pytest.mark.integration


def said(scope: TenantScope) -> tuple[Outgoing, Outgoing]:
    first, second = (AnswerTurn(message_id=MessageId(uuid7())) for _ in range(2))
    return Outgoing.job(scope.tenant_id, ANSWER, first), Outgoing.job(scope.tenant_id, ANSWER, second)


async def write_down(
    database: Database,
    scope: TenantScope,
    *,
    whose: UUID | None = None,
    pause_s: float = 0.0,
    note_id: UUID | None = None,
    say: tuple[Outgoing, ...] | None = None,
    lock: str | None = None,
) -> Any:
    """Returns how many notes the function saw."""
    values = (whose or scope.tenant_id, note_id or uuid7(), "a note", pause_s)
    row = await database.call(scope, "write_down", *values, said=say or said(scope), lock=lock)
    return row["seen"]


async def notes(probe: Probe, scope: TenantScope) -> int:
    async with connection(probe.admin_url) as admin:
        return int(await admin.fetchval("SELECT count(*) FROM probe.note WHERE tenant_id = $1", scope.tenant_id))


async def outbox(probe: Probe, scope: TenantScope) -> set[UUID]:
    async with connection(probe.admin_url) as admin:
        rows = await admin.fetch("SELECT id FROM probe.outbox WHERE tenant_id = $1", scope.tenant_id)
    return {row["id"] for row in rows}


async def test_it_sees_and_writes_rows_of_its_tenant_alone(database: Database, probe: Probe) -> None:
    one, other = new_scope(), new_scope()
    assert [await write_down(database, scope) for scope in (one, other, one)] == [1, 1, 2]
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await write_down(database, one, whose=other.tenant_id)
    assert await notes(probe, other) == 1


async def test_no_tenant_is_left_on_the_connection(probe: Probe) -> None:
    single = Database(probe.app_url, pool_size=1)
    await write_down(single, new_scope())
    async with single.lookup_tx() as session:
        assert (await session.execute(text("SELECT count(*) FROM note"))).scalar_one() == 0
    await single.close()


async def test_a_tenant_that_is_only_named_opens_nothing(probe: Probe) -> None:
    # The function by itself, as somebody would call it who went around the runtime.
    tenant = uuid7()
    async with connection(probe.app_url) as handler:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await handler.fetch(
                "SELECT * FROM write_down($1, $1, $2, 'x', 0, '{}', '{}', '{}', '{}', '{}')", tenant, uuid7()
            )


async def test_nobody_else_may_call_it(probe: Probe) -> None:
    async with connection(probe.relay_url) as relay:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for function"):
            await relay.fetch("SELECT * FROM write_down($1, $1, $1, 'x', 0, '{}', '{}', '{}', '{}', '{}')", uuid7())


async def test_what_it_kept_is_in_the_outbox_and_handed_over(database: Database, probe: Probe) -> None:
    scope, handed_over = new_scope(), list[Outgoing]()
    database.after_commit(handed_over.extend)
    first, second = say = said(scope)
    await write_down(database, scope, say=say)
    assert handed_over == [first]
    assert await outbox(probe, scope) == {first.id}
    await write_down(database, scope, say=(again := said(scope)))
    assert handed_over == [first, *again]
    assert second.id not in await outbox(probe, scope)


async def test_inside_a_transaction_it_is_part_of_it(database: Database, probe: Probe) -> None:
    scope, handed_over = new_scope(), list[Outgoing]()
    database.after_commit(handed_over.extend)
    with pytest.raises(RuntimeError, match="changed my mind"):
        await _write_and_fail(database, scope)
    assert (await notes(probe, scope), await outbox(probe, scope), handed_over) == (0, set(), [])
    async with database.tenant_tx(scope):
        await write_down(database, scope)
        assert handed_over == []
    assert (await notes(probe, scope), len(handed_over)) == (1, 1)


async def _write_and_fail(database: Database, scope: TenantScope) -> None:
    async with database.tenant_tx(scope, lock="notes"):
        await write_down(database, scope, lock="notes")
        raise RuntimeError("changed my mind")


async def test_what_the_lock_guards_is_seen_by_the_next(database: Database) -> None:
    scope = new_scope()
    seen = await asyncio.gather(*(write_down(database, scope, pause_s=0.02, lock="notes") for _ in range(5)))
    assert sorted(seen) == [1, 2, 3, 4, 5]


async def test_a_lock_that_is_held_too_long_is_unavailable_and_stores_nothing(database: Database, probe: Probe) -> None:
    scope = new_scope()
    async with database.tenant_tx(scope, lock="notes"):
        with pytest.raises(Unavailable):
            await asyncio.create_task(write_down(database, scope, lock="notes"))
    assert await notes(probe, scope) == 0
    assert await write_down(database, scope, lock="notes") == 1


async def test_a_connection_that_is_ended_inside_is_replaced_once(database: Database, probe: Probe) -> None:
    scope, note_id = new_scope(), uuid7()
    writing = asyncio.create_task(write_down(database, scope, note_id=note_id, pause_s=1.0))
    async with connection(probe.admin_url) as admin:
        await eventually(lambda: _ended_one(admin))
    assert await writing == 1
    assert await notes(probe, scope) == 1


async def _ended_one(admin: "asyncpg.Connection") -> bool:
    return bool(
        await admin.fetchval(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE usename = 'probe_app' AND wait_event = 'PgSleep' LIMIT 1"""
        )
    )


@pytest.fixture
async def line(probe: Probe) -> AsyncIterator[tuple[CutLine, Database]]:
    """A database behind a line that can be cut, its connections warm."""
    async with cut_line(probe.app_url) as (line, url):
        behind = Database(url, pool_size=1)
        await write_down(behind, new_scope())
        yield line, behind
        await behind.close()


async def test_what_was_said_in_a_commit_that_nobody_heard_is_not_said_twice(
    line: tuple[CutLine, Database], probe: Probe
) -> None:
    cut, behind = line
    scope, note_id = new_scope(), uuid7()
    say = said(scope)
    cut.arm()
    with pytest.raises(asyncpg.UniqueViolationError):  # this function is not one to run twice
        await write_down(behind, scope, note_id=note_id, say=say)
    assert await notes(probe, scope) == 1
    assert await outbox(probe, scope) == {say[0].id}


async def test_a_line_that_breaks_twice_is_unavailable(line: tuple[CutLine, Database]) -> None:
    cut, behind = line
    cut.arm(cuts=2)
    with pytest.raises(Unavailable):
        await write_down(behind, new_scope())


async def test_a_database_that_hangs_is_unavailable_and_serves_again(platform: Platform, probe: Probe) -> None:
    warm, scope = Database(probe.app_url, pool_size=1), new_scope()
    await write_down(warm, scope)
    with frozen(platform, "postgres"), pytest.raises(Unavailable):
        await write_down(warm, scope)
    assert await write_down(warm, scope) >= 2
    await warm.close()
