"""What no program of ours ever sends, on every subject that somebody consumes."""

import asyncio
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from nats.aio.client import Client

from contracts import registry, subjects
from contracts.channel import Fact, Rpc, Work
from contracts.ids import TenantId, uuid7
from contracts.streams import consumers
from runtime.bus import EVENT_ID, FAILED, MESSAGE_ID, SCHEMA, TENANT
from tests.support.checker import check_all
from tests.support.faults import as_user, streams
from tests.support.platform import eventually
from tests.support.probe import Streams
from tests.support.report import Played, Tell
from tests.support.scenarios import close, longest_silence_s, sockets
from tests.support.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

POISON = {
    "bad JSON": b'{"message_id": ',
    "wrong schema": b'{"message_id": 7, "conversation_id": [], "document_id": {}, "key_id": 0, "tenant_id": "*"}',
    "not UTF-8": b'{"message_id": "\xff\xfe"}',
    "900 kB": b'{"message_id": "' + b"x" * 900_000 + b'"}',
}
NO_QUESTION = {**POISON, "wrong schema": b"[7]", "900 kB": b"[" + POISON["900 kB"] + b"]"}
"""Some questions have no field that must be there: any JSON object asks them."""
DELIVERIES = 10
ASKED_WITHIN_S = 5


async def test_case_10_unreadable_messages_on_every_subject(stage: Stage, tell: Tell) -> None:
    business = await stage.business()
    begun_at = time.monotonic()
    async with streams(stage) as looking, sockets(business, 3) as chats:
        answers = [await chat.ask(model="ollama/simulated-n300-r15") for chat in chats]
        await asyncio.gather(*(chat.reached(answer, 3) for chat, answer in zip(chats, answers, strict=True)))
        delivered = await _deliveries(looking)
        letters = {name: await _bury_all(stage, looking, channel, name) for name, channel in _consumed()}
        spent = {name: count - delivered[name] for name, count in (await _deliveries(looking)).items()}
        refused = await _ask_all(stage)
        heard = await _whisper_all(stage, answers[0].conversation_id, answers[0].message_id, business.id)
        await asyncio.gather(*(chat.ended(answer, timeout_s=60) for chat, answer in zip(chats, answers, strict=True)))
        again = [await chat.answered() for chat in chats]
        await close(chats)
    await check_all(business, [*answers, *again])
    await stage.recovered()
    assert sum(spent.values()) < DELIVERIES * sum(letters.values())
    line = (
        f"{len(POISON)} kinds of unreadable message on {len(letters)} consumed subjects: {sum(letters.values())} dead "
        f"letters, one each, {sum(spent.values())} deliveries in all; {refused} unreadable questions to "
        f"{len(registry.rpcs())} RPC subjects answered with an error; {heard} on the token path ignored"
    )
    tell(Played("10", line, longest_silence_s([*answers, *again], since=begun_at)))


def _consumed() -> Iterator[tuple[str, Work | Fact]]:  # type: ignore[type-arg] # of whatever content
    """Each subject with a durable consumer, by the schema's name."""
    yield from ((work.schema, work) for work in registry.works())
    yield from ((fact.schema, fact) for fact in registry.facts() if fact.consumers)


async def _bury_all(stage: Stage, looking: Streams, channel: Work | Fact, name: str) -> int:  # type: ignore[type-arg] # of whatever content
    """Publish each poison as the owner would; returns when every consumer has buried each once, and no more."""
    tenant_id = TenantId(uuid7())
    is_job = isinstance(channel, Work)
    subject = (
        subjects.job(channel, tenant_id) if isinstance(channel, Work) else subjects.fact(channel, tenant_id, uuid7())
    )
    places = (
        [(channel.stream, channel.queue)] if isinstance(channel, Work) else [("EVENTS", c) for c in channel.consumers]
    )
    async with as_user(stage, channel.owner) as nc:
        for body in POISON.values():
            headers = {EVENT_ID: str(uuid7()), MESSAGE_ID: uuid4().hex, SCHEMA: channel.schema}
            await nc.jetstream(timeout=5).publish(subject, body, headers=headers)

    async def letters() -> list[bytes]:
        return [
            letter.data or b""
            for stream, consumer in places
            for letter in await looking.messages("DLQ", subjects.dead_letter(stream, consumer))
            if (letter.headers or {}).get("Dlq-Subject") == subject
        ]

    async def are_buried() -> bool:
        return len(await letters()) >= len(POISON) * len(places)

    await eventually(are_buried, timeout_s=30, every_s=0.2)
    assert sorted(await letters()) == sorted([*POISON.values()] * len(places)), f"{name}: not one letter each"
    if is_job:
        assert await looking.messages(places[0][0], subject) == [], f"{name}: the queue still holds some"
    return len(POISON) * len(places)


async def _deliveries(looking: Streams) -> dict[str, int]:
    """How often each durable was handed a message so far."""
    counts = {}
    for consumer in consumers():
        info = await looking.consumer(consumer.stream, consumer.name)
        counts[f"{consumer.stream}/{consumer.name}"] = int(info.delivered.consumer_seq if info.delivered else 0)
    return counts


async def _ask_all(stage: Stage) -> int:
    """Ask every question in each unreadable way; whoever owns it answers with an error, and soon."""
    count = 0
    for rpc in registry.rpcs():
        async with as_user(stage, rpc.callers[0]) as nc:
            count += sum([await _ask(nc, rpc, kind, body) for kind, body in NO_QUESTION.items()])
    return count


async def _ask(nc: Client, rpc: Rpc, kind: str, body: bytes) -> int:  # type: ignore[type-arg] # of whatever content
    headers = {SCHEMA: rpc.schema, TENANT: str(uuid7())}
    answer = await nc.request(subjects.rpc(rpc), body, timeout=ASKED_WITHIN_S, headers=headers)
    assert (answer.headers or {}).get(FAILED), f"{rpc.schema} took {kind} for a question"
    return 1


async def _whisper_all(stage: Stage, conversation_id: str, message_id: str, tenant_id: str) -> int:
    """On the token path and among the hints, where nothing is kept: into a running answer too."""
    whispered = {
        "inference": (f"raw.0123456789abcdef.{message_id}",),
        "filter": (f"tok.{tenant_id}.{conversation_id}.{message_id}",),
        "gateway": tuple(f"ctl.{verb}.{tenant_id}.{message_id}" for verb in ("stop", "anything")),
    }
    for user, places in whispered.items():
        async with as_user(stage, user) as nc:
            for place in places:
                for body in POISON.values():
                    await nc.publish(place, body)
            await nc.flush()
    return len(POISON) * sum(len(places) for places in whispered.values())
