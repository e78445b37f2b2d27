"""Facts counted by the batch: once each, whatever is poisoned, comes twice or dies. On the real broker and database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date

import pytest

from contracts import subjects
from contracts.ids import EventId, uuid7
from learning_service.outbound.postgres_figures import PostgresFigures
from runtime import fact_batches
from runtime.bus import EVENT_ID, Bus
from runtime.db import Database
from runtime.ending import end_all
from runtime.errors import Rejected, Retryable
from runtime.fact_batches import FactsHandler, Said
from runtime.tenancy import TenantScope
from tests.support.facts import DURABLE, has_nobody, hear_facts, send_fact
from tests.support.platform import Platform, eventually
from tests.support.probe import Probe, Streams, frozen, let_die, metric, new_scope, on_bus

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]


@pytest.fixture
async def figures_database(platform: Platform) -> AsyncIterator[Database]:
    opened = Database(platform.env("learning", 0)["LEARNING_DATABASE_URL"], pool_size=5)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
async def alone(streams: Streams) -> None:
    """Nobody else hears learning's durable."""
    await eventually(lambda: has_nobody(streams))


@asynccontextmanager
async def hearing(platform: Platform, database: Database, **more: FactsHandler) -> AsyncIterator[None]:
    bus = Bus("learning", platform.nats_url, platform.seed("learning"))
    await bus.connect()
    batches = hear_facts(bus, database, **more)
    watching = asyncio.create_task(batches.watch())
    try:
        yield
    finally:
        await batches.stop()
        # before the connection is drained, which would wait for a subscription that is still there
        await end_all([watching])
        await bus.stop()


class Groups:
    """The groups of facts that came of the test's businesses, and what happens to them."""

    def __init__(self, *scopes: TenantScope, fail: Callable[[EventId], Awaitable[None]] | None = None) -> None:
        self.seen: list[list[EventId]] = []
        self._tenants = {scope.tenant_id for scope in scopes}
        self._fail = fail

    async def __call__(self, batch: Sequence[Said], scope: TenantScope) -> None:
        if scope.tenant_id not in self._tenants:
            return  # left over from another test
        self.seen.append([said.event_id for said in batch])
        for said in batch:
            if self._fail is not None:
                await self._fail(said.event_id)


async def completed(database: Database, scope: TenantScope) -> int:
    return (await PostgresFigures(database).totals(scope)).get("messages_completed", 0)


async def is_all_acknowledged(streams: Streams) -> bool:
    held = await streams.consumer(*DURABLE)
    return held.num_pending == 0 and held.num_ack_pending == 0


async def letters(streams: Streams, scope: TenantScope) -> list[str]:
    """The event ids of one business's dead facts."""
    dead = await streams.messages("DLQ", subjects.dead_letter(*DURABLE))
    return [letter.headers[EVENT_ID] for letter in dead if str(scope.tenant_id) in letter.headers["Dlq-Subject"]]


async def test_facts_of_two_businesses_are_counted_by_the_group(
    platform: Platform, probe: Probe, streams: Streams, figures_database: Database
) -> None:
    one, other = new_scope(), new_scope()
    groups, before = Groups(one, other), metric("runtime_deliveries_total", consumer="learning", outcome="done")
    async with on_bus(probe) as bus:
        for scope in (one, other, one, other, one):
            await send_fact(bus, scope)
    async with hearing(platform, figures_database, before=groups):
        await eventually(lambda: is_all_acknowledged(streams))
    assert await completed(figures_database, one) == 3
    assert await completed(figures_database, other) == 2
    assert sorted(map(len, groups.seen)) == [2, 3]
    assert metric("runtime_deliveries_total", consumer="learning", outcome="done") >= before + 5


async def test_facts_that_come_one_after_another_are_gathered(
    platform: Platform, probe: Probe, streams: Streams, figures_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fact_batches, "GATHER_S", 3.0)
    scope = new_scope()
    groups = Groups(scope)
    async with on_bus(probe) as bus, hearing(platform, figures_database, before=groups):
        for _ in range(5):
            await send_fact(bus, scope)
            await asyncio.sleep(0.05)
        await eventually(lambda: is_all_acknowledged(streams))
    assert await completed(figures_database, scope) == 5
    assert [len(group) for group in groups.seen] == [5]


async def test_more_facts_than_a_batch_takes_are_counted_by_several(
    platform: Platform, probe: Probe, streams: Streams, figures_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fact_batches, "MOST", 4)
    scope = new_scope()
    groups = Groups(scope)
    async with on_bus(probe) as bus:
        for _ in range(10):
            await send_fact(bus, scope)
    async with hearing(platform, figures_database, before=groups):
        await eventually(lambda: is_all_acknowledged(streams))
    assert await completed(figures_database, scope) == 10
    assert [len(group) for group in groups.seen] == [4, 4, 2]


async def test_a_fact_twice_in_one_batch_and_again_later_counts_once(
    platform: Platform, probe: Probe, streams: Streams, figures_database: Database
) -> None:
    scope = new_scope()
    async with on_bus(probe) as bus, hearing(platform, figures_database):
        with frozen(platform, "postgres"):
            twice = await send_fact(bus, scope)
            await send_fact(bus, scope, event_id=twice)
        await eventually(lambda: is_all_acknowledged(streams))
        assert await completed(figures_database, scope) == 1
        await send_fact(bus, scope, event_id=twice)
        await send_fact(bus, scope)
        await eventually(lambda: is_all_acknowledged(streams))
        assert await completed(figures_database, scope) == 2


