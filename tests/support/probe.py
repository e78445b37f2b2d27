"""What the runtime's own tests stand on: a schema of their own, a service's NATS user, and a look into the streams."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import psutil
from nats.aio.client import Client
from nats.js.api import ConsumerInfo, RawStreamMsg, StreamConfig
from nats.js.errors import NotFoundError
from prometheus_client import REGISTRY

from contracts import subjects
from contracts.channel import Work
from contracts.ids import EventId, MessageId, TenantId, uuid7
from contracts.inference import ANSWER, AnswerTurn
from contracts.streams import Retry
from contracts.streams import consumer as find_consumer
from runtime.bus import EVENT_ID, MESSAGE_ID, SCHEMA, Bus
from runtime.consume import Consumption, GiveUp
from runtime.provision_postgres import LOGIN_ROLES, Schema, is_current, make_roles, migrate
from runtime.tenancy import TenantScope
from tests.support.platform import Platform

MIGRATIONS = Path(__file__).parent / "probe_migrations"
QUICK = Retry(ack_wait_s=10, heartbeat_s=2.5, delays_s=(0.2, 0.4), max_deliver=5)
"""Delays short enough for a test; what the server holds of the durable stays as declared."""


@dataclass(frozen=True)
class Probe:
    """Addresses of the platform under test, as one service would have them."""

    nats_url: str
    nats_seed: str
    """Of the user `inference`, who owns the queue ANSWER and three facts."""
    app_url: str
    relay_url: str
    owner_url: str
    admin_url: str

    def bus(self) -> Bus:
        return Bus("inference", self.nats_url, self.nats_seed)


async def make_probe(platform: Platform) -> Probe:
    """Roles, schema and tables `probe` on the platform's Postgres."""
    admin_url = platform.postgres_url("lumora")
    passwords = {f"probe_{kind}": uuid7().hex for kind in LOGIN_ROLES}
    await make_roles(admin_url, "probe", passwords)
    host = admin_url.split("@", 1)[1]
    app, relay, owner = (f"postgresql://probe_{kind}:{passwords[f'probe_{kind}']}@{host}" for kind in _ORDER)
    schema = Schema("probe", MIGRATIONS)
    if not await is_current(owner, schema):
        await asyncio.to_thread(migrate, owner, schema)
    return Probe(platform.nats_url, platform.seed("inference"), app, relay, owner, admin_url)


_ORDER = ("app", "relay", "owner")


def new_scope() -> TenantScope:
    return TenantScope(TenantId(uuid7()), "service:test")


@asynccontextmanager
async def on_bus(probe: Probe, prepare: Callable[[Bus], Any] | None = None) -> AsyncIterator[Bus]:
    """A connected bus; `prepare` registers handlers before it starts to hear."""
    bus = probe.bus()
    await bus.connect()
    if prepare is not None:
        prepare(bus)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


@dataclass
class Delivery:
    """One call of a handler."""

    at_s: float
    event_id: EventId
    message_id: MessageId


Behave = Callable[[int], Awaitable[None]]


class Worker:
    """Consumes ANSWER as the inference service does; the test says what its tenant's n-th delivery does."""

    def __init__(
        self, scope: TenantScope, behave: Behave, *, retry: Retry = QUICK, slots: int = 1, give_up: GiveUp | None = None
    ) -> None:
        self.scope = scope
        self.deliveries: list[Delivery] = []
        self._behave = behave
        self._retry, self._slots, self._give_up = retry, slots, give_up

    def __call__(self, bus: Bus) -> None:
        declared = replace(find_consumer(ANSWER.stream, ANSWER.queue), retry=self._retry)
        self.consumption = Consumption(bus, declared, slots=self._slots, give_up=self._give_up)
        self.consumption.on(subjects.job_prefix(ANSWER), AnswerTurn, self._on_job)

    async def _on_job(self, job: AnswerTurn, scope: TenantScope, event_id: EventId) -> None:
        if scope.tenant_id != self.scope.tenant_id:
            return  # left over from another test
        now_s = asyncio.get_running_loop().time()
        self.deliveries.append(Delivery(now_s, event_id, job.message_id))
        await self._behave(len(self.deliveries))


