"""Each step of a turn is one call: what it stores and says, whose rows it sees, what a lost answer leaves behind."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from contracts.ids import AgentId, ClientMessageId, ConversationId, MessageId, TenantId, uuid7
from contracts.inference import AcceptTurn, CreateAgent
from inference_service.domain.turn import Busy, Ended, LeasedTurn, Outcome, Said
from inference_service.outbound.postgres_agents import PostgresAgents
from inference_service.outbound.postgres_conversations import PostgresConversations
from inference_service.outbound.postgres_turns import HISTORY_MESSAGES, PostgresTurns
from runtime.db import Database
from runtime.errors import NotFound, Overloaded
from runtime.tenancy import TenantScope
from tests.support.cut_line import CutLine, cut_line
from tests.support.platform import Platform
from tests.support.probe import connection

pytestmark = pytest.mark.integration


class House:
    """One business with an agent, its turns, and a look into the tables."""

    def __init__(self, database: Database, admin: "asyncpg.Connection") -> None:
        self.scope = TenantScope(TenantId(uuid7()), "service:test")
        self.turns = PostgresTurns(database, running_limit=1, queued_limit=1)
        self.conversations = PostgresConversations(database)
        self.agents = PostgresAgents(database)
        self._admin = admin

    async def agent(self) -> AgentId:
        return (await self.agents.create(self.scope, CreateAgent(name="Ada"), "extractive/sentences", ())).id

    async def said(self) -> list[tuple[str, dict[str, Any]]]:
        """What the outbox holds: kind and body, of each transaction the fact before the job."""
        rows = await self._admin.fetch(
            "SELECT schema_name, body FROM inference.outbox WHERE tenant_id = $1 ORDER BY created_at, schema_name",
            self.scope.tenant_id,
        )
        return [(row["schema_name"], json.loads(row["body"])) for row in rows]

    async def count(self, table: str) -> int:
        statement = f"SELECT count(*) FROM inference.{table} WHERE tenant_id = $1"  # noqa: S608 - the test's own words
        return int(await self._admin.fetchval(statement, self.scope.tenant_id))

    async def leased(self, request: AcceptTurn) -> LeasedTurn:
        turn = await self.turns.lease(self.scope, request.message_id)
        assert isinstance(turn, LeasedTurn)
        return turn

    async def answered(self, request: AcceptTurn, answer: str = "Because.") -> None:
        await self.turns.accept(self.scope, request)
        assert await self.turns.complete(self.scope, await self.leased(request), outcome(answer)) is not None


def outcome(content: str = "Because.") -> Outcome:
    return Outcome(content=content, finish_reason="stop", model="extractive/sentences")


def question(content: str = "Why?", **more: Any) -> AcceptTurn:
    new: dict[str, Any] = {
        "client_message_id": ClientMessageId(uuid7()),
        "conversation_id": ConversationId(uuid7()),
        "is_new_conversation": True,
    }
    return AcceptTurn(
        message_id=MessageId(uuid7()), customer_message_id=MessageId(uuid7()), content=content, **new | more
    )


def following(first: AcceptTurn, content: str = "And then?", **more: Any) -> AcceptTurn:
    return question(content, conversation_id=first.conversation_id, is_new_conversation=False, **more)


@pytest.fixture
async def admin(platform: Platform) -> AsyncIterator["asyncpg.Connection"]:
    async with connection(platform.postgres_url("lumora")) as opened:
        yield opened


@pytest.fixture
async def house(platform: Platform, admin: "asyncpg.Connection") -> AsyncIterator[House]:
    database = Database(platform.postgres_url("inference_app"), pool_size=2)
    yield House(database, admin)
    await database.close()


@pytest.fixture
async def cut(platform: Platform, admin: "asyncpg.Connection") -> AsyncIterator[tuple[CutLine, House]]:
    """A business whose worker reaches the database through a line that can be cut."""
    async with cut_line(platform.postgres_url("inference_app")) as (line, url):
        database = Database(url, pool_size=1)
        house = House(database, admin)
        await house.agent()
        await house.answered(question())  # every statement is prepared: what comes next is an answer
        yield line, house
        await database.close()


# ---- what is stored and said ----------------------------------------------------------------------------------------


async def test_the_fact_names_the_agent_that_only_the_database_knew(house: House) -> None:
    agent_id, request = await house.agent(), question()
    await house.turns.accept(house.scope, request)
    (fact, said), (job, work) = await house.said()
    assert (fact, job) == ("inference.turn_accepted.v1", "job.answer.v1")
    assert (said["agent_id"], said["message_id"]) == (str(agent_id), str(request.message_id))
    assert work == {"message_id": str(request.message_id)}


async def test_a_repeated_message_answers_with_the_first_ids_and_stores_nothing(house: House) -> None:
    await house.agent()
    first = question()
    await house.turns.accept(house.scope, first)
    again = question(client_message_id=first.client_message_id)
    accepted = await house.turns.accept(house.scope, again)
    assert accepted.is_duplicate
    assert (accepted.conversation_id, accepted.message_id) == (first.conversation_id, first.message_id)
    assert accepted.customer_message_id == first.customer_message_id
    assert [await house.count(table) for table in ("turn", "message", "conversation", "outbox")] == [1, 1, 1, 2]


async def test_what_ends_lets_the_next_in_and_gives_it_a_job(house: House) -> None:
    await house.agent()
    running, waiting = question(), question()
    assert (await house.turns.accept(house.scope, running)).state == "accepted"
    assert (await house.turns.accept(house.scope, waiting)).state == "queued"
    with pytest.raises(Overloaded):
        await house.turns.accept(house.scope, question())
    assert await house.count("turn") == 2
    before = len(await house.said())
    assert isinstance(await house.turns.lease(house.scope, waiting.message_id), Ended)
    await house.turns.complete(house.scope, await house.leased(running), outcome())
    (fact, said), (_, work) = (await house.said())[before:]
    assert (fact, said["message_id"]) == ("inference.message_completed.v1", str(running.message_id))
    assert work == {"message_id": str(waiting.message_id)}
    assert isinstance(await house.turns.lease(house.scope, waiting.message_id), LeasedTurn)


async def test_a_stop_of_a_turn_that_nobody_has_lets_the_next_in(house: House) -> None:
    agent_id = await house.agent()
    stopped, waiting = question(), question()
    for request in (stopped, waiting):
        await house.turns.accept(house.scope, request)
    assert not await house.turns.stop(house.scope, stopped.message_id)
    (_, said), (_, work) = (await house.said())[-2:]
    assert (said["agent_id"], said["conversation_id"]) == (str(agent_id), str(stopped.conversation_id))
    assert work == {"message_id": str(waiting.message_id)}


async def test_a_question_for_an_agent_that_is_not_there_leaves_no_trace(house: House) -> None:
    with pytest.raises(NotFound, match="no agent yet"):
        await house.turns.accept(house.scope, question())
    await house.agent()
    with pytest.raises(NotFound, match="no such agent"):
        await house.turns.accept(house.scope, question(agent_id=AgentId(uuid7())))
    first = question()
    await house.answered(first)
    before = await house.conversations.get(house.scope, first.conversation_id)
    with pytest.raises(NotFound, match="no such conversation"):
        await house.turns.accept(house.scope, following(first, agent_id=AgentId(uuid7())))
    assert await house.conversations.get(house.scope, first.conversation_id) == before
    assert await house.count("turn") == 1


async def test_a_lease_brings_the_latest_of_what_was_said_before_oldest_first(house: House) -> None:
    await house.agent()
    first = question("0")
    await house.answered(first, "answer 0")
    assert (await house.turns.get(house.scope, first.message_id)).content == "answer 0"
    for number in range(1, 12):
        await house.answered(following(first, str(number)), f"answer {number}")
    last = following(first, "last")
    await house.turns.accept(house.scope, last)
    turn = await house.leased(last)
    told = [line for number in range(2, 12) for line in (Said(True, str(number)), Said(False, f"answer {number}"))]
    assert turn.question == "last"
    assert list(turn.history) == told[-HISTORY_MESSAGES:]


# ---- whose rows -----------------------------------------------------------------------------------------------------


async def test_another_business_sees_nothing_through_any_of_them(house: House, admin: "asyncpg.Connection") -> None:
    await house.agent()
    request = question()
    await house.turns.accept(house.scope, request)
    turn = await house.leased(request)
    own, house.scope = house.scope, TenantScope(TenantId(uuid7()), "service:test")
    await house.agent()
    with pytest.raises(NotFound):
        await house.turns.accept(house.scope, following(request))
    assert isinstance(await house.turns.lease(house.scope, request.message_id), Ended)
    assert await house.turns.extend(house.scope, turn) is None
    assert await house.turns.complete(house.scope, turn, outcome()) is None
    assert [await house.count(table) for table in ("turn", "message", "conversation", "outbox")] == [0, 0, 0, 0]
    assert await house.turns.extend(own, turn) is False
    assert await house.turns.complete(own, turn, outcome()) is not None


# ---- a commit whose answer is lost ----------------------------------------------------------------------------------


async def test_an_acceptance_that_nobody_heard_stands_once(cut: tuple[CutLine, House]) -> None:
    line, house = cut
    before = len(await house.said())
    request = question()
    line.arm()
    accepted = await house.turns.accept(house.scope, request)
    assert (accepted.message_id, accepted.state) == (request.message_id, "accepted")
    assert [kind for kind, _ in (await house.said())[before:]] == [
        "inference.turn_accepted.v1",
        "job.answer.v1",
    ]
    assert await house.count("turn") == 2


async def test_a_lease_that_nobody_heard_is_held_until_it_runs_out(cut: tuple[CutLine, House]) -> None:
    line, house = cut
    request = question()
    await house.turns.accept(house.scope, request)
    line.arm()
    assert isinstance(await house.turns.lease(house.scope, request.message_id), Busy)
    assert (await house.turns.get(house.scope, request.message_id)).attempt == 1


async def test_an_answer_whose_storing_nobody_heard_is_stored_and_said_once(cut: tuple[CutLine, House]) -> None:
    line, house = cut
    request = question()
    await house.turns.accept(house.scope, request)
    turn, before = await house.leased(request), len(await house.said())
    line.arm()
    assert await house.turns.complete(house.scope, turn, outcome("Stored.")) is None
    assert (await house.turns.get(house.scope, request.message_id)).content == "Stored."
    assert [kind for kind, _ in (await house.said())[before:]] == ["inference.message_completed.v1"]
