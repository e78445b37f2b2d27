"""What the broker refuses for good stays in the outbox by itself: everything else goes out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from contracts import subjects
from contracts.hand_off import MESSAGE_CREATED
from contracts.ids import MessageId, uuid7
from contracts.inference import ANSWER, AnswerTurn
from runtime.bus import EVENT_ID, MESSAGE_ID, Bus
from runtime.errors import Unavailable
from runtime.outbox import BATCH, OutboxRelay
from runtime.publishing import Refused
from runtime.tenancy import TenantScope
from tests.support.platform import Platform, eventually
from tests.support.probe import Probe, Streams, connection, metric, new_scope, on_bus

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

_KEEP = """
    INSERT INTO probe.outbox (id, tenant_id, subject, stream, schema_name, body, created_at)
    SELECT gen_random_uuid(), $1, $2, $3, $4, $5, now() - interval '1 minute' FROM generate_series(1, $6)
"""
FORBIDDEN, ALLOWED = "evt.auth.session_ended.v1", "evt.inference.message_created.v1"
"""Of two owners; the relay under test is inference's. No service keeps either."""


class Rows:
    """What a tenant has in the outbox."""

    def __init__(self, admin: "asyncpg.Connection", scope: TenantScope) -> None:
        self._admin = admin
        self.tenant_id = scope.tenant_id

    async def keep(self, kind: str, body: bytes = b"{}", *, count: int = 1, stream: str = "EVENTS") -> None:
        subject = f"{kind}.{self.tenant_id}.{uuid7()}" if stream == "EVENTS" else kind
        await self._admin.execute(_KEEP, self.tenant_id, subject, stream, kind, body, count)

    async def left(self) -> list[tuple[str, int]]:
        """Schema and number of refusals."""
        question = "SELECT schema_name, refusals FROM probe.outbox WHERE tenant_id = $1 ORDER BY 1, 2"
        return [tuple(row) for row in await self._admin.fetch(question, self.tenant_id)]

    async def pauses_s(self) -> list[int]:
        question = "SELECT round(extract(epoch FROM due_at - now())) FROM probe.outbox WHERE tenant_id = $1"
        return [int(row[0]) for row in await self._admin.fetch(question, self.tenant_id)]

    async def are_due(self) -> None:
        await self._admin.execute("UPDATE probe.outbox SET due_at = now() WHERE tenant_id = $1", self.tenant_id)


@pytest.fixture
async def rows(probe: Probe) -> AsyncIterator[Rows]:
    async with connection(probe.admin_url) as admin:
        found = Rows(admin, new_scope())
        yield found
        await admin.execute("DELETE FROM probe.outbox WHERE tenant_id = $1", found.tenant_id)


@asynccontextmanager
async def relay_of(probe: Probe, bus: Bus) -> AsyncIterator[OutboxRelay]:
    relay = OutboxRelay(probe.relay_url, bus)
    await relay.open()
    try:
        yield relay
    finally:
        await relay.pool.close()


def refused(kind: str, reason: str) -> float:
    return metric("runtime_outbox_refused_total", schema=kind, reason=reason)


async def test_a_refused_row_stays_and_the_rows_behind_it_go_out(probe: Probe, streams: Streams, rows: Rows) -> None:
    before = refused(FORBIDDEN, "permissions"), refused("too.large", "too_large")
    async with on_bus(probe) as bus, relay_of(probe, bus) as relay:
        limit = bus.nc.max_payload
        await rows.keep(FORBIDDEN)
        await rows.keep("too.large", bytes(limit + 1))
        await rows.keep("too.large", bytes(limit - 1))
        await rows.keep(ALLOWED)
        await relay._round()
        assert await rows.left() == [(FORBIDDEN, 1), ("too.large", 1), ("too.large", 1)]
    assert len(await streams.messages("EVENTS", f"{ALLOWED}.{rows.tenant_id}.>")) == 1
    after = refused(FORBIDDEN, "permissions"), refused("too.large", "too_large")
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 2]


async def test_a_refused_row_is_tried_again_after_pauses_that_grow(probe: Probe, rows: Rows) -> None:
    await rows.keep(FORBIDDEN)
    async with on_bus(probe) as bus, relay_of(probe, bus) as relay:
        pauses = list[int]()
        for times in range(1, 5):
            await relay._round()
            await relay._round()  # which does not try what has a pause
            assert await rows.left() == [(FORBIDDEN, times)]
            pauses += await rows.pauses_s()
            await rows.are_due()
    assert pauses == [1, 2, 4, 8]


async def test_a_row_that_is_refused_for_years_is_tried_every_few_minutes(probe: Probe, rows: Rows) -> None:
    await rows.keep(FORBIDDEN)
    async with connection(probe.admin_url) as admin:
        await admin.execute(
            "UPDATE probe.outbox SET refusals = 1000000, due_at = now() WHERE tenant_id = $1", rows.tenant_id
        )
    async with on_bus(probe) as bus, relay_of(probe, bus) as relay:
        await relay._round()
    assert await rows.pauses_s() == [256]


