"""The public HTTP server: uvicorn, told by the service when to begin and when to end."""

import asyncio
import socket

import uvicorn
from fastapi import FastAPI

from contracts.frames import FRAME_LIMIT_BYTES
from runtime.health import UnsignalledServer

BACKLOG = 4_096
SEND_BUFFER = 128 << 10
"""Bytes in the kernel for each connection; left to itself it grows to 4 MiB, four times what may be left unread."""


class PublicServer:
    """Serves `app` between `start` and `stop`."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="websockets-sansio",
            ws_max_size=FRAME_LIMIT_BYTES,
            # Compression per message costs more CPU than the whole rest of a token's way.
            ws_per_message_deflate=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        self._address = (host, port)
        self._server = UnsignalledServer(config)
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when connections are accepted.

        Raises:
            RuntimeError: it ended at once, mostly because the port is taken.
        """
        host, port = self._address
        try:
            listening = _listen(host, port)
        except OSError as error:
            raise RuntimeError(f"the public port {port} cannot be served") from error
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started:
            if self._serving.done():
                raise RuntimeError(f"the public port {port} cannot be served")
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Refuse new connections, let running requests end, at most 5 s."""
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.wait({self._serving}, timeout=8)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket whose connections hide little of what a client leaves unread."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    return listening
