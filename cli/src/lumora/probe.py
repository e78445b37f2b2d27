"""Asks a process on loopback whether it is ready, without a client library."""

import asyncio
import contextlib

from lumora.ports import LOOPBACK

_ANSWER_WITHIN_S = 3.0


async def answers_ready(port: int, path: str = "/health/ready") -> bool:
    """Whether `GET path` on the port answers 200."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                request = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                return (await reader.readline()).split(b" ")[1:2] == [b"200"]
            finally:
                writer.close()
    return False
