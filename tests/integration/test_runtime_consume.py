"""How a delivery ends: done, tried again, dead, not now. On the real broker, with the real operator beside it."""

import asyncio

import pytest

from contracts.ids import EventId, MessageId, uuid7
from contracts.inference import AnswerTurn
from runtime.bus import EVENT_ID
from runtime.errors import NotNow, Rejected, Retryable
from runtime.tenancy import TenantScope
from tests.support.platform import Platform, eventually
from tests.support.probe import Probe, Streams, Worker, frozen, metric, new_scope, on_bus, send

pytestmark = pytest.mark.integration


async def nothing(_delivery: int) -> None:
    return


def outcomes(name: str) -> float:
    return metric("runtime_deliveries_total", consumer="answer", outcome=name)


async def test_success_is_acknowledged_once_and_the_queue_is_empty(probe: Probe, streams: Streams) -> None:
    worker, before = Worker(new_scope(), nothing), outcomes("done")
    async with on_bus(probe, worker) as bus:
        event_id = await send(bus, worker.scope)
        await eventually(lambda: outcomes("done") == before + 1)
        assert [delivery.event_id for delivery in worker.deliveries] == [event_id]
        assert await streams.waiting(worker.scope) == 0
    assert await streams.letters(worker.scope) == []


async def test_what_fails_for_now_is_tried_again_with_growing_delays(probe: Probe, streams: Streams) -> None:
    async def fail_twice(delivery: int) -> None:
        if delivery < 3:
            raise Retryable

    worker, before = Worker(new_scope(), fail_twice), outcomes("done")
    async with on_bus(probe, worker) as bus:
        await send(bus, worker.scope)
        await eventually(lambda: outcomes("done") == before + 1)
    first, second, third = (delivery.at_s for delivery in worker.deliveries)
    # The jitter takes at most a fifth off 0.2 and 0.4 seconds.
    assert second - first >= 0.16
    assert third - second >= 0.32
    assert await streams.letters(worker.scope) == []


async def test_a_job_comes_back_no_earlier_than_was_asked(probe: Probe, streams: Streams) -> None:
    async def ask_for_time(delivery: int) -> None:
        if delivery == 1:
            raise Retryable(retry_after_s=1.5)
        if delivery == 2:
            raise Retryable(retry_after_s=0.05)

    worker, before = Worker(new_scope(), ask_for_time), outcomes("done")
    async with on_bus(probe, worker) as bus:
        await send(bus, worker.scope)
        await eventually(lambda: outcomes("done") == before + 1)
    first, second, third = (delivery.at_s for delivery in worker.deliveries)
    assert second - first >= 1.5
    # A shorter time than the consumer's own delay, 0.4 seconds, does not hurry it.
    assert third - second >= 0.32


@pytest.mark.parametrize("error", [Retryable(), RuntimeError("nobody thought of this")], ids=["retryable", "unknown"])
async def test_what_always_fails_is_dead_after_its_attempts(probe: Probe, streams: Streams, error: Exception) -> None:
    async def fail(_delivery: int) -> None:
        raise error

    worker = Worker(new_scope(), fail)
    async with on_bus(probe, worker) as bus:
        event_id = await send(bus, worker.scope)
        await eventually(lambda: streams.letters(worker.scope))
        await eventually(lambda: _is_empty(streams, worker.scope))
    (letter,) = await streams.letters(worker.scope)
    assert letter.headers
    assert letter.headers[EVENT_ID] == str(event_id)
    assert letter.headers["Dlq-Reason"] == type(error).__name__
    assert len(worker.deliveries) == 3


async def test_workers_count_the_tries_together(probe: Probe, streams: Streams) -> None:
    async def fail(_delivery: int) -> None:
        raise Retryable

    scope = new_scope()
    first, second = Worker(scope, fail), Worker(scope, fail)
    async with on_bus(probe) as bus:
        await send(bus, scope)
        for number in range(3):  # the message goes to and fro between the two
            async with on_bus(probe, (first, second)[number % 2]):
                await eventually(lambda due=number + 1: len(first.deliveries + second.deliveries) == due)
        await eventually(lambda: streams.letters(scope))
    assert (len(first.deliveries), len(second.deliveries)) == (2, 1)


async def test_where_tries_cannot_be_counted_deliveries_are(platform: Platform, probe: Probe, streams: Streams) -> None:
    async def fail(_delivery: int) -> None:
        raise Retryable

    worker = Worker(new_scope(), fail)
    with frozen(platform, "operator"):  # it would make the counters again
        await streams.delete_stream("TRIES")
        async with on_bus(probe, worker) as bus:
            await send(bus, worker.scope)
            await eventually(lambda: streams.letters(worker.scope))
    assert len(worker.deliveries) == 3
    await eventually(lambda: streams.has_stream("TRIES"))


async def _is_empty(streams: Streams, scope: TenantScope) -> bool:
    return await streams.waiting(scope) == 0


async def test_a_rejected_job_is_dead_at_once_and_its_owner_closes_what_is_open(probe: Probe, streams: Streams) -> None:
    async def reject(_delivery: int) -> None:
        raise Rejected

    closed: list[tuple[MessageId, str]] = []

    async def give_up(job: AnswerTurn, _scope: TenantScope, error: Exception) -> None:
        closed.append((job.message_id, type(error).__name__))

    worker = Worker(new_scope(), reject, give_up=give_up)
    job = AnswerTurn(message_id=MessageId(uuid7()))
    async with on_bus(probe, worker) as bus:
        await send(bus, worker.scope, job.dump())
        await eventually(lambda: streams.letters(worker.scope))
    (letter,) = await streams.letters(worker.scope)
    assert letter.data == job.dump()
    assert closed == [(job.message_id, "Rejected")]
    assert len(worker.deliveries) == 1


