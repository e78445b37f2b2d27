"""The connection to NATS: publish with a PubAck, ask and answer RPC, listen.

FastStream carries jobs and looks after the connection; questions, publishing and the token path use its `nc` below it.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import nats.errors
from faststream.nats import NatsBroker, NatsMessage
from faststream.nats.security import NatsNKey
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from pydantic import ValidationError

from contracts import subjects
from contracts.base import Contract, Reply, Request
from contracts.channel import Fact, Rpc
from contracts.errors import Failure
from contracts.ids import TenantId
from runtime import logs, metrics, nats_permissions, tracing
from runtime.errors import DeadlineExceeded, LumoraError, Rejected, Unavailable, Unreadable, from_failure
from runtime.publishing import HEADERS_ROOM, Publishing
from runtime.questions import Answering
from runtime.tenancy import TenantScope

RequestT = TypeVar("RequestT", bound=Request)
ReplyT = TypeVar("ReplyT", bound=Reply)
Answer = Callable[[RequestT, TenantScope], Awaitable[ReplyT]]
OpenAnswer = Callable[[RequestT], Awaitable[ReplyT]]

RECONNECT_WAIT_S = 0.5
FLUSH_NEVER_S = 86_400
GRACEFUL_S = 50.0

EVENT_ID, MESSAGE_ID, SCHEMA, DEADLINE = "Event-Id", "Nats-Msg-Id", "Schema", "Deadline-Ms"
TENANT, ACTOR, FAILED = "Tenant-Id", "Actor", "Failed"

_log = logs.get_logger()


class Bus:
    """One service's NATS connection. `connect`, then register handlers, then `start`."""

    def __init__(self, service: str, url: str, seed: str, *, on_closed: Callable[[], None] | None = None) -> None:
        self.service = service
        self._on_closed = on_closed
        self._reconnected: list[Callable[[], Awaitable[None]]] = []
        self._flushing: set[asyncio.Task[None]] = set()
        self._answering: dict[str, Answering] = {}
        self._publishing = Publishing()
        self.broker = NatsBroker(
            url,
            name=service,
            security=NatsNKey.from_seed(seed),
            inbox_prefix=nats_permissions.inbox_prefix(service),
            middlewares=(tracing.carrier(),),
            max_reconnect_attempts=-1,
            # Jittered once per process, so that a broker's return is not met by everyone in the same millisecond.
            reconnect_time_wait=RECONNECT_WAIT_S * random.uniform(0.8, 1.4),  # type: ignore[arg-type]  # noqa: S311 - no secret
            error_cb=self._heard_error,
            closed_cb=self._heard_closed,
            reconnected_cb=self._heard_reconnected,
            logger=_quiet_logger(),
            apply_types=False,
            graceful_timeout=GRACEFUL_S,
        )

    @property
    def nc(self) -> Client:
        """The raw connection, for the token path."""
        client: Client = self.broker.connection
        return client

    @property
    def is_connected(self) -> bool:
        return self.broker._connection is not None and self.nc.is_connected  # noqa: SLF001 - no public test exists

    @property
    def is_deaf(self) -> bool:
        """Connected, and hearing nothing for ever: nats-py ends its read loop at an error of its own."""
        reading = self.nc._reading_task if self.is_connected else None  # noqa: SLF001 - no public test exists
        return reading is not None and reading.done()

    async def connect(self) -> None:
        """Wait until the broker is there: services and broker may start in any order."""
        while True:
            try:
                await self.broker.connect()
            except (nats.errors.Error, OSError, TimeoutError) as error:
                _log.warning("broker.away", error=type(error).__name__)
                await asyncio.sleep(RECONNECT_WAIT_S)
            else:
                return

    async def start(self) -> None:
        """Begin to hear what was registered: on return the server knows of every subscription."""
        await self.broker.start()
        for answering in self._answering.values():
            await answering.start(self.nc)
        with contextlib.suppress(Unavailable):  # away again: said once more on reconnect
            await self.settle()

    async def settle(self) -> None:
        """Wait until the server has read everything said so far.

        nats-py writes the PING of a flush past what is still pending, so the first one only pushes that out.

        Raises:
            Unavailable: the broker is away, or does not answer.
        """
        await self._flush(timeout_s=2)
        await self._flush(timeout_s=2)

    async def _flush(self, timeout_s: float) -> None:
        """A PING and its PONG.

        Never with nats-py's own timeout: it leaves a cancelled future behind, and the PONG that comes for it after
        all ends the read loop for good, while the connection still counts as good. So the wait ends, not the flush.
        """
        flushing = asyncio.create_task(self.nc.flush(timeout=FLUSH_NEVER_S))
        self._flushing.add(flushing)
        flushing.add_done_callback(self._flushed)
        done, _ = await asyncio.wait({flushing}, timeout=timeout_s)
        if not done or flushing.cancelled() or flushing.exception() is not None:
            raise Unavailable("the broker does not answer", retry_after_s=2)

    def _forget_flushes(self) -> None:
        """nats-py forgets the PINGs of a connection that ended: nothing will come for them, and nothing can be hurt."""
        for flushing in tuple(self._flushing):
            flushing.cancel()

    def _flushed(self, flushing: "asyncio.Task[None]") -> None:
        self._flushing.discard(flushing)
        if not flushing.cancelled():
            flushing.exception()  # looked at: nobody may be waiting any more

    async def stop(self) -> None:
        """Stop hearing, let running handlers end, drain the connection."""
        self._on_closed = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACEFUL_S):
                await asyncio.gather(*(answering.stop() for answering in self._answering.values()))
        await self.broker.stop()
        self._forget_flushes()

    def on_reconnect(self, react: Callable[[], Awaitable[None]]) -> None:
        """Call `react` whenever the connection is back after a break."""
        self._reconnected.append(react)

    async def check(self) -> None:
        """Raises when the broker is away: for readiness."""
        if not self.is_connected or self.is_deaf:
            raise Unavailable
        await self._flush(timeout_s=1)

    # ---- asking -----------------------------------------------------------------------------------------------

    async def request(
        self,
        rpc: Rpc[RequestT, ReplyT],
        request: RequestT,
        scope: TenantScope | None = None,
        *,
        timeout_s: float | None = None,
    ) -> ReplyT:
        """Ask one replica of the owner.

        Raises:
            LumoraError: what the owner answered.
            Unavailable: nobody answered in time, or nobody is there.
        """
        wait_s = timeout_s or rpc.timeout_s
        headers = {SCHEMA: rpc.schema, DEADLINE: str(int((time.time() + wait_s) * 1000))}
        if scope is not None:
            headers |= {TENANT: str(scope.tenant_id), ACTOR: scope.actor}
        elif rpc.is_tenant_scoped:
            msg = f"{rpc.schema} needs a tenant scope"
            raise TypeError(msg)
        try:
            with tracing.asking(subjects.rpc(rpc), headers):
                answer = await self.nc.request(subjects.rpc(rpc), request.dump(), timeout=wait_s, headers=headers)
        except (TimeoutError, nats.errors.Error, OSError) as error:
            raise Unavailable(f"{rpc.owner} does not answer", retry_after_s=2) from error
        if answer.headers is not None and answer.headers.get(FAILED):
            raise from_failure(Failure.read(answer.data))
        return rpc.reply.read(answer.data)

    # ---- answering --------------------------------------------------------------------------------------------

    def answer(self, rpc: Rpc[RequestT, ReplyT], handler: Answer[RequestT, ReplyT]) -> None:
        """Answer a tenant's question, in the queue group of the service."""

        async def scoped(request: RequestT, message: Msg) -> ReplyT:
            return await handler(request, _scope_of(message))

        self._answer(rpc, scoped)

    def answer_open(self, rpc: Rpc[RequestT, ReplyT], handler: OpenAnswer[RequestT, ReplyT]) -> None:
        """Answer a question asked before the tenant is known."""
        if rpc.is_tenant_scoped:
            msg = f"{rpc.schema} is asked within a tenant"
            raise TypeError(msg)

        async def unscoped(request: RequestT, _message: Msg) -> ReplyT:
            return await handler(request)

        self._answer(rpc, unscoped)

    def _answer(self, rpc: Rpc[RequestT, ReplyT], handler: Callable[[RequestT, Msg], Awaitable[ReplyT]]) -> None:
        async def respond(message: Msg) -> tuple[bytes, dict[str, str] | None]:
            begin = time.perf_counter()
            try:
                reply = await handler(_read_request(rpc, message), message)
                body = self._sendable(reply.dump())
            except Exception as error:  # noqa: BLE001 - the caller gets an answer now, not a timeout
                failure = _failure_of(rpc, error)
                metrics.RPC_SECONDS.labels(rpc.verb, failure.code).observe(time.perf_counter() - begin)
                return failure.dump(), {FAILED: failure.code}
            metrics.RPC_SECONDS.labels(rpc.verb, "ok").observe(time.perf_counter() - begin)
            return body, None

        self._answering[rpc.schema] = Answering(subjects.rpc(rpc), rpc.owner, respond)

    def _sendable(self, body: bytes) -> bytes:
        """Raises ValueError for what the broker would not take: whoever asked would wait for it in vain."""
        if len(body) + HEADERS_ROOM > self.nc.max_payload:
            msg = f"an answer of {len(body)} bytes is more than a message holds"
            raise ValueError(msg)
        return body

    async def retire(self, rpc: Rpc[Any, Any]) -> None:
        """Answer this question no more, while the rest goes on: other replicas take it from now on."""
        answering = self._answering.pop(rpc.schema, None)
        if answering is not None:
            await answering.stop()

    # ---- saying and hearing -----------------------------------------------------------------------------------

    async def publish(self, subject: str, body: bytes, *, stream: str, headers: dict[str, str]) -> None:
        """Publish into a stream; returns after its PubAck.

        Raises:
            CapReached: the tenant's cap in this queue is reached.
            Refused: the broker does not take this message.
            Unavailable: the broker is away or did not acknowledge in time.
        """
        await self._publishing.publish(self.nc, subject, body, stream=stream, headers=headers)

    async def hint(self, verb: str, tenant_id: TenantId, key: UUID, body: Contract) -> None:
        """A control message that may be lost: also here, where the broker is away or does not take it."""
        with contextlib.suppress(nats.errors.Error, OSError):
            await self.nc.publish(subjects.control(verb, tenant_id, key), body.dump())

    async def listen(
        self,
        fact: Fact[Any],
        react: Callable[[Any, TenantScope], Awaitable[None]],
        *,
        of: Callable[[TenantId], bool] = lambda _tenant_id: True,
    ) -> Subscription:
        """Hear a fact live, on every replica; what is missed is missed. What is not `of` interest is not even read."""

        async def heard(message: Msg) -> None:
            try:
                scope = TenantScope.from_subject(message.subject, self.service)
                if of(scope.tenant_id):
                    await react(fact.model.read(message.data), scope)
            except Exception:  # noqa: BLE001 - a listener that fails must not end the subscription
                _log.exception("listener.failed", schema=fact.schema)

        return await self.nc.subscribe(subjects.fact_filter(fact), cb=heard)

    # ---- the connection's own voice ---------------------------------------------------------------------------

    async def _heard_error(self, error: Exception) -> None:
        kind = "permissions" if "permissions violation" in str(error).lower() else type(error).__name__
        metrics.BROKER_ERRORS.labels(kind).inc()
        self._publishing.heard(str(error))
        _log.warning("broker.error", kind=kind, error=str(error)[:200])

    async def _heard_reconnected(self) -> None:
        _log.info("broker.back")
        self._forget_flushes()
        for react in self._reconnected:
            await react()

    async def _heard_closed(self) -> None:
        if self._on_closed is not None:
            self._on_closed()


