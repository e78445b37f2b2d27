"""The sockets that are open here: one sender each, a bounded queue, and an end for clients that do not read."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from prometheus_client import Counter, Gauge

from contracts.frames import CLOSE_NOT_AUTHENTICATED, CLOSE_RESTART, CLOSE_SLOW
from contracts.ids import TenantId
from gateway_service.domain.chat_ports import Client
from gateway_service.domain.principal import Principal
from gateway_service.outbound.token_frames import merge

QUEUE_FRAMES = 256
QUEUE_BYTES = 1 << 20
CLOSE_GRACE_S = 5.0
DRAIN_IDLE_S, DRAIN_BUSY_S = 5.0, 30.0
GOODBYE_S, GOODBYE_ROUNDS = 2.0, 40

OPEN_SOCKETS = Gauge("gateway_open_sockets", "WebSockets that are open.")
SLOW_SOCKETS = Counter("gateway_slow_sockets_total", "WebSockets closed because their client did not read.")
MERGED_FRAMES = Counter("gateway_merged_frames_total", "Token frames joined to others for slow clients.")

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Socket:
    """The sending half of one WebSocket. `push` never waits; a slow client costs its own tokens' granularity only."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._queue: deque[tuple[bytes, str]] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._close_code: int | None = None
        self._sending: asyncio.Task[None] | None = None
        self.is_closed = False
        self.following = 0
        """Answers that are still running for this socket."""

    def push(self, frame: bytes, answer: str = "") -> None:
        """Queue a frame. `answer` names the answer and attempt of a token frame, whose neighbours may be merged."""
        if self.is_closed or self._close_code is not None:
            return
        self._queue.append((frame, answer))
        self._bytes += len(frame)
        if len(self._queue) > QUEUE_FRAMES:
            self._merge()
        if self._bytes > QUEUE_BYTES:
            SLOW_SOCKETS.inc()
            self._queue.clear()
            self._bytes = 0
            self.close(CLOSE_SLOW)
            return
        self._wake.set()

    def close(self, code: int) -> None:
        """Close after what is queued; a client that does not even read that is given up after 5 s."""
        if self._close_code is None:
            self._close_code = code
            self._wake.set()
            asyncio.get_running_loop().call_later(CLOSE_GRACE_S, self._give_up)

    def _give_up(self) -> None:
        if not self.is_closed and self._sending is not None:
            self._sending.cancel()

    async def run(self) -> None:
        """Send what is queued until the socket is closed."""
        self._sending = asyncio.current_task()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    frame, _ = self._queue.popleft()
                    self._bytes -= len(frame)
                    await self._send({"type": "websocket.send", "text": frame.decode()})
                if self._close_code is not None:
                    await self._send({"type": "websocket.close", "code": self._close_code})
                    return
        except (OSError, RuntimeError):
            return  # the client is gone, which the receiving half hears too
        finally:
            self.is_closed = True

    def _merge(self) -> None:
        """Join neighbouring token frames of the same answer and attempt."""
        merged: deque[tuple[bytes, str]] = deque()
        run: list[bytes] = []
        run_of = ""

        def flush() -> None:
            if run:
                merged.append((merge(run) if len(run) > 1 else run[0], run_of))
                MERGED_FRAMES.inc(len(run) - 1)

        for frame, answer in self._queue:
            if answer and answer == run_of:
                run.append(frame)
                continue
            flush()
            run, run_of = ([frame], answer) if answer else ([], "")
            if not answer:
                merged.append((frame, ""))
        flush()
        self._queue = merged
        self._bytes = sum(len(frame) for frame, _ in merged)


class Sockets:
    """All of this replica's, to count and to drain."""

    def __init__(self) -> None:
        self._open: set[Client] = set()
        self._people: defaultdict[TenantId, set[Client]] = defaultdict(set)
        self._principals: dict[Client, Principal] = {}
        self.is_draining = False

    def open(self, send: Send) -> Socket:
        socket = Socket(send)
        self._open.add(socket)
        OPEN_SOCKETS.inc()
        return socket

    def admit(self, client: Client, principal: Principal) -> None:
        self._principals[client] = principal
        if principal.kind == "user" and principal.may("documents.read"):
            self._people[principal.tenant_id].add(client)

    def tell_people(self, tenant_id: TenantId, frame: bytes) -> None:
        for client in self._people.get(tenant_id, ()):
            client.push(frame)

    def people_of(self, tenant_id: TenantId) -> frozenset[Client]:
        return frozenset(self._people.get(tenant_id, ()))

    def end(self, credential_id: UUID) -> None:
        for client, principal in self._principals.items():
            if principal.credential_id == credential_id:
                client.close(CLOSE_NOT_AUTHENTICATED)

    def people(self) -> list[Principal]:
        return list({each.session_id: each for each in self._principals.values() if each.kind == "user"}.values())

    def remove(self, client: Client) -> None:
        self._principals.pop(client, None)
        for tenant_id in [tenant_id for tenant_id, people in self._people.items() if client in people]:
            self._people[tenant_id].discard(client)
            if not self._people[tenant_id]:
                del self._people[tenant_id]
        self._open.discard(client)
        OPEN_SOCKETS.dec()

    def __len__(self) -> int:
        return len(self._open)

    async def drain(self) -> None:
        """Close idle sockets spread over 5 s, so that they do not all come back at once; busy ones when they are done.

        A socket with a running answer is kept until that ends, at most 30 s. All are told 1012: resume elsewhere.
        """
        self.is_draining = True
        clock = asyncio.get_running_loop().time
        begin = clock()
        idle = [socket for socket in self._open if not socket.following]
        pause_s = DRAIN_IDLE_S / len(idle) if idle else 0.0
        for number, socket in enumerate(idle):
            socket.close(CLOSE_RESTART)
            if number % 10 == 0:
                await asyncio.sleep(min(pause_s * 10, 0.5))
        while self._open and clock() - begin < DRAIN_BUSY_S:
            for socket in self._open:
                if not socket.following:
                    socket.close(CLOSE_RESTART)
            await asyncio.sleep(0.05)
        for socket in self._open:
            socket.close(CLOSE_RESTART)
        for _ in range(GOODBYE_ROUNDS):
            if not self._open:
                return
            await asyncio.sleep(GOODBYE_S / GOODBYE_ROUNDS)