UNREADABLE = {
    "bad JSON": b'{"message_id":',
    "not UTF-8": b"\xff\xfe\x00binary",
    "wrong schema": b'{"message_id": "not an id"}',
    "no object": b"[1, 2, 3]",
    "empty": b"",
    "900 kB": b"x" * 900_000,
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_what_cannot_be_read_is_one_dead_letter(probe: Probe, streams: Streams, body: bytes) -> None:
    worker, dead = Worker(new_scope(), nothing), outcomes("dead")
    async with on_bus(probe, worker) as bus:
        await send(bus, worker.scope, body)
        await eventually(lambda: outcomes("dead") == dead + 1)
        await eventually(lambda: _is_empty(streams, worker.scope))
    (letter,) = await streams.letters(worker.scope)
    assert (letter.data or b"", (letter.headers or {})["Dlq-Reason"]) == (body, "Unreadable")
    assert worker.deliveries == []


async def test_a_job_without_an_event_id_cannot_be_handled_once(probe: Probe, streams: Streams) -> None:
    worker = Worker(new_scope(), nothing)
    async with on_bus(probe, worker) as bus:
        await send(bus, worker.scope, without=EVENT_ID)
        await eventually(lambda: streams.letters(worker.scope))
    assert worker.deliveries == []


async def test_one_bad_message_does_not_stop_the_next(probe: Probe, streams: Streams) -> None:
    worker = Worker(new_scope(), nothing)
    async with on_bus(probe, worker) as bus:
        await send(bus, worker.scope, b"no")
        event_id = await send(bus, worker.scope)
        await eventually(lambda: [delivery.event_id for delivery in worker.deliveries] == [event_id])
    assert len(await streams.letters(worker.scope)) == 1


async def test_not_now_comes_back_and_is_left_to_the_reconciler_in_the_end(probe: Probe, streams: Streams) -> None:
    async def somebody_else_has_it(_delivery: int) -> None:
        raise NotNow(0.1, until_delivery=3)

    worker, before = Worker(new_scope(), somebody_else_has_it), outcomes("left_to_reconciler")
    async with on_bus(probe, worker) as bus:
        await send(bus, worker.scope)
        await eventually(lambda: outcomes("left_to_reconciler") == before + 1)
        await eventually(lambda: _is_empty(streams, worker.scope))
    assert len(worker.deliveries) == 3
    assert await streams.letters(worker.scope) == []


async def test_a_job_whose_owner_cannot_close_it_now_is_left_to_the_reconciler(probe: Probe, streams: Streams) -> None:
    async def reject(_delivery: int) -> None:
        raise Rejected

    async def database_is_away(_job: object, _scope: TenantScope, _error: Exception) -> None:
        raise Retryable

    worker, before = Worker(new_scope(), reject, give_up=database_is_away), outcomes("left_to_reconciler")
    async with on_bus(probe, worker) as bus:
        await send(bus, worker.scope)
        await eventually(lambda: outcomes("left_to_reconciler") == before + 1)
    assert await streams.letters(worker.scope) == []
    assert await streams.waiting(worker.scope) == 0


async def test_a_slow_handler_keeps_its_message_beyond_ack_wait(probe: Probe, streams: Streams) -> None:
    async def slow(_delivery: int) -> None:
        await asyncio.sleep(12)  # ack_wait is 10 s; a second slot stands ready to take the job away

    worker, before = Worker(new_scope(), slow, slots=2), outcomes("done")
    async with on_bus(probe, worker) as bus:
        await send(bus, worker.scope)
        await eventually(lambda: outcomes("done") == before + 1)
    assert len(worker.deliveries) == 1
    assert await streams.waiting(worker.scope) == 0


async def test_slots_work_at_the_same_time_and_take_one_message_each(probe: Probe) -> None:
    running, most, done = 0, 0, asyncio.Event()

    async def together(_delivery: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 3:
            done.set()
        await done.wait()
        running -= 1

    worker = Worker(new_scope(), together, slots=3)
    async with on_bus(probe, worker) as bus:
        sent = {await send(bus, worker.scope) for _ in range(5)}
        await eventually(lambda: len(worker.deliveries) == 5)
    assert {EventId(delivery.event_id) for delivery in worker.deliveries} == sent
    assert most == 3


async def test_stopping_lets_the_running_job_end_and_takes_no_other(probe: Probe, streams: Streams) -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), False

    async def wait(_delivery: int) -> None:
        nonlocal ended
        begun.set()
        await may_end.wait()
        ended = True

    worker = Worker(new_scope(), wait)
    async with on_bus(probe, worker) as bus:
        await send(bus, worker.scope)
        await begun.wait()
        await send(bus, worker.scope)
        stopping = asyncio.create_task(worker.consumption.stop())
        await asyncio.sleep(0.2)
        assert not stopping.done()
        may_end.set()
        await stopping
        assert ended
        assert len(worker.deliveries) == 1
        assert await streams.waiting(worker.scope) == 1
