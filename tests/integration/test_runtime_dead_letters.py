"""What died is sent again: the effect that never was comes, once, however often it is replayed."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from contracts.ids import EventId
from contracts.inference import ANSWER
from runtime.bus import Bus
from runtime.db import Database
from runtime.dead_letters import letters, replay
from runtime.errors import NotFound
from tests.support.dying import handle_once
from tests.support.platform import Platform, eventually
from tests.support.probe import Probe, Streams, Worker, new_scope, on_bus, send

pytestmark = pytest.mark.integration


@pytest.fixture
async def operator(platform: Platform) -> AsyncIterator[Bus]:
    bus = Bus("operator", platform.nats_url, platform.seed("operator"))
    await bus.connect()
    yield bus
    await bus.stop()


async def test_a_replayed_letter_has_its_effect_once(
    operator: Bus, probe: Probe, streams: Streams, database: Database
) -> None:
    is_broken, scope = True, new_scope()
    effects: list[bool] = []

    async def handle(delivery: int) -> None:
        if is_broken:
            raise RuntimeError("nobody thought of this")
        sent = worker.deliveries[delivery - 1]
        effects.append(await handle_once(database, scope, ANSWER.model(message_id=sent.message_id), sent.event_id))

    worker = Worker(scope, handle)
    async with on_bus(probe, worker) as bus:
        event_id = await send(bus, scope)
        (letter,) = await eventually(lambda: streams.letters(scope))
        is_broken = False
        found = {kept.sequence: kept async for kept in letters(operator)}[letter.seq or 0]
        assert (found.stream, found.consumer, found.reason) == ("ANSWER", "answer", "RuntimeError")
        assert EventId(worker.deliveries[0].event_id) == event_id
        for times in (1, 2):
            assert (await replay(operator, found.sequence)).event_id == str(event_id)
            await eventually(lambda times=times: len(effects) == times)
    assert effects == [True, False]
    assert len(await streams.letters(scope)) == 1
    async with database.tenant_tx(scope) as tx:
        assert (await tx.session.execute(text("SELECT count(*) FROM note"))).scalar_one() == 1


async def test_a_letter_that_is_not_there_is_not_found(operator: Bus) -> None:
    with pytest.raises(NotFound):
        await replay(operator, 10_000_000)
