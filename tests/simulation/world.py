"""One business asks; workers, filters and gateways answer, and some of them die on the way."""

import asyncio
import contextlib
import random
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import orjson

from contracts import subjects
from contracts.filter import OPEN_STREAM, OpenStream, StreamOpened
from contracts.ids import ConversationId, MessageId, TenantId, uuid7
from contracts.inference import AnswerOptions, Turn, Usage
from filter_service.domain.answer import Answer
from filter_service.domain.judge import prepare
from filter_service.domain.open_streams import OpenStreams
from filter_service.domain.policy import Policy
from filter_service.inbound.raw_tokens import RawTokens
from filter_service.outbound.nats_screens import NatsScreens
from gateway_service.domain.resume import Progress
from gateway_service.outbound.sockets import Sockets
from gateway_service.outbound.token_feed import TokenFeed
from inference_service.domain.answer import Desk, answer
from inference_service.domain.model import End, Pieces
from inference_service.domain.turn import LEASE_S, Busy, Ended, LeasedTurn, Outcome
from inference_service.outbound.token_sink import FilterSink
from inference_service.outbound.token_wire import TokenWire
from runtime.errors import LumoraError, NotFound
from runtime.tenancy import TenantScope
from services.inference.tests import fakes
from services.inference.tests.memory_embedder import MemoryEmbedder
from tests.simulation.broker import Broker, Connection, Message
from tests.simulation.virtual_time import LoopClock

SCOPE = TenantScope(TenantId(uuid7()), "user:test")
POLICY = Policy(version=3, terms=("secret plan", "forbidden"))
REDELIVERY_S = 10.0


@dataclass
class Kept:
    """A turn's row."""

    message_id: MessageId
    conversation_id: ConversationId
    attempt: int = 0
    lease_until: float = 0.0
    state: str = "accepted"
    outcome: Outcome | None = None
    completions: int = 0


class Store:
    """Postgres, as far as turns need it: fenced, and never wrong."""

    def __init__(self) -> None:
        self.rows: dict[MessageId, Kept] = {}
        self.listeners: list[TokenFeed] = []

    async def lease(self, _scope: TenantScope, message_id: MessageId) -> LeasedTurn | Ended | Busy:
        row, now = self.rows[message_id], asyncio.get_running_loop().time()
        if row.state in {"completed", "failed"}:
            return Ended()
        if row.lease_until > now:
            return Busy()
        row.attempt, row.lease_until, row.state = row.attempt + 1, now + LEASE_S, "running"
        return fakes.turn(
            attempt=row.attempt,
            message_id=message_id,
            conversation_id=row.conversation_id,
            options=AnswerOptions(use_knowledge=False),
        )

    async def extend(self, _scope: TenantScope, turn: LeasedTurn) -> bool | None:
        row = self.rows[turn.message_id]
        if row.attempt != turn.attempt or row.state != "running":
            return None
        row.lease_until = asyncio.get_running_loop().time() + LEASE_S
        return False

    async def release(self, _scope: TenantScope, turn: LeasedTurn, _pause_s: float = 0.0) -> None:
        row = self.rows[turn.message_id]
        if row.attempt == turn.attempt:
            row.lease_until = 0.0

    async def complete(self, _scope: TenantScope, turn: LeasedTurn, outcome: Outcome) -> Turn | None:
        row = self.rows[turn.message_id]
        if row.attempt != turn.attempt or row.state != "running":
            return None
        row.state, row.outcome = "completed", outcome
        row.completions += 1
        return await self.get(_scope, turn.message_id)

    async def fail(self, _scope: TenantScope, message_id: MessageId, code: str, *, attempt: int | None = None) -> bool:
        self.rows[message_id].state = "failed"
        return True

    async def get(self, _scope: TenantScope, message_id: MessageId) -> Turn:
        if message_id not in self.rows:
            raise NotFound
        row = self.rows[message_id]
        outcome = row.outcome
        return Turn(
            conversation_id=row.conversation_id,
            message_id=message_id,
            customer_message_id=message_id,
            state=row.state,
            attempt=row.attempt,
            is_leased=False,
            content=outcome.content if outcome else "",
            usage=outcome.usage if outcome else Usage(),
            finish_reason=outcome.finish_reason if outcome else None,
            error_code="attempts_exhausted" if row.state == "failed" else None,
        )


