"""Raw tokens: one plain NATS subscription for all the streams of this replica. This is the hot path."""

import asyncio
from typing import Any

import nats.errors
import orjson
from nats.aio.msg import Msg

from contracts import subjects
from filter_service.domain.open_streams import OpenStreams
from filter_service.domain.ports import Observer, Screens
from runtime import logs
from runtime.bus import Bus

BEAT_S = 0.25
# nats-py drops what waits beyond its own limits; a burst of replays may be long.
PENDING_BYTES = 256 << 20

_log = logs.get_logger()


class RawTokens:
    """Hears `raw.<instance>.*`.

    Args:
        instance: this process's own id, made at its start: nobody can send to a replica that is gone.
    """

    def __init__(self, bus: Bus, instance: str, *, streams: OpenStreams, screens: Screens, observer: Observer) -> None:
        self._bus = bus
        self._instance = instance
        self._streams = streams
        self._screens = screens
        self._observer = observer

    async def subscribe(self) -> None:
        """Begin to hear."""
        await self._bus.nc.subscribe(
            subjects.raw_filter(self._instance), cb=self._heard, pending_msgs_limit=0, pending_bytes_limit=PENDING_BYTES
        )
        self._bus.on_reconnect(self._forget)

    async def beat(self) -> None:
        """Look after the streams. Runs until cancelled."""
        while True:
            self._streams.beat()
            await asyncio.sleep(BEAT_S)

    async def confirm(self) -> None:
        """Say receipts when they are due. Runs until cancelled."""
        while True:
            try:
                await self._screens.confirm()
            except (nats.errors.Error, OSError) as error:
                _log.warning("receipts.unsent", error=type(error).__name__)

    async def drain(self, timeout_s: float) -> None:
        """Let the streams that are fed end; the ones that do not are replayed elsewhere."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        # Looked at again and again: that a stream fell silent is no event.
        while self._streams.count_lively() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
        await self._screens.confirm()
        _log.info("streams.drained", left=len(self._streams))

    async def _heard(self, message: Msg) -> None:
        """A batch, whose parts name their answers, or a raw message alone, whose subject does."""
        message_id = message.subject.rpartition(".")[2]
        try:
            raw = orjson.loads(message.data)
            if raw["type"] != "batch":
                raw = {"parts": [{**raw, "message_id": message_id}]}
            for part in raw["parts"]:
                self._read(part["message_id"], part)
        except (orjson.JSONDecodeError, LookupError, TypeError) as error:
            self._refuse(message_id, error)
        await self._screens.show(message.reply)

    def _read(self, message_id: str, raw: dict[str, Any]) -> None:
        try:
            self._hand_on(message_id, raw)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one part ends one stream, not the others
            self._refuse(message_id, error)

    def _refuse(self, message_id: str, error: Exception) -> None:
        self._observer.ignored("unreadable")
        self._streams.drop(message_id, "failed")
        _log.warning("raw.refused", error=type(error).__name__)

    def _hand_on(self, message_id: str, raw: dict[str, Any]) -> None:
        kind = raw["type"]
        if kind == "tokens":
            self._streams.tokens(message_id, raw["attempt"], raw["first"], raw["texts"])
        elif kind == "start":
            self._streams.start(message_id, raw["attempt"], raw["model"], raw["sources"])
        elif kind == "end":
            self._streams.end(message_id, raw["attempt"], raw["count"], raw["finish_reason"])
        else:
            # A newer worker may say more than we know.
            self._observer.ignored("unknown_type")

    async def _forget(self) -> None:
        """What was said while the connection broke may be lost on either side: workers notice and replay."""
        self._streams.drop_all("reconnected")
