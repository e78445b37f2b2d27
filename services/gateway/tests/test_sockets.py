import asyncio
from typing import Any

import orjson
import pytest

from contracts.frames import CLOSE_RESTART, CLOSE_SLOW
from contracts.ids import TenantId, uuid7
from gateway_service.domain.principal import Principal
from gateway_service.outbound import sockets
from gateway_service.outbound.sockets import QUEUE_FRAMES, Sockets
from gateway_service.outbound.token_frames import merge, read_frame
from tests.support.platform import eventually


def token(seq: int, text: str = "x", message: str = "0190a0b0-0000-7000-8000-000000000000") -> bytes:
    head = b'{"type":"token","message_id":"%s","attempt":1,"seq":%d,"text":' % (message.encode(), seq)
    return head + orjson.dumps(text) + b"}"


class Wire:
    """The client's end: reads as long as it is told to."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.may_read = asyncio.Event()
        self.may_read.set()

    async def send(self, event: dict[str, Any]) -> None:
        await self.may_read.wait()
        self.sent.append(event)

    def texts(self) -> list[dict[str, Any]]:
        return [orjson.loads(event["text"]) for event in self.sent if event["type"] == "websocket.send"]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_frames_leave_in_order_and_untouched():
    wire, clients = Wire(), Sockets()
    socket = clients.open(wire.send)
    sending = asyncio.create_task(socket.run())
    for seq in range(3):
        socket.push(token(seq), "m:1")
    await settle()
    assert [event["text"].encode() for event in wire.sent] == [token(seq) for seq in range(3)]
    socket.close(1000)
    await sending


async def test_a_slow_client_gets_merged_frames_and_loses_nothing():
    wire, clients = Wire(), Sockets()
    wire.may_read.clear()
    socket = clients.open(wire.send)
    sending = asyncio.create_task(socket.run())
    count = QUEUE_FRAMES * 2
    for seq in range(count):
        socket.push(token(seq, f"{seq} "), "m:1")
    await settle()
    wire.may_read.set()
    await settle()
    frames = wire.texts()
    assert len(frames) < count
    assert "".join(frame["text"] for frame in frames) == "".join(f"{seq} " for seq in range(count))
    expected = 0
    for frame in frames:
        assert frame.get("from_seq", frame["seq"]) == expected
        expected = frame["seq"] + 1
    assert expected == count
    socket.close(1000)
    await sending


async def test_other_frames_are_never_merged_away():
    wire, clients = Wire(), Sockets()
    wire.may_read.clear()
    socket = clients.open(wire.send)
    sending = asyncio.create_task(socket.run())
    for seq in range(QUEUE_FRAMES + 10):
        socket.push(token(seq), "m:1")
        if seq == 100:
            socket.push(b'{"type":"pong","nonce":"n"}')
    wire.may_read.set()
    await settle()
    kinds = [frame["type"] for frame in wire.texts()]
    assert kinds.count("pong") == 1
    socket.close(1000)
    await sending


async def test_a_client_that_does_not_read_is_closed_and_its_memory_is_bounded():
    wire, clients = Wire(), Sockets()
    wire.may_read.clear()
    socket = clients.open(wire.send)
    sending = asyncio.create_task(socket.run())
    for seq in range(40):
        socket.push(token(seq, "y" * 50_000), "m:1")
    assert socket._bytes <= 1 << 20
    wire.may_read.set()
    await sending
    assert wire.sent[-1] == {"type": "websocket.close", "code": CLOSE_SLOW}


async def test_a_client_that_does_not_even_read_the_close_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sockets, "CLOSE_GRACE_S", 0.01)
    wire = Wire()
    wire.may_read.clear()
    socket = Sockets().open(wire.send)
    sending = asyncio.create_task(socket.run())
    socket.push(token(0), "m:1")
    await settle()
    socket.close(CLOSE_SLOW)
    await asyncio.wait({sending}, timeout=5)
    assert sending.done()
    assert socket.is_closed


async def test_drain_closes_idle_sockets_and_waits_for_busy_ones():
    clients, idle, busy = Sockets(), Wire(), Wire()
    idle_socket, busy_socket = clients.open(idle.send), clients.open(busy.send)
    busy_socket.following = 1

    async def live(socket: Any) -> None:
        await socket.run()
        clients.remove(socket)

    running = [asyncio.create_task(live(socket)) for socket in (idle_socket, busy_socket)]
    draining = asyncio.create_task(clients.drain())
    await eventually(lambda: idle.sent)
    assert idle.sent == [{"type": "websocket.close", "code": CLOSE_RESTART}]
    assert not busy.sent
    busy_socket.push(token(0), "m:1")
    busy_socket.following = 0
    await draining
    await asyncio.gather(*running)
    assert [event["type"] for event in busy.sent] == ["websocket.send", "websocket.close"]


def test_merged_frames_read_as_one():
    merged = merge([token(3, "a"), token(4, "b"), token(5, "ü")])
    assert orjson.loads(merged)["text"] == "abü"
    assert read_frame(merged).first == 3  # type: ignore[union-attr] # a merged frame is no None
    assert read_frame(merged).last == 5  # type: ignore[union-attr] # the same here


async def test_documents_are_told_to_people_of_their_business_alone():
    tenant, other = TenantId(uuid7()), TenantId(uuid7())
    wires = {name: Wire() for name in ("person", "program", "stranger")}
    clients = Sockets()
    sockets_by_name = {name: clients.open(wire.send) for name, wire in wires.items()}
    running = [asyncio.create_task(socket.run()) for socket in sockets_by_name.values()]
    clients.admit(sockets_by_name["person"], Principal("user", tenant, uuid7(), role="viewer"))
    clients.admit(sockets_by_name["program"], Principal("api_key", tenant, uuid7(), scopes=("documents",)))
    clients.admit(sockets_by_name["stranger"], Principal("user", other, uuid7(), role="owner"))
    clients.tell_people(tenant, b'{"type":"document.progress"}')
    await settle()
    assert {name: len(wire.sent) for name, wire in wires.items()} == {"person": 1, "program": 0, "stranger": 0}
    for socket in sockets_by_name.values():
        clients.remove(socket)
        socket.close(1000)
    await asyncio.gather(*running)
    assert not clients._people


async def test_what_a_credential_opened_is_closed_when_it_is_taken_back():
    tenant, session, key = TenantId(uuid7()), uuid7(), uuid7()
    wires = {name: Wire() for name in ("session", "other session", "key", "stranger")}
    clients = Sockets()
    opened = {name: clients.open(wire.send) for name, wire in wires.items()}
    running = [asyncio.create_task(socket.run()) for socket in opened.values()]
    person = uuid7()
    clients.admit(opened["session"], Principal("user", tenant, person, role="owner", session_id=session))
    clients.admit(opened["other session"], Principal("user", tenant, person, role="owner", session_id=uuid7()))
    clients.admit(opened["key"], Principal("api_key", tenant, key, scopes=("chat",)))
    clients.end(session)
    clients.end(key)
    clients.end(uuid7())
    await settle()
    closed = {name: [event["code"] for event in wire.sent] for name, wire in wires.items()}
    assert closed == {"session": [4401], "other session": [], "key": [4401], "stranger": []}
    for socket in opened.values():
        clients.remove(socket)
        socket.close(1000)
    await asyncio.gather(*running)
    assert not clients._principals