class Silent:
    """Decisions and observer of a filter whose figures nobody reads."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args, **_kwargs: None


@dataclass
class Seen:
    """What one client received of one answer, over all its sockets."""

    attempt: int = 0
    next_seq: int = 0
    text: str = ""
    ends: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def take(self, frame: dict[str, Any]) -> None:
        """Hold the public promises to every frame."""
        kind = frame["type"]
        if kind == "message.started":
            # Whoever has seen nothing of an attempt may be told again that it began.
            if frame["attempt"] < self.attempt or (frame["attempt"] == self.attempt and self.next_seq):
                self.faults.append(f"attempt {frame['attempt']} started after {self.attempt}")
            self.attempt, self.next_seq, self.text = frame["attempt"], 0, ""
        elif kind == "token":
            first = frame.get("from_seq", frame["seq"])
            if (frame["attempt"], first) != (self.attempt, self.next_seq):
                self.faults.append(f"token {frame['attempt']}/{first}, wanted {self.attempt}/{self.next_seq}")
            self.next_seq = frame["seq"] + 1
            self.text += frame["text"]
        elif kind in {"message.completed", "message.failed", "message.blocked"}:
            self.ends.append(frame)


class World:
    """Two filters, two gateways, workers as needed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.broker = Broker(self.rng, delay_s=self.rng.choice((0.001, 0.02, 0.2)))
        self.store = Store()
        self.seen: dict[MessageId, Seen] = defaultdict(Seen)
        self.filters = [self.filter(number) for number in range(2)]
        self.gateways: list[tuple[Connection, TokenFeed]] = []
        self.workers: list[Connection] = []

    def filter(self, number: int) -> Connection:
        """A replica of the filter."""
        process = Connection(self.broker, f"filter{number}")
        instance, bench = f"{number:x}" * 4, prepare(POLICY)
        screens = NatsScreens(process)  # type: ignore[arg-type] # a fake bus
        streams = OpenStreams(screens, Silent(), Silent(), LoopClock())
        raw = RawTokens(process, instance, streams=streams, screens=screens, observer=Silent())  # type: ignore[arg-type] # the same here

        async def open_stream(order: OpenStream, scope: TenantScope) -> StreamOpened:
            is_replayed = order.policy_version is not None
            answer_ = Answer(scope.tenant_id, order.conversation_id, order.message_id, order.attempt)
            streams.open(answer_, bench, seen_seq=order.seen_seq, is_replayed=is_replayed)
            subject = subjects.raw(instance, order.message_id)
            return StreamOpened(
                subject=subject,
                policy_version=bench.version,
                window=bench.window_chars,
                batches=subjects.raw_batch(instance),
            )

        async def live() -> None:
            await raw.subscribe()
            await raw.beat()

        process.answer(OPEN_STREAM, open_stream)
        process.spawn(live())
        process.spawn(raw.confirm())
        return process

    async def gateway(self, number: int) -> tuple[Connection, TokenFeed]:
        """A replica of the gateway; it hears how answers end, when it is not broken."""
        process = Connection(self.broker, f"gateway{number}")
        feed = TokenFeed(process, self.store, LoopClock())  # type: ignore[arg-type] # the same here
        process.on_reconnect(feed._look_at_all)
        process.spawn(feed.watch())
        self.gateways.append((process, feed))
        return process, feed

    def worker(self, message_id: MessageId, script: tuple[Any, ...]) -> Connection:
        """A worker process that has taken the job."""
        process = Connection(self.broker, "worker")
        self.workers.append(process)
        wire = TokenWire(process)  # type: ignore[arg-type] # the same here
        desk = Desk(
            turns=self.store,  # type: ignore[arg-type] # a simulated port
            knowledge=fakes.MemoryKnowledge(),
            check=fakes.MemoryCheck(),
            sink=FilterSink(process, wire),  # type: ignore[arg-type] # the same here
            followers=self,
            embedder=MemoryEmbedder(),
            providers=fakes.MemoryProviders({"a": fakes.ScriptedModel(*script)}),
            stops=fakes.MemoryStops(),
            deadline_s=300.0,
        )

        async def work() -> None:
            await wire.start()
            with contextlib.suppress(LumoraError):
                await answer(message_id, SCOPE, desk)
                await self._tell(message_id)

        process.spawn(wire.run())
        process.spawn(work())
        return process

    async def tell(self, scope: TenantScope, ended: Turn) -> None:
        """The hint reaches the gateways, or does not, and not all at the same time."""
        hint = Message(subjects.control("ended", scope.tenant_id, ended.message_id), ended.dump())
        for process, feed in self.gateways:
            if not process.is_dead and not process.is_broken and self.rng.random() < 0.5:
                process.spawn(self._arrive(feed, hint))

    async def _arrive(self, feed: TokenFeed, hint: Message) -> None:
        await asyncio.sleep(self.rng.random() * self.broker.delay_s)
        feed.hear_ended(hint)  # type: ignore[arg-type] # a simulated message

    async def _tell(self, message_id: MessageId) -> None:
        """The fact reaches the gateways, or does not: it is heard live only."""
        await asyncio.sleep(self.rng.random() * self.broker.delay_s)
        for process, feed in self.gateways:
            if not process.is_dead and not process.is_broken and self.rng.random() < 0.9:
                for following in tuple(feed._followings.get(message_id, ())):
                    process.spawn(feed._finish(following))

    async def client(self, message_id: MessageId, *, is_new: bool) -> None:
        """Follow an answer to its end: on another gateway, with what was seen, whenever the socket is lost."""
        seen, row = self.seen[message_id], self.store.rows[message_id]
        while not seen.ends:
            living = [(process, feed) for process, feed in self.gateways if not process.is_dead]
            process, feed = self.rng.choice(living)

            async def receive(event: dict[str, Any], process: Connection = process) -> None:
                if event["type"] == "websocket.send" and not process.is_dead:
                    seen.take(orjson.loads(event["text"]))

            socket = Sockets().open(receive)
            sending = process.spawn(socket.run())
            progress = Progress() if is_new else Progress(seen.attempt or None, seen.next_seq - 1)
            with contextlib.suppress(LumoraError):
                following = await feed.follow(socket, SCOPE, row.conversation_id, message_id, progress)
                if is_new:
                    following.begin()
                else:
                    await following.catch_up()
                while not (seen.ends or process.is_dead):  # noqa: ASYNC110 - a process that dies sets no event
                    await asyncio.sleep(0.05)
                following.leave()
            sending.cancel()
            is_new = False
            await asyncio.sleep(0.05)


def script(rng: random.Random) -> tuple[Any, ...]:
    """What the model says: pieces, pauses, now and then something that the policy redacts, and its end."""
    words = [
        "Our ",
        "secret",
        " plan ",
        "is ",
        "good",
        ". ",
        "4111 1111 ",
        "1111 1111 ",
        "forbidden",
        " fruit, ",
        "yes ",
    ]
    pieces: list[Any] = []
    for _ in range(rng.randrange(3, 40)):
        pieces.append(rng.choice(words))
        if rng.random() < 0.3:
            pieces.append(rng.choice((0.01, 0.1, 1.0)))
    return (*pieces, End("stop", 1, len(pieces), estimated=False))


def whole_text(pieces: tuple[Any, ...]) -> str:
    """What a customer may read of a script, judged in one go: the truth that every run is compared with."""
    from filter_service.domain.judge import Judge

    judge = Judge(prepare(POLICY))
    shown = "".join(judge.feed(piece) for piece in pieces if isinstance(piece, str))
    return shown + judge.close()


__all__ = ["REDELIVERY_S", "SCOPE", "Kept", "Pieces", "Seen", "World", "script", "whole_text"]
