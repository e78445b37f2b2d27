"""How many documents are read and embedded at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ingest_service.domain.places import SOONEST_S, NoPlace


class Slots:
    """At most `most` are at work in this process; the others wait, but not for a process that ends."""

    def __init__(self, most: int) -> None:
        self._free = asyncio.Semaphore(most)
        self._leaves = False

    async def leave(self) -> None:
        """Whoever waits is sent away: hundreds may, and the service would take them all up before it ends."""
        self._leaves = True

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait for a slot. Raises NoPlace: the process ends, another one will read the document."""
        async with self._free:
            if self._leaves:
                raise NoPlace(SOONEST_S)
            yield