def _quiet_logger() -> logging.Logger:
    """FastStream tells of every message; what matters is only what it could not hand to us."""
    logger = logging.getLogger("faststream")
    logger.setLevel(logging.ERROR)
    return logger


async def whole_message(message: NatsMessage) -> NatsMessage:
    """FastStream's decoder seat: our handlers read bytes and headers themselves, so nothing may fail before them."""
    return message


def _read_request(rpc: Rpc[RequestT, ReplyT], message: Msg) -> RequestT:
    deadline = (message.headers or {}).get(DEADLINE, "")
    if deadline.isdigit() and int(deadline) < time.time() * 1000:
        raise DeadlineExceeded
    try:
        return rpc.request.read(message.data)
    except ValidationError as error:
        raise Unreadable(describe(error)) from error


def _scope_of(message: Msg) -> TenantScope:
    headers = message.headers or {}
    try:
        return TenantScope(TenantId(UUID(headers[TENANT])), headers.get(ACTOR, ""))
    except (KeyError, ValueError) as error:
        raise Unreadable("no tenant") from error


def _failure_of(rpc: Rpc[Any, Any], error: Exception) -> Failure:
    if isinstance(error, LumoraError):
        if not isinstance(error, Rejected):
            _log.warning("rpc.failed", verb=rpc.verb, code=error.code, detail=error.detail)
        return error.as_failure()
    _log.error("rpc.crashed", verb=rpc.verb, exc_info=error)
    return LumoraError().as_failure()


def describe(error: ValidationError) -> str:
    """What is wrong with the input, field by field, without repeating the input."""
    parts = [f"{'.'.join(str(step) for step in item['loc']) or 'body'}: {item['msg']}" for item in error.errors()[:5]]
    return "; ".join(parts)
