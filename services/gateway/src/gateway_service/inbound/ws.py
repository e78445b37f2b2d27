"""The WebSocket door: `/api/chat`, one JSON object a frame. It checks shapes and rights, and hands over.

Bare ASGI below FastAPI: a socket lives long and sends much, and nothing of a framework's request handling helps it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.routing import WebSocketRoute

from contracts.frames import (
    CLIENT_FRAME,
    CLIENT_TYPES,
    CLOSE_BINARY,
    CLOSE_FORBIDDEN,
    CLOSE_NOT_AUTHENTICATED,
    CLOSE_RESTART,
    CLOSE_TOO_MANY,
    CLOSE_TRY_LATER,
    SUBPROTOCOL,
    ConversationSubscribe,
    ConversationUnsubscribe,
    ErrorFrame,
    FramePrincipal,
    Hello,
    Limits,
    MessageSend,
    MessageStop,
    Ping,
    Pong,
    Welcome,
)
from contracts.ids import uuid7
from gateway_service.domain.chat import Chat
from gateway_service.domain.chat_ports import Answers, Client, Clients, Conversations, Credentials, Turns
from gateway_service.domain.limits import RateLimits
from gateway_service.domain.principal import Principal
from gateway_service.domain.session import HEARTBEAT_S, HELLO_S, Strikes
from gateway_service.domain.upload_turns import UploadTurns
from gateway_service.inbound.reading import has_nul
from runtime import logs
from runtime.bus import describe
from runtime.clock import Clock
from runtime.errors import LumoraError, Rejected

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
AnyFrame = Hello | MessageSend | MessageStop | ConversationSubscribe | ConversationUnsubscribe | Ping

_log = logs.get_logger()


@dataclass(frozen=True)
class ChatDesk:
    """What a chat needs."""

    credentials: Credentials
    limits: RateLimits
    turns: Turns
    answers: Answers
    conversations: Conversations
    clients: Clients
    uploads: UploadTurns
    clock: Clock
    origins: tuple[str, ...] = ()
    """Further origins, beside our own, whose pages may open a socket for people."""


class Closed(Exception):
    """The socket is to end with this code, or has ended (None)."""

    def __init__(self, code: int | None) -> None:
        self.code = code
        super().__init__(code)


def register(app: FastAPI, desk: ChatDesk) -> None:
    """Serve `/api/chat`."""

    async def chat(scope: Any, receive: Receive, send: Send) -> None:
        await _serve(desk, scope, receive, send)

    app.router.routes.append(WebSocketRoute("/api/chat", _Endpoint(chat)))


class _Endpoint:
    """Starlette takes functions for its own request style; an object is called as bare ASGI."""

    def __init__(self, app: Callable[[Any, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


async def _serve(desk: ChatDesk, scope: Any, receive: Receive, send: Send) -> None:
    await receive()  # websocket.connect
    # Accepted before anything can be refused: a refusal before that is a plain 403 without its code.
    offered = scope.get("subprotocols") or []
    await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if SUBPROTOCOL in offered else None})
    client = desk.clients.open(send)
    door = _Door(desk, client, receive)
    sending, hearing = asyncio.create_task(client.run()), asyncio.create_task(door.run(scope))
    try:
        # Either half may end first: the client leaves, or it is closed because it does not read or we drain.
        await asyncio.wait({sending, hearing}, return_when=asyncio.FIRST_COMPLETED)
        if hearing.done():
            await _say_goodbye(hearing, client, sending)
    finally:
        desk.answers.leave_all(client)
        desk.clients.remove(client)
        await door.stop()
        for half in (sending, hearing):
            half.cancel()
        await asyncio.gather(sending, hearing, return_exceptions=True)
        # Last: a question that was under way until now may have begun to hold a conversation.
        desk.conversations.leave_all(client)


async def _say_goodbye(hearing: "asyncio.Task[None]", client: Client, sending: "asyncio.Task[None]") -> None:
    try:
        hearing.result()
    except Closed as closed:
        if closed.code is not None:
            client.close(closed.code)
            await asyncio.wait({sending})


class _Door:
    """The receiving half of one socket."""

    def __init__(self, desk: ChatDesk, client: Client, receive: Receive) -> None:
        self._desk = desk
        self._client = client
        self._receive = receive
        self._strikes = Strikes(desk.clock)
        self._api_key = ""
        self._resuming: set[asyncio.Task[None]] = set()

    async def run(self, scope: Any) -> None:
        """Raises Closed when the socket ends."""
        if self._desk.clients.is_draining:
            raise Closed(CLOSE_RESTART)
        hello = await self._hello()
        principal = await self._authenticate(hello, scope)
        if principal.kind == "api_key":
            self._api_key = hello.token
        chat = Chat(
            self._client,
            principal,
            turns=self._desk.turns,
            answers=self._desk.answers,
            conversations=self._desk.conversations,
            limits=self._desk.limits,
            uploads=self._desk.uploads,
        )
        self._desk.clients.admit(self._client, principal)
        self._client.push(_welcome(principal, self._desk.limits.limit).dump())
        for point in hello.resume:
            self._resume(self._guarded(chat.resume(point), str(point.message_id)))
        while True:
            await self._hand_over(chat, await self._frame())

    async def stop(self) -> None:
        """End what still runs for this socket."""
        for task in self._resuming:
            task.cancel()
        await asyncio.gather(*self._resuming, return_exceptions=True)

    async def _hello(self) -> Hello:
        try:
            async with asyncio.timeout(HELLO_S):
                frame = await self._frame()
        except TimeoutError:
            raise Closed(CLOSE_NOT_AUTHENTICATED) from None
        if not isinstance(frame, Hello):
            self._say(ErrorFrame(code="not_authenticated", detail="the first frame must be hello"))
            raise Closed(CLOSE_NOT_AUTHENTICATED)
        return frame

    async def _authenticate(self, hello: Hello, scope: Any) -> Principal:
        try:
            principal = await self._desk.credentials.verify(hello.token)
        except Rejected as error:
            self._say(ErrorFrame(code=error.code, detail=error.detail))
            raise Closed(CLOSE_NOT_AUTHENTICATED) from error
        except LumoraError as error:
            self._say(_error_frame(error, None))
            raise Closed(CLOSE_TRY_LATER) from error
        headers = dict(scope["headers"])
        if not _is_own_origin(headers, self._desk.origins):
            self._say(ErrorFrame(code="forbidden", detail="this page's origin may not open a chat"))
            raise Closed(CLOSE_FORBIDDEN)
        if not principal.may("chat.read"):
            self._say(ErrorFrame(code="forbidden", detail="this API key's scopes do not cover the chat"))
            raise Closed(CLOSE_FORBIDDEN)
        return principal

    async def _frame(self) -> AnyFrame:
        """The next good frame; bad ones are answered and counted."""
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                raise Closed(None)
            text = event.get("text")
            if text is None:
                raise Closed(CLOSE_BINARY)
            try:
                return _read(text)
            except BadFrame as bad:
                self._say(bad.frame)
                if self._strikes.add():
                    raise Closed(CLOSE_TOO_MANY) from bad

    async def _hand_over(self, chat: Chat, frame: AnyFrame) -> None:
        if isinstance(frame, MessageSend):
            if self._desk.clients.is_draining and not self._client.following:
                # Kept for answers that were running; a new one is better asked where it can be followed to its end.
                raise Closed(CLOSE_RESTART)
            await self._refuse_revoked()
            await self._guarded(chat.ask(frame), str(frame.client_message_id))
        elif isinstance(frame, MessageStop):
            await self._guarded(chat.stop(frame), str(frame.message_id))
        elif isinstance(frame, ConversationSubscribe):
            await self._guarded(chat.subscribe(frame), str(frame.conversation_id))
        elif isinstance(frame, ConversationUnsubscribe):
            await self._guarded(chat.unsubscribe(frame), str(frame.conversation_id))
        elif isinstance(frame, Ping):
            self._say(Pong(nonce=frame.nonce))
        else:
            self._say(ErrorFrame(code="invalid_request", detail="hello was said already"))

    async def _refuse_revoked(self) -> None:
        """A key's end is heard as a fact, which may be missed: so each question asks what is known of the key."""
        if not self._api_key:
            return
        try:
            await self._desk.credentials.verify(self._api_key)
        except Rejected as error:
            self._say(ErrorFrame(code=error.code, detail=error.detail))
            raise Closed(CLOSE_NOT_AUTHENTICATED) from error
        except LumoraError:
            return  # auth is away: it was good when the socket was opened

    async def _guarded(self, work: Awaitable[None], in_reply_to: str) -> None:
        """Whatever goes wrong is told to the client; the socket lives on."""
        try:
            await work
        except LumoraError as error:
            self._say(_error_frame(error, in_reply_to))
        except Exception:  # noqa: BLE001 - our own bug must not cost the client its other answers
            _log.exception("chat.failed")
            self._say(ErrorFrame(code="internal", detail="something went wrong on our side", in_reply_to=in_reply_to))

    def _resume(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._resuming.add(task)
        task.add_done_callback(self._resuming.discard)

    def _say(self, frame: ErrorFrame | Pong) -> None:
        self._client.push(frame.dump())


class BadFrame(Exception):
    """What came is no frame of ours; carries the answer to it."""

    def __init__(self, code: str, detail: str, in_reply_to: object = None) -> None:
        reply = in_reply_to if isinstance(in_reply_to, str) else None
        self.frame = ErrorFrame(code=code, detail=detail, in_reply_to=reply)
        super().__init__(code)


def _read(text: str) -> AnyFrame:
    """Parse a client frame. Raises BadFrame."""
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadFrame("invalid_json", "a frame is one JSON object") from None
    if not isinstance(body, dict):
        raise BadFrame("invalid_json", "a frame is one JSON object")
    reply = body.get("client_message_id") or body.get("nonce") or body.get("message_id") or body.get("conversation_id")
    if "\\u0000" in text and has_nul(body):
        raise BadFrame("invalid_request", "text holds no NUL characters", reply)
    if body.get("type") not in CLIENT_TYPES:
        raise BadFrame("unknown_type", f"type must be one of {', '.join(CLIENT_TYPES)}", reply)
    try:
        return CLIENT_FRAME.validate_json(text, extra="ignore")
    except ValidationError as error:
        raise BadFrame("invalid_request", describe(error), reply) from None


def _welcome(principal: Principal, requests_per_minute: int) -> Welcome:
    return Welcome(
        session_id=str(uuid7()),
        principal=FramePrincipal(
            kind=principal.kind, id=str(principal.id), role=principal.role, scopes=principal.scopes
        ),
        heartbeat_s=HEARTBEAT_S,
        limits=Limits(requests_per_minute=requests_per_minute),
    )


def _error_frame(error: LumoraError, in_reply_to: str | None) -> ErrorFrame:
    return ErrorFrame(code=error.code, detail=error.detail, retry_after=error.retry_after_s, in_reply_to=in_reply_to)


def _is_own_origin(headers: dict[bytes, bytes], others: tuple[str, ...]) -> bool:
    """Programs send no Origin; a browser's must be the page's own host, or one the operator allows."""
    origin = headers.get(b"origin")
    if origin is None:
        return True
    text = origin.decode("latin-1")
    return text in others or urlsplit(text).netloc == headers.get(b"host", b"").decode("latin-1")