async def test_a_row_goes_out_once_the_broker_takes_it(
    platform: Platform, probe: Probe, streams: Streams, rows: Rows
) -> None:
    await rows.keep(FORBIDDEN)
    async with on_bus(probe) as bus, relay_of(probe, bus) as relay:
        await relay._round()
        assert await rows.left() == [(FORBIDDEN, 1)]
    await rows.are_due()
    owner = Bus("auth", platform.nats_url, platform.seed("auth"))
    await owner.connect()
    async with relay_of(probe, owner) as relay:
        await relay._round()
    await owner.stop()
    assert await rows.left() == []
    assert len(await streams.messages("EVENTS", f"{FORBIDDEN}.{rows.tenant_id}.>")) == 1


async def test_a_thousand_refused_rows_do_not_stand_before_newer_ones(probe: Probe, rows: Rows) -> None:
    """Neither at first nor when all of them are to be tried again: a round then tries one batch of them."""
    await rows.keep(FORBIDDEN, count=1_000)
    await rows.keep(ALLOWED)
    async with on_bus(probe) as bus, relay_of(probe, bus) as relay:
        await relay._round()
        left = await rows.left()
        assert {schema for schema, refusals in left if refusals} == {FORBIDDEN}
        tried = sum(refusals for _, refusals in left)
        await rows.are_due()
        await rows.keep(ALLOWED)
        await relay._round()
        left = await rows.left()
    assert (len(left), {schema for schema, _ in left}) == (1_000, {FORBIDDEN})
    assert sum(refusals for _, refusals in left) == tried + BATCH


async def test_the_loop_goes_on_around_refused_rows(probe: Probe, rows: Rows) -> None:
    await rows.keep(FORBIDDEN, count=BATCH + 1)
    async with on_bus(probe) as bus, relay_of(probe, bus) as relay:
        running = asyncio.create_task(relay.run())
        for _ in range(3):
            await rows.keep(ALLOWED)

            async def is_out() -> bool:
                return ALLOWED not in {schema for schema, _ in await rows.left()}

            await eventually(is_out)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert len(await rows.left()) == BATCH + 1


async def test_a_row_that_is_for_another_stream_is_refused(probe: Probe, rows: Rows) -> None:
    await rows.keep(f"{ALLOWED}.{rows.tenant_id}.{uuid7()}", stream="INGEST")
    await rows.keep(ALLOWED)
    async with on_bus(probe) as bus, relay_of(probe, bus) as relay:
        await relay._round()
    assert [refusals for _, refusals in await rows.left()] == [1]


async def test_rows_of_a_stream_that_is_gone_hold_up_only_themselves(
    probe: Probe, streams: Streams, rows: Rows
) -> None:
    job = subjects.job(ANSWER, rows.tenant_id)
    await rows.keep(job, AnswerTurn(message_id=MessageId(uuid7())).dump(), stream="ANSWER")
    await rows.keep(ALLOWED)
    async with on_bus(probe) as bus, relay_of(probe, bus) as relay:
        await streams.delete_stream("ANSWER")
        with pytest.raises(Unavailable):
            await relay._round()
        assert await rows.left() == [(job, 0)]
        await eventually(lambda: streams.has_stream("ANSWER"), timeout_s=20)
        await relay._round()
    assert await rows.left() == []


@pytest.mark.parametrize("missing", [-1, 0, 1, 200])
async def test_a_body_near_the_limit_does_not_end_the_connection(probe: Probe, missing: int) -> None:
    """The server closes it over a message that is too large with its headers, and nats-py never opens it again."""
    async with on_bus(probe) as bus:
        subject = subjects.fact(MESSAGE_CREATED, new_scope().tenant_id, uuid7())
        headers = {EVENT_ID: str(uuid7()), MESSAGE_ID: str(uuid7())}
        with pytest.raises(Refused, match="too_large"):
            await bus.publish(subject, bytes(bus.nc.max_payload - missing), stream="EVENTS", headers=headers)
        await bus.check()


async def test_a_refused_subject_is_told_from_one_that_is_taken_at_the_same_time(probe: Probe) -> None:
    tenant_id = new_scope().tenant_id
    async with on_bus(probe) as bus:

        async def say(prefix: str) -> str:
            headers = {EVENT_ID: str(uuid7()), MESSAGE_ID: str(uuid7())}
            try:
                await bus.publish(f"{prefix}.{tenant_id}.{uuid7()}", b"{}", stream="EVENTS", headers=headers)
            except Refused as refusal:
                return refusal.reason
            return "taken"

        assert (
            await asyncio.gather(*(say(prefix) for prefix in (FORBIDDEN, ALLOWED) * 5))
            == [
                "permissions",
                "taken",
            ]
            * 5
        )
