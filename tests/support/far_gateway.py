"""A gateway of a test's own, whose line to the broker can be cut and mended while everybody else's holds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from tests.support.children import bound
from tests.support.platform import eventually
from tests.support.ports import free_ports
from tests.support.stage import Stage


class BrokerLine:
    """Carries connections to the broker, until it is cut; then it refuses them."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._is_cut = False
        self._ends: set[asyncio.StreamWriter] = set()

    @property
    def is_used(self) -> bool:
        return bool(self._ends)

    def cut(self) -> None:
        self._is_cut = True
        for end in self._ends:
            end.transport.abort()

    def mend(self) -> None:
        self._is_cut = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection(*self._target)
        ends = {writer, there_writer}
        self._ends |= ends
        try:
            await asyncio.gather(_pass_on(reader, there_writer), _pass_on(there_reader, writer))
        finally:
            self._ends -= ends
            for end in ends:
                end.close()


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    sink.close()


@asynccontextmanager
async def far_gateway(stage: Stage) -> AsyncIterator[tuple[BrokerLine, str]]:
    """The line, and where the gateway behind it listens."""
    address = urlsplit(stage.platform.nats_url)
    assert address.hostname
    assert address.port
    line, internal = BrokerLine(address.hostname, address.port), free_ports(2)
    server = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    there = f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    environment = {
        **stage.platform.env("gateway", internal),
        "GATEWAY_NATS_URL": there,
        "GATEWAY_PORT": str(internal + 1),
    }
    process = await asyncio.create_subprocess_exec(
        *bound("-m", "gateway_service"), env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await eventually(lambda: stage.is_ready(internal), timeout_s=40)
        yield line, f"http://127.0.0.1:{internal + 1}"
    finally:
        process.kill()
        await process.wait()
        server.close()
