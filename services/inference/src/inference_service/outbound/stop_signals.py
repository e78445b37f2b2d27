"""Stops that reach a running worker at once, as hints; the marked turn row is what counts."""

import asyncio
from uuid import UUID

from nats.aio.msg import Msg

from contracts import subjects
from contracts.ids import MessageId
from runtime.bus import Bus

VERB = "stop"


class ControlStops:
    """Implements `StopSignals`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._running: dict[UUID, asyncio.Event] = {}

    async def start(self) -> None:
        await self._bus.nc.subscribe(subjects.control_filter(VERB), cb=self._on_stop)

    def watch(self, message_id: MessageId) -> asyncio.Event:
        return self._running.setdefault(message_id, asyncio.Event())

    def forget(self, message_id: MessageId) -> None:
        self._running.pop(message_id, None)

    async def _on_stop(self, message: Msg) -> None:
        event = self._running.get(UUID(message.subject.rsplit(".", 1)[1]))
        if event is not None:
            event.set()
