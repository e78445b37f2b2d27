"""How a service starts, drains and stops: the order is the same in every house.

Start: health port (alive, not ready), broker, what `app.build` registered, loops, ready. SIGTERM: readiness 503, take
nothing new, let running work end (at most `drain_s`), flush the outbox, drain the connection, close the pools, exit 0.
A second SIGTERM exits at once.
"""

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import uvloop

from runtime import logs, tracing
from runtime.bus import Bus
from runtime.consume import Consumption
from runtime.ending import end_all
from runtime.errors import Unavailable
from runtime.fact_batches import FactBatches
from runtime.health import Health, UnsignalledServer, internal_server
from runtime.settings import DatabaseSettings, ServiceSettings

if TYPE_CHECKING:
    from runtime.db import Database
    from runtime.outbox import OutboxRelay

Step = Callable[[], Awaitable[None]]
SETTLE_S = 2.0
"""Between "not ready" and the first refusal: load balancers need a moment to look away."""

WATCH_BROKER_S = 5.0

_log = logs.get_logger()


class Service:
    """What a process is made of. `app.build` fills it; `run` gives it life."""

    def __init__(self, name: str, settings: ServiceSettings) -> None:
        self.name = name
        self.settings = settings
        self.health = Health()
        self.bus = Bus(name, settings.nats_url, settings.nats_seed.get_secret_value(), on_closed=self._lost_for_good)
        self._starts: list[Step] = []
        self._drains: list[Step] = []
        self._stops: list[Step] = []
        self._loops: list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._ended = asyncio.Event()
        self._exit_code = 0
        self.health.critical("nats", self.bus.check)
        self.health.alive("nats", self._has_broker)
        self.loop("broker", self._watch_broker)

    # ---- what app.build says ----------------------------------------------------------------------------------

    def on_start(self, step: Step) -> None:
        """After the broker is connected, before anything is heard."""
        self._starts.append(step)

    def on_drain(self, step: Step) -> None:
        """When no new work may come in: returns when the running work has ended. All drains run at the same time."""
        self._drains.append(step)

    def on_stop(self, step: Step) -> None:
        """Let go of a resource; the last one taken goes first."""
        self._stops.append(step)

    def loop(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A background task for the life of the service; one that dies is logged and started again."""
        self._loops.append((name, run))

    def consume(self, consumption: Consumption | FactBatches) -> None:
        """Heard from start to drain, looked after in between."""
        self.on_drain(consumption.stop)
        self.loop("watch", consumption.watch)

    def database(self, settings: DatabaseSettings) -> "tuple[Database, OutboxRelay]":
        """The service's own schema, with its outbox relay."""
        from runtime.db import Database  # noqa: PLC0415 - gateway and operator have no driver for a database
        from runtime.outbox import OutboxRelay  # noqa: PLC0415 - the same

        database = Database(settings.database_url.get_secret_value(), pool_size=settings.pool_size)
        relay = OutboxRelay(settings.relay_url.get_secret_value(), self.bus)
        database.after_commit(relay.hand_over)
        self.health.critical("postgres", database.check)
        self.on_start(relay.open)
        self.on_start(lambda: _until_there(database.refuse_privileges))
        self.loop("outbox", relay.run)
        self.loop("pool", database.rest)
        self.on_stop(database.close)
        self.on_stop(relay.close)
        return database, relay

    # ---- life -------------------------------------------------------------------------------------------------

    async def run(self) -> int:
        """Live until a signal or a part that is lost for good; returns the exit code."""
        self._listen_to_signals()
        server = internal_server(self.health, self.settings.internal_host, self.settings.internal_port)
        serving = asyncio.create_task(_serve(server))
        ending = asyncio.create_task(self._ended.wait())
        starting = asyncio.create_task(self._start())
        await asyncio.wait({starting, ending, serving}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done() and not self._ended.is_set() and not serving.done():
            starting.result()
            await asyncio.wait({ending, serving}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done() and not self._ended.is_set():
            self._exit_code = 1
        starting.cancel()
        ending.cancel()
        await self._stop()
        server.should_exit = True
        await asyncio.wait({serving}, timeout=2)
        return self._exit_code

    async def _start(self) -> None:
        await self.bus.connect()
        for step in self._starts:
            await step()
        await self.bus.start()
        self._tasks = [asyncio.create_task(_for_ever(name, run), name=name) for name, run in self._loops]
        _keep_what_is_there()
        self.health.is_started = True
        _log.info("service.ready", internal_port=self.settings.internal_port)

    async def _stop(self) -> None:
        if self.health.is_started:
            self.health.is_draining = True
            _log.info("service.draining")
            if self._exit_code == 0:
                await asyncio.sleep(SETTLE_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.settings.drain_s):
                    await asyncio.gather(*(_quietly(step) for step in self._drains))
        await end_all(self._tasks)
        for step in reversed(self._stops):
            await _quietly(step)
        if self.bus.is_connected:
            await _quietly(self.bus.stop)
        _log.info("service.stopped", exit_code=self._exit_code)

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._heard_signal)

    def _heard_signal(self) -> None:
        if self._ended.is_set():
            os._exit(1)
        self._ended.set()

    def _has_broker(self) -> bool:
        return not self.health.is_started or not (self.bus.nc.is_closed or self.bus.is_deaf)

    async def _watch_broker(self) -> None:
        """A connection that hears nothing any more looks as good as any other, and is as lost as a closed one."""
        while True:
            await asyncio.sleep(WATCH_BROKER_S)
            if self.bus.is_deaf:
                self._lost_for_good()

    def _lost_for_good(self) -> None:
        """The connection is closed and will not come back: only a new process helps."""
        if not self._ended.is_set():
            _log.error("broker.lost")
            self._exit_code = 1
            self._ended.set()


def main(name: str, build: Callable[[], Awaitable[Service]]) -> None:
    """The body of every `__main__`: configure, build, run, exit."""
    logs.configure(name, os.environ.get(f"{name.upper()}_LOG_LEVEL", "INFO"))
    tracing.configure(name)

    async def live() -> int:
        service = await build()
        return await service.run()

    sys.exit(uvloop.run(live()))


def _keep_what_is_there() -> None:
    """What a start has made stays: a collection that looks at it too stands still for a third of a second."""
    gc.collect()
    gc.freeze()


async def _serve(server: UnsignalledServer) -> None:
    try:
        await server.serve()
    except SystemExit:
        # uvicorn's way to say that the port is taken; its own log line names it.
        _log.error("health.port_taken", port=server.config.port)


async def _for_ever(name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    while True:
        try:
            await run()
        except Exception:  # noqa: BLE001 - a loop that fails is started again, and said so
            _log.exception("loop.failed", loop=name)
        await asyncio.sleep(1)


async def _quietly(step: Step) -> None:
    try:
        await step()
    except Exception:  # noqa: BLE001 - the other parts are still to be let go
        _log.exception("stop.failed")


async def _until_there(step: Step) -> None:
    """Services and database may start in any order."""
    while True:
        try:
            await step()
        except Unavailable:
            _log.warning("database.away")
            await asyncio.sleep(0.5)
        else:
            return
