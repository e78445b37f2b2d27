"""A turn that waits for its providers, on the real database: its job is not hurried, and a stop is not held up."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from inference_service.app import _TAKE_UNFINISHED as TAKE_UNFINISHED
from inference_service.domain.turn import LeasedTurn
from inference_service.outbound.postgres_turns import PostgresTurns
from runtime.db import Database
from tests.integration.test_inference_traces import leased, new_scope
from tests.support.platform import Platform

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def database(platform: Platform) -> AsyncIterator[Database]:
    made = Database(platform.postgres_url("inference_app"), pool_size=4)
    yield made
    await made.close()


@pytest.fixture
async def relay(platform: Platform) -> AsyncIterator["asyncpg.Connection"]:
    connection = await asyncpg.connect(platform.postgres_url("inference_relay"))
    yield connection
    await connection.close()


async def age(relay: "asyncpg.Connection", turn: LeasedTurn, seconds: float) -> None:
    """Let this time pass for the reconciler."""
    await relay.execute(
        "UPDATE turn SET enqueued_at = enqueued_at - make_interval(secs => $2) WHERE id = $1", turn.message_id, seconds
    )


async def is_taken(relay: "asyncpg.Connection", turn: LeasedTurn) -> bool:
    rows = await relay.fetch(TAKE_UNFINISHED, 1_000)
    return turn.message_id in {row["id"] for row in rows}


@pytest.mark.parametrize("pause_s", [0.0, 100.0])
async def test_the_reconciler_leaves_a_turn_alone_for_as_long_as_its_providers_asked(
    database: Database, relay: "asyncpg.Connection", pause_s: float
) -> None:
    scope = new_scope()
    turn = await leased(database, scope)
    await PostgresTurns(database, running_limit=8, queued_limit=8).release(scope, turn, pause_s)
    await age(relay, turn, pause_s + 20)
    assert not await is_taken(relay, turn)
    await age(relay, turn, 11)
    assert await is_taken(relay, turn)


async def test_a_turn_that_waits_can_be_stopped_at_once(database: Database) -> None:
    scope = new_scope()
    turn, turns = await leased(database, scope), PostgresTurns(database, running_limit=8, queued_limit=8)
    await turns.release(scope, turn, 100.0)
    assert not await turns.stop(scope, turn.message_id)
    assert (await turns.get(scope, turn.message_id)).finish_reason == "stopped"


async def test_the_next_attempt_knows_how_long_the_customer_has_waited(database: Database, platform: Platform) -> None:
    scope = new_scope()
    turn, turns = await leased(database, scope), PostgresTurns(database, running_limit=8, queued_limit=8)
    assert turn.waited_s >= 0.0
    await turns.release(scope, turn)
    owner = await asyncpg.connect(platform.postgres_url("lumora"))
    await owner.execute(
        "UPDATE inference.turn SET accepted_at = accepted_at - interval '90 seconds' WHERE id = $1", turn.message_id
    )
    await owner.close()
    again = await turns.lease(scope, turn.message_id)
    assert isinstance(again, LeasedTurn)
    assert again.waited_s >= 90.0
