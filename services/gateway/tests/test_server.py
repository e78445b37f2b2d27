import asyncio
import socket

import httpx
import pytest
from fastapi import FastAPI

from gateway_service.inbound.server import SEND_BUFFER, PublicServer
from tests.support.ports import free_ports


async def test_what_is_not_read_is_not_hidden_in_the_kernel():
    port = free_ports(1)
    server = PublicServer(FastAPI(), "127.0.0.1", port)
    await server.start()
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/")).status_code == 404
        (listening,) = server._server.servers[0].sockets
        # Linux doubles it for its own bookkeeping; every accepted connection inherits it.
        assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * SEND_BUFFER
    finally:
        await server.stop()
    assert await asyncio.to_thread(_is_free, port)


async def test_a_taken_port_is_said_so():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RuntimeError, match=str(port)):
            await PublicServer(FastAPI(), "127.0.0.1", port).start()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
