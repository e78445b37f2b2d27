"""Policies and decisions in the real Postgres, under its row security."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from contracts.ids import ConversationId, MessageId, uuid7
from filter_service.domain.answer import Answer, Decision
from filter_service.domain.policy import Policy
from filter_service.outbound.postgres_decisions import PostgresDecisions
from filter_service.outbound.postgres_policies import PostgresPolicies
from runtime.clock import SystemClock
from runtime.db import Database
from runtime.errors import Unavailable
from runtime.tenancy import TenantScope
from tests.support.platform import Platform
from tests.support.policies_promise import PoliciesPromise, new_scope

pytestmark = pytest.mark.integration


@pytest.fixture
async def filter_database(platform: Platform) -> AsyncIterator[Database]:
    opened = Database(platform.postgres_url("filter_app"), pool_size=5)
    yield opened
    await opened.close()


async def rows(platform: Platform, table: str, scope: TenantScope) -> list[asyncpg.Record]:
    """As the superuser sees them: every tenant's."""
    connection = await asyncpg.connect(platform.postgres_url("lumora"))
    try:
        return list(await connection.fetch(f"SELECT * FROM filter.{table} WHERE tenant_id = $1", scope.tenant_id))  # noqa: S608 - our own names
    finally:
        await connection.close()


def decision(scope: TenantScope, *, attempt: int = 1, is_blocked: bool = False) -> Decision:
    answer = Answer(scope.tenant_id, ConversationId(uuid7()), MessageId(uuid7()), attempt)
    return Decision(answer, 3, {"blocklist": 2, "card_number": 1}, is_blocked)


class TestPostgresPolicies(PoliciesPromise):
    @pytest.fixture
    def policies(self, filter_database: Database) -> PostgresPolicies:
        return PostgresPolicies(filter_database)

    async def test_a_change_is_said_in_the_same_commit(self, policies: PostgresPolicies, platform: Platform) -> None:
        scope = new_scope()
        await policies.replace(scope, Policy(terms=("acme",)))
        said = await rows(platform, "outbox", scope)
        assert [row["schema_name"] for row in said] == ["filter.policy_changed.v1"]
        assert said[0]["subject"] == f"evt.filter.policy_changed.v1.{scope.tenant_id}.{scope.tenant_id}"
        assert b"acme" not in said[0]["body"]


async def test_decisions_are_written_once_however_often_they_are_made(
    filter_database: Database, platform: Platform
) -> None:
    decisions, one, other = PostgresDecisions(filter_database, SystemClock()), new_scope(), new_scope()
    repeated = decision(one)
    for noted in (repeated, repeated, decision(other, is_blocked=True), decision(one, attempt=2)):
        decisions.note(noted)
    await decisions.flush()
    decisions.note(repeated)
    await decisions.flush()
    kept = await rows(platform, "decision", one)
    assert sorted(row["attempt"] for row in kept) == [1, 2]
    blocked = await rows(platform, "decision", other)
    assert [(row["is_blocked"], row["policy_version"]) for row in blocked] == [(True, 3)]
    assert blocked[0]["found"] == '{"blocklist": 2, "card_number": 1}'


async def test_decisions_wait_while_the_database_is_away(filter_database: Database, platform: Platform) -> None:
    scope, clock = new_scope(), SystemClock()
    away = Database("postgresql://filter_app:x@127.0.0.1:1/lumora")
    decisions = PostgresDecisions(away, clock)
    first, second = decision(scope), decision(scope)
    decisions.note(first)
    decisions.note(second)
    with pytest.raises(Unavailable):
        await decisions.flush()
    await away.close()
    decisions._database = filter_database
    await decisions.flush()
    kept = await rows(platform, "decision", scope)
    assert {row["message_id"] for row in kept} == {first.answer.message_id, second.answer.message_id}
