"""Uploads give way to questions: who sends documents waits for no answer, and a customer does."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from contracts.ids import TenantId
from runtime.clock import Clock

AT_ONCE: Final = 2
"""Of one business in a process: what more of them would have to wait for is the same loops and the same database."""
FIRST_TOKEN_S: Final = 0.04
"""In which most questions have been accepted, searched for and passed to a model."""


class UploadTurns:
    """When a file that is stored may be registered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked_s = float("-inf")
        self._businesses: dict[TenantId, asyncio.Semaphore] = {}
        self._waiting: Counter[TenantId] = Counter()

    def asked(self) -> None:
        """A question came in."""
        self._asked_s = self._clock.monotonic_s()

    @asynccontextmanager
    async def one(self, tenant_id: TenantId) -> AsyncIterator[None]:
        """Wait for a turn of the business, and then until the last question is out of the way.

        It waits for that once, however many are asked meanwhile: questions slow uploads down and never stop them.
        """
        turns = self._businesses.setdefault(tenant_id, asyncio.Semaphore(AT_ONCE))
        self._waiting[tenant_id] += 1
        try:
            async with turns:
                left_s = self._asked_s + FIRST_TOKEN_S - self._clock.monotonic_s()
                if left_s > 0:
                    await asyncio.sleep(left_s)
                yield
        finally:
            self._waiting[tenant_id] -= 1
            if not self._waiting[tenant_id]:
                del self._waiting[tenant_id], self._businesses[tenant_id]
