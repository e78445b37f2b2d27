"""Knowledge gaps on the real database: kept with the answer, gathered once, closed, reopened, paged."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from contracts.gaps import CloseGap, ListGaps
from contracts.ids import ClientMessageId, ConversationId, DocumentId, GapId, MessageId, TenantId, uuid7
from contracts.inference import AcceptTurn, CreateAgent
from contracts.trace import AnswerTrace, GapReason
from inference_service.domain.gather_gaps import gather_gaps
from inference_service.domain.turn import LeasedTurn, Outcome
from inference_service.outbound.postgres_agents import PostgresAgents
from inference_service.outbound.postgres_gaps import PostgresGaps, RelayTenants
from inference_service.outbound.postgres_turns import PostgresTurns
from runtime.bus import Bus
from runtime.db import Database
from runtime.errors import NotFound
from runtime.expiry import Expiry
from runtime.outbox import OutboxRelay
from runtime.tenancy import TenantScope
from services.inference.tests.fakes import MemoryRedaction
from services.inference.tests.memory_embedder import MemoryEmbedder
from tests.support.platform import Platform

pytestmark = pytest.mark.integration

NORWAY = ("Do you ship parcels to Norway?", "Can parcels ship to Norway?")
WARRANTY = "How long is the warranty of a grinder?"


@pytest.fixture(scope="module")
async def database(platform: Platform) -> AsyncIterator[Database]:
    made = Database(platform.postgres_url("inference_app"), pool_size=6)
    yield made
    await made.close()


@pytest.fixture
async def scope(database: Database) -> TenantScope:
    fresh = TenantScope(TenantId(uuid7()), "service:test")
    await PostgresAgents(database).create(fresh, CreateAgent(name="Ada"), "extractive/sentences", ())
    return fresh


async def asked(database: Database, scope: TenantScope, question: str, reason: GapReason = "not_answered") -> MessageId:
    turns = PostgresTurns(database, running_limit=8, queued_limit=8)
    request = AcceptTurn(
        client_message_id=ClientMessageId(uuid7()),
        conversation_id=ConversationId(uuid7()),
        is_new_conversation=True,
        message_id=MessageId(uuid7()),
        customer_message_id=MessageId(uuid7()),
        content=question,
    )
    await turns.accept(scope, request)
    turn = await turns.lease(scope, request.message_id)
    assert isinstance(turn, LeasedTurn)
    trace = AnswerTrace(
        conversation_id=turn.conversation_id,
        message_id=turn.message_id,
        agent_id=turn.agent_id,
        attempt=turn.attempt,
        query=question,
        is_knowledge_used=True,
        finish_reason="stop",
        confidence=0.0,
        gap=reason,
    )
    outcome = Outcome(content="I do not know.", finish_reason="stop", model="extractive/sentences", trace=trace)
    assert await turns.complete(scope, turn, outcome)
    return request.message_id


@pytest.fixture(scope="module")
def embedder() -> MemoryEmbedder:
    """One for all: what a direction means is agreed within one."""
    return MemoryEmbedder()


async def gathered(database: Database, scope: TenantScope, embedder: MemoryEmbedder) -> int:
    return await gather_gaps(scope, PostgresGaps(database), redaction=MemoryRedaction(), embedder=embedder)


async def test_a_gap_and_its_questions_keep_no_personal_data(
    database: Database, scope: TenantScope, embedder: MemoryEmbedder
):
    await asked(database, scope, "Do you ship to ada@example.com in Norway?")
    assert await gathered(database, scope, embedder) == 1
    (gap,) = (await PostgresGaps(database).list(scope, ListGaps())).items
    assert [gap.question, *(one.question for one in gap.examples)] == ["Do you ship to [redacted] in Norway?"] * 2


async def test_questions_that_mean_the_same_are_one_gap(
    database: Database, scope: TenantScope, embedder: MemoryEmbedder
):
    first = await asked(database, scope, NORWAY[0])
    second = await asked(database, scope, NORWAY[1], "unsupported")
    await asked(database, scope, WARRANTY)
    assert await gathered(database, scope, embedder) == 3
    found = {gap.question: gap for gap in (await PostgresGaps(database).list(scope, ListGaps())).items}
    warranty, norway = found.pop(WARRANTY), found.pop(NORWAY[0])
    assert not found
    assert warranty.count == 1
    assert (norway.count, norway.state, norway.language) == (2, "open", "en")
    assert {one.message_id: one.reason for one in norway.examples} == {first: "not_answered", second: "unsupported"}


async def test_gathering_by_two_at_once_counts_each_question_once(
    database: Database, scope: TenantScope, embedder: MemoryEmbedder
):
    for question in NORWAY:
        await asked(database, scope, question)
    await asyncio.gather(*(gathered(database, scope, embedder) for _ in range(3)))
    (gap,) = (await PostgresGaps(database).list(scope, ListGaps())).items
    assert gap.count == 2


async def test_a_resolved_gap_opens_when_it_is_asked_in_vain_again_and_a_dismissed_one_does_not(
    database: Database, scope: TenantScope, embedder: MemoryEmbedder
):
    gaps = PostgresGaps(database)
    for question in (NORWAY[0], WARRANTY):
        await asked(database, scope, question)
    await gathered(database, scope, embedder)
    found = {gap.question: gap.id for gap in (await gaps.list(scope, ListGaps())).items}
    document = DocumentId(uuid7())
    closed = await gaps.close(scope, CloseGap(gap_id=found[NORWAY[0]], document_id=document))
    assert (closed.state, closed.document_id) == ("resolved", document)
    assert (await gaps.close(scope, CloseGap(gap_id=found[WARRANTY]))).state == "dismissed"
    assert (await gaps.list(scope, ListGaps())).items == ()
    for question in (NORWAY[1], WARRANTY):
        await asked(database, scope, question)
    await gathered(database, scope, embedder)
    states = {question: (await gaps.get(scope, gap_id)).state for question, gap_id in found.items()}
    assert states == {NORWAY[0]: "open", WARRANTY: "dismissed"}
    reopened = await gaps.reopen(scope, found[WARRANTY])
    assert (reopened.state, reopened.document_id, reopened.count) == ("open", None, 2)


async def test_another_business_sees_none_of_it(database: Database, scope: TenantScope, embedder: MemoryEmbedder):
    await asked(database, scope, WARRANTY)
    await gathered(database, scope, embedder)
    gaps, other = PostgresGaps(database), TenantScope(TenantId(uuid7()), "service:test")
    (gap,) = (await gaps.list(scope, ListGaps())).items
    assert (await gaps.list(other, ListGaps(state=None))).items == ()
    for refused in (
        gaps.get(other, gap.id),
        gaps.close(other, CloseGap(gap_id=gap.id)),
        gaps.reopen(other, gap.id),
        gaps.get(scope, GapId(uuid7())),
    ):
        with pytest.raises(NotFound):
            await refused
    assert (await gaps.get(scope, gap.id)).state == "open"


async def test_the_list_is_paged_without_a_gap_or_a_repeat(
    database: Database, scope: TenantScope, embedder: MemoryEmbedder
):
    for question in ("tents nylon", "grinders burr", "vouchers expiry", "invoices sepa", "colours teal"):
        await asked(database, scope, f"{question}?")
        await gathered(database, scope, embedder)
    gaps, seen, cursor = PostgresGaps(database), [], None
    while True:
        page = await gaps.list(scope, ListGaps(limit=2, cursor=cursor))
        seen += [gap.id for gap in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert len(seen) == len(set(seen)) == 5


async def test_what_was_asked_long_ago_is_thrown_away_with_its_gap(
    database: Database, scope: TenantScope, embedder: MemoryEmbedder, platform: Platform
):
    for question in (NORWAY[0], WARRANTY):
        await asked(database, scope, question)
    await gathered(database, scope, embedder)
    async with database.tenant_tx(scope) as tx:
        await tx.execute("UPDATE gap SET last_seen = now() - interval '91 days' WHERE question = $1", NORWAY[0])
    bus = Bus("inference", platform.nats_url, platform.seed("inference"))
    relay = OutboxRelay(platform.postgres_url("inference_relay"), bus)
    await relay.open()
    try:
        assert await Expiry(relay, {("gap_question", "asked_at"): 90, ("gap", "last_seen"): 90}).round() >= 1
        assert scope.tenant_id not in {one.tenant_id for one in await RelayTenants(relay).with_unsorted_questions()}
        await asked(database, scope, NORWAY[1])
        assert scope.tenant_id in {one.tenant_id for one in await RelayTenants(relay).with_unsorted_questions()}
    finally:
        await relay.pool.close()
    (left,) = (await PostgresGaps(database).list(scope, ListGaps(state=None))).items
    assert left.question == WARRANTY
    async with database.tenant_tx(scope) as tx:
        row = await tx.fetch_row("SELECT count(*) AS left FROM gap_question WHERE question = $1", NORWAY[0])
    assert row["left"] == 0
