"""Idempotency-Key: the first answer again, a conflict, or a wait; never the effect twice."""

import asyncio

import pytest

from contracts.auth import CreatedApiKey
from contracts.filter import InputVerdict
from contracts.paging import Idempotency
from runtime.db import Database
from runtime.errors import Conflict
from runtime.idempotency import once
from runtime.tenancy import TenantScope
from tests.support.probe import Probe, connection, new_scope

pytestmark = pytest.mark.integration

KEY = Idempotency(key="order-7", body_sha256="aa")


class Maker:
    """Answers with how often it was asked."""

    def __init__(self, wait_s: float = 0) -> None:
        self.times = 0
        self._wait_s = wait_s

    async def __call__(self) -> InputVerdict:
        self.times += 1
        await asyncio.sleep(self._wait_s)
        return InputVerdict(is_allowed=True, categories=(str(self.times),))


async def ask(database: Database, scope: TenantScope, make: Maker, key: Idempotency | None = KEY) -> InputVerdict:
    async with database.tenant_tx(scope) as tx:
        return await once(tx, key, InputVerdict, make)


async def test_the_same_key_and_body_give_the_first_answer_again(database: Database) -> None:
    scope, make = new_scope(), Maker()
    assert await ask(database, scope, make) == await ask(database, scope, make)
    assert make.times == 1


async def test_another_body_is_a_conflict(database: Database) -> None:
    scope, make = new_scope(), Maker()
    await ask(database, scope, make)
    with pytest.raises(Conflict) as refused:
        await ask(database, scope, make, Idempotency(key=KEY.key, body_sha256="bb"))
    assert refused.value.code == "idempotency_conflict"
    assert make.times == 1


async def test_without_a_key_everything_happens(database: Database) -> None:
    scope, make = new_scope(), Maker()
    await ask(database, scope, make, None)
    await ask(database, scope, make, None)
    assert make.times == 2


async def test_two_at_the_same_time_are_one(database: Database) -> None:
    scope, make = new_scope(), Maker(wait_s=0.2)
    first, second = await asyncio.gather(ask(database, scope, make), ask(database, scope, make))
    assert first == second
    assert make.times == 1


async def test_what_failed_may_be_tried_again_under_the_same_key(database: Database) -> None:
    scope, make = new_scope(), Maker()

    async def fail() -> InputVerdict:
        raise RuntimeError("not yet")

    with pytest.raises(RuntimeError, match="not yet"):
        await _ask_to(database, scope, fail)
    assert (await ask(database, scope, make)).categories == ("1",)


async def _ask_to(database: Database, scope: TenantScope, make: object) -> None:
    async with database.tenant_tx(scope) as tx:
        await once(tx, KEY, InputVerdict, make)  # type: ignore[arg-type] # a coroutine function


async def test_keys_belong_to_one_tenant_and_one_kind_of_answer(database: Database) -> None:
    make = Maker()
    one = new_scope()
    await ask(database, one, make)
    await ask(database, new_scope(), make)
    assert make.times == 2
    made = 0

    async def make_key() -> CreatedApiKey:
        nonlocal made
        made += 1
        raise RuntimeError("asked")

    with pytest.raises(RuntimeError, match="asked"):
        await _make_key(database, one, make_key)
    assert made == 1


async def _make_key(database: Database, scope: TenantScope, make: object) -> None:
    async with database.tenant_tx(scope) as tx:
        await once(tx, KEY, CreatedApiKey, make)  # type: ignore[arg-type] # a coroutine function


async def test_a_day_later_the_key_is_free(probe: Probe, database: Database) -> None:
    scope, make = new_scope(), Maker()
    await ask(database, scope, make)
    async with connection(probe.admin_url) as admin:
        await admin.execute(
            "UPDATE probe.idempotency SET created_at = now() - interval '25 hours' WHERE tenant_id = $1",
            scope.tenant_id,
        )
    await ask(database, scope, make)
    assert make.times == 2
