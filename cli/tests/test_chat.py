import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve

from lumora.client.api import CannotReach, Declined
from lumora.client.chat import Conversation
from lumora.client.credentials import Credentials
from lumora.ports import free_port

Script = Callable[[ServerConnection, dict], Awaitable[None]]
KEY = "lum_test"


class Gateway:
    """Speaks the server's side of the protocol on loopback: one script for each connection."""

    def __init__(self):
        self.scripts: list[Script] = []
        self.hellos: list[dict] = []
        self.url = ""

    async def on_connection(self, socket):
        assert socket.subprotocol == "lumora.v1"
        hello = json.loads(await socket.recv())
        self.hellos.append(hello)
        if hello["token"] != KEY:
            await socket.close(4401)
            return
        await socket.send('{"type": "welcome", "session_id": "s"}')
        await self.scripts.pop(0)(socket, hello)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    found = Gateway()
    async with serve(found.on_connection, "127.0.0.1", 0, subprotocols=["lumora.v1"]) as server:
        found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield found


@pytest.fixture
async def conversation(gateway):
    made = Conversation(Credentials(gateway.url, KEY), agent_id="a")
    yield made
    await made.close()


async def say(socket, kind, **fields):
    await socket.send(json.dumps({"type": kind, "message_id": "m", **fields}))


async def accept(socket):
    sent = json.loads(await socket.recv())
    assert sent["type"] == "message.send"
    await say(socket, "message.accepted", client_message_id=sent["client_message_id"], conversation_id="k")
    return sent


async def complete(socket, content):
    await say(socket, "message.completed", content=content, finish_reason="stop", sources=[])


async def asked(conversation, question="Hello?"):
    return [change async for change in conversation.ask(question)]


async def test_a_question_is_streamed_to_its_end(gateway, conversation):
    async def script(socket, _hello):
        sent = await accept(socket)
        assert (sent["content"], sent["agent_id"]) == ("Hello?", "a")
        await say(socket, "message.started", attempt=1, model="x/y", sources=[])
        await say(socket, "token", attempt=1, seq=0, text="Hi")
        await complete(socket, "Hi")
        second = await accept(socket)
        assert second["conversation_id"] == "k"
        await complete(socket, "Again")

    gateway.scripts = [script]
    changes = await asked(conversation)
    assert [(change.kind, change.text) for change in changes] == [("text", "Hi"), ("end", "")]
    assert (await asked(conversation))[-1].text == "Again"
    assert len(gateway.hellos) == 1


async def test_a_connection_that_breaks_is_taken_up_where_it_broke(gateway, conversation):
    async def breaks(socket, _hello):
        await accept(socket)
        await say(socket, "message.started", attempt=2, model="x/y", sources=[])
        await say(socket, "token", attempt=2, seq=0, text="Yes, ")
        await socket.close(1012)

    async def goes_on(socket, hello):
        assert hello["resume"] == [{"conversation_id": "k", "message_id": "m", "attempt": 2, "after_seq": 0}]
        await say(socket, "message.started", attempt=2, model="x/y", sources=[])
        await say(socket, "token", attempt=2, seq=1, text="you can.")
        await complete(socket, "Yes, you can.")

    gateway.scripts = [breaks, goes_on]
    changes = await asked(conversation)
    assert "".join(change.text for change in changes) == "Yes, you can."


async def test_a_question_that_was_not_accepted_is_sent_again_under_its_id(gateway, conversation):
    sent = []

    async def breaks(socket, _hello):
        sent.append(json.loads(await socket.recv()))
        await socket.close(1012)

    async def accepts(socket, hello):
        assert hello["resume"] == []
        sent.append(await accept(socket))
        await complete(socket, "Yes.")

    gateway.scripts = [breaks, accepts]
    await asked(conversation)
    assert sent[0] == sent[1]


async def test_a_gap_is_asked_for(gateway, conversation):
    async def skips(socket, _hello):
        await accept(socket)
        await say(socket, "message.started", attempt=1, model="x/y", sources=[])
        await say(socket, "token", attempt=1, seq=0, text="a")
        await say(socket, "token", attempt=1, seq=2, text="c")
        await socket.wait_closed()

    async def fills(socket, hello):
        assert hello["resume"][0]["after_seq"] == 0
        await say(socket, "token", attempt=1, seq=2, from_seq=1, text="bc")
        await complete(socket, "abc")

    gateway.scripts = [skips, fills]
    await asked(conversation)
    assert conversation.answer.text == "abc"


async def test_stop_names_the_running_answer(gateway, conversation):
    async def script(socket, _hello):
        await accept(socket)
        await say(socket, "message.started", attempt=1, model="x/y", sources=[])
        await say(socket, "token", attempt=1, seq=0, text="a long")
        stop = json.loads(await socket.recv())
        assert stop == {"type": "message.stop", "message_id": "m"}
        await say(socket, "message.completed", content="a long", finish_reason="stopped", sources=[])

    gateway.scripts = [script]
    async for change in conversation.ask("Hello?"):
        if change.kind == "text":
            await conversation.stop()
    assert conversation.answer.end["finish_reason"] == "stopped"


async def test_a_key_that_is_not_valid_is_said_at_once(gateway):
    wrong = Conversation(Credentials(gateway.url, "lum_wrong"))
    with pytest.raises(Declined, match="not valid"):
        await asked(wrong)
    await wrong.close()


async def test_a_question_that_is_declined_is_said(gateway, conversation):
    async def script(socket, _hello):
        sent = json.loads(await socket.recv())
        error = {"code": "too_many_turns", "detail": "Wait.", "in_reply_to": sent["client_message_id"]}
        await socket.send(json.dumps({"type": "error", **error}))
        await socket.wait_closed()

    gateway.scripts = [script]
    with pytest.raises(Declined, match="Wait") as caught:
        await asked(conversation)
    assert caught.value.code == "too_many_turns"


async def test_nobody_there_is_said_at_once():
    conversation = Conversation(Credentials(f"http://127.0.0.1:{free_port()}", KEY))
    with pytest.raises(CannotReach, match="make up"):
        await asked(conversation)
