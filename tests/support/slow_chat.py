"""A client of the WebSocket that reads one byte a second: the kernel holds almost nothing for it either."""

import asyncio
import json
import socket
from typing import Any
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

RECEIVE_BUFFER = 2_048
SEGMENT = 1_000
PAUSE_S = 1.0


class SlowChat:
    """One such socket; `frames` are what it has read of whole frames."""

    def __init__(self, url: str, token: str) -> None:
        self._address = urlsplit(url)
        self._token = token
        self._protocol = ClientProtocol(
            parse_uri("ws" + url.removeprefix("http") + "/api/chat"),
            subprotocols=[Subprotocol("lumora.v1")],
            max_size=None,
        )
        self._socket = socket.socket()
        self._crawling: asyncio.Task[None] | None = None
        self.frames: list[dict[str, Any]] = []

    @property
    def close_code(self) -> int | None:
        return self._protocol.close_code

    async def open(self) -> "SlowChat":
        """Connect, say hello and be welcomed; from then on it crawls."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        # The kernel's buffer for a sender grows with the segment, which is 64 kB on loopback and about 1 kB elsewhere.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
        self._socket.setblocking(False)
        await asyncio.get_running_loop().sock_connect(self._socket, (self._address.hostname, self._address.port))
        self._protocol.send_request(self._protocol.connect())
        await self._flush()
        await self._read_until(lambda events: any(isinstance(event, Response) for event in events))
        await self.send({"type": "hello", "token": self._token})
        await self._read_until(lambda _events: any(frame["type"] == "welcome" for frame in self.frames))
        self._crawling = asyncio.create_task(self._crawl())
        return self

    async def send(self, frame: dict[str, Any]) -> None:
        self._protocol.send_text(json.dumps(frame).encode())
        await self._flush()

    async def wake(self) -> None:
        """Read all there is, as fast as it comes, until the gateway has closed."""
        await self._stop_crawling()
        while await self._read(1 << 16):
            pass

    async def close(self) -> None:
        await self._stop_crawling()
        self._socket.close()

    async def _stop_crawling(self) -> None:
        if self._crawling is not None:
            self._crawling.cancel()
            await asyncio.gather(self._crawling, return_exceptions=True)
            self._crawling = None

    async def _crawl(self) -> None:
        while True:
            if not await self._read(1):
                return
            await asyncio.sleep(PAUSE_S)

    async def _read_until(self, is_enough: Any) -> None:
        events: list[Any] = []
        while not is_enough(events):
            data = await asyncio.get_running_loop().sock_recv(self._socket, 256)
            assert data, "closed before anything was said"
            events += self._take(data)

    async def _read(self, size: int) -> bool:
        try:
            data = await asyncio.get_running_loop().sock_recv(self._socket, size)
        except ConnectionError:
            data = b""
        self._take(data)
        return bool(data)

    def _take(self, data: bytes) -> list[Any]:
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        events = self._protocol.events_received()
        for event in events:
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self.frames.append(json.loads(bytes(event.data)))
        return events

    async def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                await asyncio.get_running_loop().sock_sendall(self._socket, data)
