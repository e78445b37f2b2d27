"""How many calls one model may hold at a time, so that a slow one does not take every worker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from inference_service.domain.errors import ModelOverloaded


class BulkheadFull(ModelOverloaded):
    """No place became free in time; the provider was not asked."""


class Bulkhead:
    """Places of one model at one provider.

    Args:
        places: calls at a time.
        wait_s: how long a call waits for a place, in seconds.
    """

    def __init__(self, places: int, wait_s: float) -> None:
        self._free = asyncio.Semaphore(places)
        self._wait_s = wait_s
        self.taken = 0
        """Calls that hold a place or wait for one."""

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place. Raises BulkheadFull."""
        self.taken += 1
        try:
            await self._enter()
            try:
                yield
            finally:
                self._free.release()
        finally:
            self.taken -= 1

    async def _enter(self) -> None:
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError:
            raise BulkheadFull("as many answers as this model may have are running") from None
