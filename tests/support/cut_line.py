"""A line to a server that can be cut in the one moment that nobody can tell from outside: done, and not yet heard."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class CutLine:
    """Carries connections to a server; after `arm` the next answers are swallowed and their connection closed."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._armed = 0
        self._carrying: set[asyncio.Task[None]] = set()

    def arm(self, cuts: int = 1) -> None:
        self._armed = cuts

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._target)
        asking = asyncio.create_task(self._pass_on(reader, there_writer, is_answer=False))
        self._carrying.add(asking)
        try:
            await self._pass_on(there_reader, writer, is_answer=True)
        finally:
            asking.cancel()
            self._carrying.discard(asking)
            for end in (writer, there_writer):
                end.close()

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_answer: bool) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                if is_answer and self._armed:
                    self._armed -= 1
                    return
                sink.write(data)
                await sink.drain()
        if not is_answer:
            sink.close()


@asynccontextmanager
async def cut_line(url: str) -> AsyncIterator[tuple[CutLine, str]]:
    """A line to the Postgres of this address, and the address through it."""
    head, _, rest = url.rpartition("@")
    address, _, path = rest.partition("/")
    host, _, port = address.partition(":")
    line = CutLine(host, int(port))
    server = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    try:
        yield line, f"{head}@127.0.0.1:{server.sockets[0].getsockname()[1]}/{path}"
    finally:
        server.close()
