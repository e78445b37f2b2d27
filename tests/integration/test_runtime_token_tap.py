"""The token path's own subscription, on the real broker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from nats.aio.msg import Msg

from contracts import subjects
from contracts.ids import ConversationId, MessageId, TenantId, uuid7
from runtime.bus import Bus
from runtime.token_tap import tap
from tests.support.platform import Platform, eventually

pytestmark = pytest.mark.integration


@asynccontextmanager
async def two_ends(platform: Platform) -> AsyncIterator[tuple[Bus, Bus, str]]:
    """filter, which may say tokens, gateway, which may hear them, and a subject of one answer."""
    said_by = Bus("filter", platform.nats_url, platform.seed("filter"))
    heard_by = Bus("gateway", platform.nats_url, platform.seed("gateway"))
    await said_by.connect()
    await heard_by.connect()
    subject = subjects.tok(TenantId(uuid7()), ConversationId(uuid7()), MessageId(uuid7()))
    try:
        yield said_by, heard_by, subject
    finally:
        await said_by.stop()
        await heard_by.stop()


async def say(bus: Bus, subject: str, *tokens: bytes) -> None:
    for token in tokens:
        await bus.nc.publish(subject, token)
    await bus.nc.flush()


async def test_what_is_said_is_heard_in_order(platform: Platform) -> None:
    heard: list[bytes] = []
    async with two_ends(platform) as (said_by, heard_by, subject):
        await tap(heard_by.nc, subject, lambda message: heard.append(message.data))
        await heard_by.nc.flush()
        await say(said_by, subject, *(b"%d" % number for number in range(1000)))
        await eventually(lambda: len(heard) == 1000)
    assert heard == [b"%d" % number for number in range(1000)]


async def test_a_token_that_cannot_be_read_ends_nothing(platform: Platform) -> None:
    heard: list[bytes] = []

    def hear(message: Msg) -> None:
        if message.data == b"bad":
            raise ValueError(message.data)
        heard.append(message.data)

    async with two_ends(platform) as (said_by, heard_by, subject):
        await tap(heard_by.nc, subject, hear)
        await heard_by.nc.flush()
        await say(said_by, subject, b"one", b"bad", b"two")
        await eventually(lambda: heard == [b"one", b"two"])


async def test_after_the_end_nothing_is_heard(platform: Platform) -> None:
    heard: list[bytes] = []
    async with two_ends(platform) as (said_by, heard_by, subject):
        subscription = await tap(heard_by.nc, subject, lambda message: heard.append(message.data))
        other = await tap(heard_by.nc, subject, lambda message: heard.append(b"other " + message.data))
        await heard_by.nc.flush()
        await say(said_by, subject, b"one")
        await eventually(lambda: sorted(heard) == [b"one", b"other one"])
        await subscription.unsubscribe()
        await heard_by.nc.flush()
        await say(said_by, subject, b"two")
        await eventually(lambda: b"other two" in heard)
        await other.drain()  # type: ignore[no-untyped-call] # the client has no types here
    assert b"two" not in heard