async def send(
    bus: Bus,
    scope: TenantScope,
    body: bytes | None = None,
    *,
    work: Work[Any] = ANSWER,
    event_id: UUID | None = None,
    message_id: str | None = None,
    without: str = "",
) -> EventId:
    """Put a job into its queue; returns its event id. `without` names a header to leave out."""
    sent = EventId(event_id or uuid7())
    headers = {EVENT_ID: str(sent), MESSAGE_ID: message_id or str(sent), SCHEMA: work.schema}
    headers.pop(without, None)
    content = AnswerTurn(message_id=MessageId(uuid7())).dump() if body is None else body
    await bus.publish(subjects.job(work, scope.tenant_id), content, stream=work.stream, headers=headers)
    return sent


class Streams:
    """Looks into the streams as the provisioner."""

    def __init__(self, nc: Client) -> None:
        self._js = nc.jetstream(timeout=3)

    async def last_seq(self, stream: str) -> int:
        return int((await self._js.stream_info(stream)).state.last_seq)

    async def messages(self, stream: str, subject: str = ">", after: int = 0) -> list[RawStreamMsg]:
        """What the stream holds of `subject` behind a sequence."""
        found: list[RawStreamMsg] = []
        while True:
            try:
                message = await self._js.get_msg(stream, seq=after + 1, subject=subject, next=True)
            except NotFoundError:
                return found
            found.append(message)
            after = message.seq or after + 1

    async def letters(self, scope: TenantScope, *, work: Work[Any] = ANSWER) -> list[RawStreamMsg]:
        """The dead letters of one tenant's jobs."""
        dead = await self.messages("DLQ", subjects.dead_letter(work.stream, work.queue))
        wanted = subjects.job(work, scope.tenant_id)
        return [letter for letter in dead if (letter.headers or {}).get("Dlq-Subject") == wanted]

    async def waiting(self, scope: TenantScope, *, work: Work[Any] = ANSWER) -> int:
        """How many jobs of one tenant the queue holds, delivered or not."""
        return len(await self.messages(work.stream, subjects.job(work, scope.tenant_id)))

    async def empty(self, scope: TenantScope, *, work: Work[Any] = ANSWER) -> None:
        """Take all jobs of one tenant out of the queue."""
        await self._js.purge_stream(work.stream, subject=subjects.job(work, scope.tenant_id))

    async def delete_consumer(self, stream: str, name: str) -> None:
        await self._js.delete_consumer(stream, name)

    async def consumer(self, stream: str, name: str) -> ConsumerInfo:
        info: ConsumerInfo = await self._js.consumer_info(stream, name)
        return info

    async def has_consumer(self, stream: str, name: str) -> bool:
        try:
            await self._js.consumer_info(stream, name)
        except NotFoundError:
            return False
        return True

    async def delete_stream(self, stream: str) -> None:
        await self._js.delete_stream(stream)

    async def has_stream(self, stream: str) -> bool:
        try:
            await self._js.stream_info(stream)
        except NotFoundError:
            return False
        return True

    async def config(self, stream: str) -> StreamConfig:
        return (await self._js.stream_info(stream)).config

    async def set_ack_wait(self, stream: str, name: str, ack_wait_s: float) -> None:
        """As the provisioner would."""
        found = (await self._js.consumer_info(stream, name)).config
        found.ack_wait = ack_wait_s
        await self._js.add_consumer(stream, found)


@contextmanager
def frozen(platform: Platform, service: str) -> Iterator[None]:
    """Its processes stand still: they answer nothing, and their connections stay open."""
    held = platform.processes(service)
    assert held, f"no process of {service}"
    for process in held:
        with suppress(psutil.NoSuchProcess):  # a helper of it that has ended
            process.suspend()
    try:
        yield
    finally:
        for process in held:
            with suppress(psutil.NoSuchProcess):  # somebody killed it meanwhile
                process.resume()


def metric(name: str, **labels: str) -> float:
    """The value of a counter or gauge of this process."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def connection(url: str) -> AsyncIterator["asyncpg.Connection"]:
    opened = await asyncpg.connect(url)
    try:
        yield opened
    finally:
        await opened.close()


async def let_die(probe: Probe, mode: str, scope: TenantScope, **more: str) -> None:
    """Run tests.support.dying until it has killed itself in the named place."""
    given = json.dumps({**asdict(probe), "mode": mode, "tenant_id": str(scope.tenant_id), **more})
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.dying", env={**os.environ, "PROBE": given}
    )
    async with asyncio.timeout(20):
        assert await child.wait() == -signal.SIGKILL, f"it did not die of itself in {mode}"
