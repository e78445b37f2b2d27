"""Pages whose time has come are looked at again, each site at its own pace: one that hangs keeps no other waiting."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from contracts.ids import DocumentId
from ingest_service.domain.fetch_page import Fetching
from ingest_service.domain.web_page import DuePages, VisitorLeaves
from runtime.errors import Rejected, Retryable
from runtime.tenancy import TenantScope

SITES_AT_ONCE: Final = 32
MOST_TAKEN: Final = 100
"""Pages that are looked at or wait for their site's turn; when the process ends, they come again in an hour."""
Page = tuple[TenantScope, DocumentId]
Tell = Callable[[str], None]
"""Told how a look ended: `changed`, `unchanged`, or a code of why there was none."""


class Looks:
    """What this process looks at. `wait` is told the code of what keeps it from asking for pages."""

    def __init__(self, due: DuePages, fetching: Fetching, *, round_s: float, tell: Tell, wait: Tell) -> None:
        self._due, self._fetching, self._round_s = due, fetching, round_s
        self._tell, self._wait = tell, wait
        self._sites: dict[str, deque[Page]] = {}
        self._taken = 0
        self._has_room = asyncio.Event()
        self._at_once = asyncio.Semaphore(SITES_AT_ONCE)
        self._leaves = False

    async def run(self) -> None:
        """Look again whenever pages are due. Runs until cancelled."""
        self._sites, self._taken = {}, 0
        async with asyncio.TaskGroup() as looking:
            while not self._leaves:
                pages = await self._take()
                for page in pages:
                    await self._queue(page, looking)
                if not pages:
                    await asyncio.sleep(self._round_s)
                while self._taken >= MOST_TAKEN:
                    self._has_room.clear()
                    await self._has_room.wait()
            # the process ends soon: what is taken now would wait for an hour
            await asyncio.Event().wait()

    async def _take(self) -> Sequence[Page]:
        try:
            pages = await self._due.due(MOST_TAKEN - self._taken)
        except Retryable as error:
            self._wait(error.code)
            return ()
        self._taken += len(pages)
        return pages

    async def _queue(self, page: Page, looking: asyncio.TaskGroup) -> None:
        """Behind the other pages of its site."""
        try:
            site = await self._fetching.site_of(*page)
        except Retryable as error:
            self._taken -= 1
            self._tell(error.code)
            return
        if site in self._sites:
            self._sites[site].append(page)
            return
        self._sites[site] = deque([page])
        looking.create_task(self._look_at(site))

    async def _look_at(self, site: str) -> None:
        while self._sites[site]:
            async with self._at_once:
                await self._look(*self._sites[site][0])
            self._sites[site].popleft()
            self._taken -= 1
            self._has_room.set()
        del self._sites[site]

    async def _look(self, scope: TenantScope, document_id: DocumentId) -> None:
        """One look; a page that cannot be had is looked at again in an hour, and what is known of it stays."""
        try:
            outcome = "changed" if await self._fetching.look(document_id, scope) else "unchanged"
        except (Rejected, Retryable) as error:
            outcome = error.code
        except VisitorLeaves:
            self._leaves, outcome = True, "stopped"
        self._tell(outcome)