async def test_a_poisoned_fact_and_an_unreadable_one_die_alone(
    platform: Platform, probe: Probe, streams: Streams, figures_database: Database
) -> None:
    scope, poison = new_scope(), list[EventId]()

    async def refuse(event_id: EventId) -> None:
        if event_id in poison:
            raise Rejected

    async with on_bus(probe) as bus:
        await send_fact(bus, scope)
        poison.append(await send_fact(bus, scope))
        unreadable = await send_fact(bus, scope, body=b'{"attempt": "one"')
        await send_fact(bus, scope)
    groups = Groups(scope, fail=refuse)
    async with hearing(platform, figures_database, after=groups):
        await eventually(lambda: is_all_acknowledged(streams))
    # Its own failure comes after its commit, so it was counted; what counts is that nobody else's was lost or doubled.
    assert await completed(figures_database, scope) == 3
    assert sorted(await letters(streams, scope)) == sorted(map(str, [*poison, unreadable]))
    assert len(groups.seen[0]) == 3
    assert sorted(map(len, groups.seen[1:])) == [1, 1, 1]


async def test_what_fails_for_now_comes_again_alone_and_counts_once(
    platform: Platform, probe: Probe, streams: Streams, figures_database: Database
) -> None:
    scope, late, tries = new_scope(), list[EventId](), list[EventId]()

    async def fail_twice(event_id: EventId) -> None:
        if event_id in late:
            tries.append(event_id)
            if len(tries) <= 2:
                raise Retryable

    async with on_bus(probe) as bus:
        late.append(await send_fact(bus, scope))
        await send_fact(bus, scope)
    async with hearing(platform, figures_database, before=Groups(scope, fail=fail_twice)):
        await eventually(lambda: is_all_acknowledged(streams))
    assert await completed(figures_database, scope) == 2
    assert len(tries) == 3
    assert await letters(streams, scope) == []


async def test_a_process_killed_after_the_commit_counts_nothing_twice(
    platform: Platform, probe: Probe, streams: Streams, figures_database: Database
) -> None:
    scope = new_scope()
    async with on_bus(probe) as bus:
        for _ in range(4):
            await send_fact(bus, scope)
    # The operator stands still meanwhile, or it would bring the durable back to its declaration.
    with frozen(platform, "operator"):
        await streams.set_ack_wait(*DURABLE, 3)  # longer than a batch gathers
        app_url = platform.env("learning", 0)["LEARNING_DATABASE_URL"]
        more = {"service": "learning", "nats_seed": platform.seed("learning"), "app_url": app_url}
        await let_die(probe, "after_batch", scope, **more)
        assert await completed(figures_database, scope) == 4
        assert not await is_all_acknowledged(streams)
        groups = Groups(scope)
        async with hearing(platform, figures_database, before=groups):
            await eventually(lambda: is_all_acknowledged(streams))
        await streams.set_ack_wait(*DURABLE, 30)
    assert sum(map(len, groups.seen)) == 4
    assert await completed(figures_database, scope) == 4


async def test_facts_are_summed_by_day_and_none_is_counted_twice(figures_database: Database) -> None:
    scope, figures = new_scope(), PostgresFigures(figures_database)
    first, second, third = (EventId(uuid7()) for _ in range(3))
    today, tomorrow = date(2026, 3, 1), date(2026, 3, 2)
    answer = {"messages_completed": 1, "prompt_tokens": 7}
    assert await figures.count(scope, today, {first: answer, second: answer}) == 2
    assert (
        await figures.count(scope, tomorrow, {second: answer, third: {"messages_failed": 1, "conversations": 0}}) == 1
    )
    assert await figures.count(scope, today, {third: answer}) == 0
    assert await figures.count(scope, today, {}) == 0
    wanted = {"messages_completed": 2, "prompt_tokens": 14, "messages_failed": 1, "conversations": 0}
    assert await figures.totals(scope) == wanted


async def test_a_fact_that_raises_no_counter_is_known_all_the_same(figures_database: Database) -> None:
    scope, figures, event_id = new_scope(), PostgresFigures(figures_database), EventId(uuid7())
    assert await figures.count(scope, date(2026, 3, 1), {event_id: {}}) == 1
    assert await figures.count(scope, date(2026, 3, 1), {event_id: {"messages_failed": 1}}) == 0
    assert await figures.totals(scope) == {}


async def test_replicas_that_get_the_same_facts_in_any_order_count_each_once(figures_database: Database) -> None:
    scope, figures = new_scope(), PostgresFigures(figures_database)
    events = [EventId(uuid7()) for _ in range(60)]
    counters = [f"counter{number}" for number in range(20)]
    given = [
        {event: dict.fromkeys(turn[::way], 1) for event in turned[::way]}
        for way in (1, -1)
        for turned, turn in ((events, counters), (events[30:] + events[:30], counters[10:] + counters[:10]))
    ]
    counted = await asyncio.gather(*(figures.count(scope, date(2026, 3, 1), facts) for facts in given))
    assert sum(counted) == len(events)
    assert await figures.totals(scope) == dict.fromkeys(counters, len(events))
