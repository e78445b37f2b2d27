"""Questions between services, heard on the raw connection.

FastStream's handling of a question costs more CPU than most answers do (ADR 0021). What a question needs of it is
little: a place in the service's queue group, so many at a time, and an answer whatever happens.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from runtime import tracing
from runtime.token_tap import tap

AT_A_TIME = 128

Respond = Callable[[Msg], Awaitable[tuple[bytes, dict[str, str] | None]]]
"""Gives the answer's body and headers, and raises nothing."""


class Answering:
    """One kind of question, heard from `start` to `stop`; what is beyond `AT_A_TIME` waits in order."""

    def __init__(self, subject: str, queue: str, respond: Respond) -> None:
        self._subject = subject
        self._queue = queue
        self._respond = respond
        self._running: set[asyncio.Task[None]] = set()
        self._waiting: deque[Msg] = deque()
        self._connection: Client | None = None
        self._subscription: Subscription | None = None

    async def start(self, connection: Client) -> None:
        self._connection = connection
        self._subscription = await tap(connection, self._subject, self._heard, self._queue)

    async def stop(self) -> None:
        """Hear no more; returns when what was heard is answered."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with suppress(nats.errors.Error, OSError):  # gone with the connection
                await subscription.unsubscribe()
        while self._running:
            await asyncio.wait(self._running)

    def _heard(self, message: Msg) -> None:
        if len(self._running) < AT_A_TIME:
            self._begin(message)
        else:
            self._waiting.append(message)

    def _begin(self, message: Msg) -> None:
        task = asyncio.create_task(self._answer(message))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        if self._waiting:
            self._begin(self._waiting.popleft())

    async def _answer(self, message: Msg) -> None:
        with tracing.handling(f"{self._subject} answer", message.headers or {}):
            body, headers = await self._respond(message)
        if message.reply and self._connection is not None:
            with suppress(nats.errors.Error, OSError):  # whoever asked stops waiting by itself
                await self._connection.publish(message.reply, body, headers=headers)
