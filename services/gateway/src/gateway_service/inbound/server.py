"""The public HTTP server: uvicorn, told by the service when to begin and when to end."""

import asyncio

import uvicorn
from fastapi import FastAPI

from contracts.frames import FRAME_LIMIT_BYTES
from runtime.health import UnsignalledServer


class PublicServer:
    """Serves `app` between `start` and `stop`."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="websockets-sansio",
            ws_max_size=FRAME_LIMIT_BYTES,
            # Compression per message costs more CPU than the whole rest of a token's way.
            ws_per_message_deflate=False,
            server_header=False,
            timeout_graceful_shutdown=5,
            backlog=4096,
        )
        self._server = UnsignalledServer(config)
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when connections are accepted.

        Raises:
            RuntimeError: it ended at once, mostly because the port is taken.
        """
        self._serving = asyncio.create_task(self._serve())
        while not self._server.started:
            if self._serving.done():
                raise RuntimeError(f"the public port {self._server.config.port} cannot be served")
            await asyncio.sleep(0.01)

    async def _serve(self) -> None:
        try:
            await self._server.serve()
        except SystemExit:
            return  # uvicorn's word for a port that is taken; its own log line says so

    async def stop(self) -> None:
        """Refuse new connections, let running requests end, at most 5 s."""
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.wait({self._serving}, timeout=8)
