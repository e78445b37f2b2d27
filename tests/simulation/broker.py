"""A broker as our code sees one: ordered core publish and subscribe, TOKENS kept, connections that break.

What NATS promises is promised here, and nothing more: messages of one publisher reach one subscriber in order; a
message may be late; what is on its way when a connection breaks is lost; TOKENS keeps what reached the broker.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson

from gateway_service.outbound.token_history import SUBJECT as HISTORY
from runtime.errors import Unavailable

Heard = Callable[["Message"], Awaitable[None]]


@dataclass(frozen=True)
class Message:
    """As far as our code looks at one."""

    subject: str
    data: bytes
    headers: dict[str, str] | None = None
    reply: str = ""


class Broker:
    """The server: who listens to what, and what TOKENS holds."""

    def __init__(self, rng: random.Random, *, delay_s: float) -> None:
        self.rng = rng
        self.delay_s = delay_s
        self.kept: defaultdict[str, list[bytes]] = defaultdict(list)
        self.subscriptions: list[Subscription] = []
        self.answering: dict[str, list[tuple[Connection, Callable[[Any, Any], Awaitable[Any]]]]] = defaultdict(list)

    def arrive(self, message: Message, reply: str) -> None:
        """A message reached the server."""
        if message.subject == HISTORY:
            self._answer_history(orjson.loads(message.data)["next_by_subj"], reply)
            return
        if message.subject.startswith("tok."):
            self.kept[message.subject].append(message.data)
        for subscription in tuple(self.subscriptions):
            if _matches(subscription.pattern, message.subject):
                subscription.connection.deliver(subscription, message)

    def _answer_history(self, subject: str, inbox: str) -> None:
        for data in self.kept[subject]:
            self.arrive(Message(inbox, data), "")
        status = "204" if self.kept[subject] else "404"
        self.arrive(Message(inbox, b"", {"Status": status, "Nats-Num-Pending": "0"}), "")


class Subscription:
    """Heard one at a time, in order, as nats-py does it; the queue has nats-py's name because a tap takes its seat."""

    def __init__(self, connection: "Connection", pattern: str, heard: Heard | None) -> None:
        self.connection = connection
        self.pattern = pattern
        self._heard = heard
        self._pending_queue: asyncio.Queue[Message] = asyncio.Queue()
        if heard is not None:
            connection.spawn(self._serve(heard))

    def put(self, message: Message) -> None:
        self._pending_queue.put_nowait(message)

    async def _serve(self, heard: Heard) -> None:
        while True:
            await heard(await self._pending_queue.get())

    async def next_msg(self, timeout: float) -> Message:  # noqa: ASYNC109 - nats-py's own signature
        return await asyncio.wait_for(self._pending_queue.get(), timeout)

    async def unsubscribe(self) -> None:
        if self in self.connection.broker.subscriptions:
            self.connection.broker.subscriptions.remove(self)


class Connection:
    """One process's connection, and its `nc`; the part of `Bus` that the token path uses."""

    def __init__(self, broker: Broker, name: str) -> None:
        self.broker = broker
        self.name = name
        self.is_broken = False
        self.is_dead = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._reconnected: list[Callable[[], Awaitable[None]]] = []
        self._out_at = self._in_at = 0.0
        self._inboxes = 0
        self._epoch = self._reconnects = 0

    @property
    def nc(self) -> "Connection":
        return self

    @property
    def stats(self) -> dict[str, int]:
        return {"reconnects": self._reconnects}

    # ---- what nats-py offers ----------------------------------------------------------------------------------

    async def publish(self, subject: str, payload: bytes, reply: str = "") -> None:
        self._out_at = self._later(
            self._out_at, lambda: self.broker.arrive(Message(subject, payload, reply=reply), reply)
        )

    async def subscribe(self, subject: str, cb: Heard | None = None, **_options: Any) -> Subscription:
        subscription = Subscription(self, subject, cb)
        self.broker.subscriptions.append(subscription)
        return subscription

    def new_inbox(self) -> str:
        self._inboxes += 1
        return f"_INBOX_{self.name}.{self._inboxes}"

    async def flush(self, timeout: float = 1) -> None:  # noqa: ASYNC109 - nats-py's own signature
        await asyncio.sleep(self.broker.delay_s)

    # ---- what Bus offers --------------------------------------------------------------------------------------

    async def settle(self) -> None:
        epoch = self._epoch
        await asyncio.sleep(max(self._out_at - asyncio.get_running_loop().time(), 0))
        await self.flush()
        if self.is_broken or self._epoch != epoch:
            raise Unavailable

    async def request(self, rpc: Any, request: Any, scope: Any = None) -> Any:
        await asyncio.sleep(self._delay())
        able = [pair for pair in self.broker.answering[rpc.schema] if not pair[0].is_dead and not pair[0].is_broken]
        if self.is_broken or not able:
            await asyncio.sleep(rpc.timeout_s)
            raise Unavailable
        return await self.broker.rng.choice(able)[1](request, scope)

    def answer(self, rpc: Any, handler: Callable[[Any, Any], Awaitable[Any]]) -> None:
        self.broker.answering[rpc.schema].append((self, handler))

    def on_reconnect(self, react: Callable[[], Awaitable[None]]) -> None:
        self._reconnected.append(react)

    # ---- what may happen to it --------------------------------------------------------------------------------

    def deliver(self, subscription: Subscription, message: Message) -> None:
        self._in_at = self._later(self._in_at, lambda: subscription.put(message))

    async def break_for(self, seconds: float) -> None:
        """Both directions are lost for a while; then the process hears that it is back."""
        self.is_broken = True
        self._epoch += 1
        await asyncio.sleep(seconds)
        if self.is_dead:
            return
        self.is_broken = False
        self._reconnects += 1
        for react in self._reconnected:
            await react()

    def die(self) -> None:
        """kill -9: everything of this process stops, nothing is said."""
        self.is_dead = True
        self._epoch += 1
        for subscription in [known for known in self.broker.subscriptions if known.connection is self]:
            self.broker.subscriptions.remove(subscription)
        for task in self._tasks:
            task.cancel()

    def spawn(self, work: Any) -> "asyncio.Task[Any]":
        """A task of this process: it dies with it."""
        task: asyncio.Task[Any] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _delay(self) -> float:
        return self.broker.rng.random() * self.broker.delay_s

    def _later(self, not_before: float, act: Callable[[], None]) -> float:
        """In order within this direction; lost when the connection breaks on the way."""
        loop, epoch = asyncio.get_running_loop(), self._epoch
        # Never two at the same moment: the loop does not promise an order between those.
        at = max(not_before + 1e-6, loop.time() + self._delay())

        def happen() -> None:
            if not self.is_broken and not self.is_dead and self._epoch == epoch:
                act()

        loop.call_at(at, happen)
        return at


def _matches(pattern: str, subject: str) -> bool:
    wanted, given = pattern.split("."), subject.split(".")
    return len(wanted) == len(given) and all(w in {"*", g} for w, g in zip(wanted, given, strict=True))
