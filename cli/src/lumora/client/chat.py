"""A conversation over the WebSocket: asks, follows the answer, and takes it up again when the connection breaks."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from lumora.client.answer import NOTHING, Answer, Change, TokensMissed
from lumora.client.api import Declined, unreachable
from lumora.client.credentials import Credentials

_SUBPROTOCOL = Subprotocol("lumora.v1")
_GIVE_UP_AFTER_S = 60.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_HELLO_WITHIN_S = 10.0
_NOT_A_CHAT = (400, 403, 404, 405, 426)
_REFUSALS = {
    4401: ("not_authenticated", "The API key is not valid (any more): give another with --api-key."),
    4403: ("forbidden", "This API key may not chat: it needs the scope `chat`."),
}


class Conversation:
    """Questions of one conversation, one at a time."""

    def __init__(self, credentials: Credentials, *, agent_id: str | None = None) -> None:
        self._credentials = credentials
        self._agent_id = agent_id
        self._socket: ClientConnection | None = None
        self._conversation_id: str | None = None
        self._patience = Patience(credentials.url)
        self.answer: Answer | None = None

    async def ask(self, content: str) -> AsyncIterator[Change]:
        """Send a question and yield what changes until the answer has ended (`self.answer` says how).

        Raises:
            CannotReach: the platform is away for a minute.
            Declined: it refuses the key or the question.
        """
        answer = self.answer = Answer(str(uuid.uuid4()), conversation_id=self._conversation_id)
        while answer.end is None:
            try:
                socket = await self._open(answer)
                if answer.message_id is None:
                    # The same client_message_id is the same question, however often it is sent.
                    await socket.send(json.dumps(self._question(answer, content)))
                async for change in self._follow(socket, answer):
                    self._patience.renew()
                    yield change
            except (ConnectionClosed, TokensMissed, OSError, InvalidHandshake, TimeoutError) as error:
                await self.close()
                refuse(error)
                await self._patience.wait(error)
        self._conversation_id = answer.conversation_id

    async def _follow(self, socket: ClientConnection, answer: Answer) -> AsyncIterator[Change]:
        while answer.end is None:
            frame = json.loads(await socket.recv())
            if frame.get("type") == "error" and frame.get("in_reply_to") in (None, answer.client_message_id):
                raise Declined(f"{frame.get('detail', '')} ({frame['code']})", code=frame["code"])
            change = answer.take(frame)
            if change != NOTHING:
                yield change

    async def _open(self, answer: Answer) -> ClientConnection:
        """The open connection, or a new one that has said hello and asked for what this answer misses."""
        if self._socket is not None:
            return self._socket
        url = "ws" + self._credentials.url.removeprefix("http") + "/api/chat"
        # Tokens are a few bytes each: compression would cost more than it saves.
        socket = await connect(url, subprotocols=[_SUBPROTOCOL], compression=None, max_size=None, proxy=None)
        point = answer.resume_point()
        hello = {"type": "hello", "token": self._credentials.api_key, "resume": [point] if point else []}
        await socket.send(json.dumps(hello))
        async with asyncio.timeout(_HELLO_WITHIN_S):
            welcome = json.loads(await socket.recv())
        if welcome.get("type") != "welcome":
            raise Declined(welcome.get("detail", "The platform did not welcome us."), code=welcome.get("code", "hello"))
        self._patience.renew()
        self._socket = socket
        return socket

    def _question(self, answer: Answer, content: str) -> dict[str, Any]:
        frame: dict[str, Any] = {"type": "message.send", "client_message_id": answer.client_message_id}
        if self._conversation_id is not None:
            frame["conversation_id"] = self._conversation_id
        if self._agent_id is not None:
            frame["agent_id"] = self._agent_id
        return {**frame, "content": content}

    async def stop(self) -> None:
        """Ask that the running answer ends; what was shown is kept, and the answer still ends by itself."""
        if self._socket is not None and self.answer is not None and self.answer.message_id is not None:
            frame = {"type": "message.stop", "message_id": self.answer.message_id}
            with contextlib.suppress(ConnectionClosed):
                await self._socket.send(json.dumps(frame))

    async def close(self) -> None:
        """Leave."""
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()


class Patience:
    """Pauses between attempts to connect, and when to give up: a minute after the last sign of life."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._since: float | None = None
        self._pause_s = _FIRST_PAUSE_S

    def renew(self) -> None:
        """There was a sign of life."""
        self._since = time.monotonic()
        self._pause_s = _FIRST_PAUSE_S

    async def wait(self, error: Exception) -> None:
        """Pause before the next attempt.

        Raises:
            CannotReach: it has been too long, or nothing ever listened there.
        """
        if self._since is None or time.monotonic() - self._since > _GIVE_UP_AFTER_S:
            raise unreachable(self._url, error) from error
        await asyncio.sleep(self._pause_s)
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)


def refuse(error: Exception) -> None:
    """Raise when the connection ended for a reason that trying again does not change.

    Raises:
        Declined: with the reason in words.
    """
    if isinstance(error, ConnectionClosed) and error.rcvd is not None and error.rcvd.code in _REFUSALS:
        code, sentence = _REFUSALS[error.rcvd.code]
        raise Declined(sentence, code=code) from error
    if isinstance(error, InvalidStatus) and error.response.status_code in _NOT_A_CHAT:
        raise Declined("There is no Lumora chat at this URL: give the gateway's with --url.", code="http") from error
