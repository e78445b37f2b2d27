"""A door before Postgres that lets the server's last words through, and keeps back that the connection has ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class HeldGoodbye:
    """`url` leads through the door."""

    def __init__(self, url: str) -> None:
        self._far = urlsplit(url)
        self._released = asyncio.Event()
        self.url = ""
        self.ended = asyncio.Event()
        """The server has closed a connection, and all that it said before is on its way to the client."""

    def listens_on(self, port: int) -> None:
        at = self._far.netloc.rpartition("@")[0]
        self.url = urlunsplit(self._far._replace(netloc=f"{at}@127.0.0.1:{port}"))

    def release(self) -> None:
        """From now on ends are told, those that were kept back too."""
        self._released.set()

    async def meet(self, near: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        """One connection of a client, to its end."""
        far, ask = await asyncio.open_connection(self._far.hostname, self._far.port)
        asking = asyncio.create_task(_carry(near, ask))
        await _carry(far, answer)
        self.ended.set()
        await self._released.wait()
        asking.cancel()
        for writer in (answer, ask):
            writer.close()


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()


@asynccontextmanager
async def held_goodbye(url: str) -> AsyncIterator[HeldGoodbye]:
    """A door before the server of this URL; release it before you close what goes through it."""
    door = HeldGoodbye(url)
    server = await asyncio.start_server(door.meet, "127.0.0.1", 0)
    door.listens_on(server.sockets[0].getsockname()[1])
    try:
        yield door
    finally:
        door.release()
        server.close()
