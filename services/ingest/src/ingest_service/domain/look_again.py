"""Pages whose time has come are looked at again, each site at its own pace: one that hangs keeps no other waiting.

Nor does a business whose sites are slow: it has a tenth of what is taken at most, and a quarter of the visits.
"""

import asyncio
import contextlib
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Final

from contracts.ids import DocumentId, TenantId
from ingest_service.domain.fetch_page import Fetching
from ingest_service.domain.web_page import DuePages, VisitorLeaves
from runtime.errors import Rejected, Retryable
from runtime.tenancy import TenantScope

SITES_AT_ONCE: Final = 32
SITES_OF_ONE: Final = 8
"""Of those, sites that one business's pages are looked at on."""
MOST_TAKEN: Final = 1_000
"""Pages that are looked at or wait for their site's turn; when the process ends, they come again in an hour."""
MOST_OF_ONE: Final = 100
"""Of those, pages of one business. What it has beyond that comes as soon as one of these was looked at."""
SOONEST_S: Final = 3.0
"""Between two questions which pages are due: of tens of thousands it takes a moment to tell whose come first."""
Page = tuple[TenantScope, DocumentId]
Tell = Callable[[str], None]
"""Told how a look ended: `changed`, `unchanged`, or a code of why there was none."""
Wonder = Callable[[Exception], None]


class Looks:
    """What this process looks at.

    `wait` is told the code of what keeps it from asking for pages, `wonder` of faults of ours.
    """

    def __init__(
        self, due: DuePages, fetching: Fetching, *, round_s: float, tell: Tell, wait: Tell, wonder: Wonder
    ) -> None:
        self._due, self._fetching, self._round_s = due, fetching, round_s
        self._tell, self._wait, self._wonder = tell, wait, wonder
        self._sites: dict[str, deque[Page]] = {}
        self._taken = Counter[TenantId]()
        self._has_room = asyncio.Event()
        self._at_once = asyncio.Semaphore(SITES_AT_ONCE)
        self._of_one = defaultdict[TenantId, asyncio.Semaphore](lambda: asyncio.Semaphore(SITES_OF_ONE))
        self._leaves = False

    async def run(self) -> None:
        """Look again whenever pages are due. Runs until cancelled."""
        self._sites, self._taken = {}, Counter()
        async with asyncio.TaskGroup() as looking:
            while not self._leaves:
                self._has_room.clear()
                pages = await self._take()
                for page in pages:
                    await self._queue(page, looking)
                if not pages or self._taken.total() >= MOST_TAKEN:
                    await self._rest()
            # the process ends soon: what is taken now would wait for an hour
            await asyncio.Event().wait()

    async def _rest(self) -> None:
        """Until one of those taken was looked at, which leaves room for another, or for a round."""
        pause_s = min(SOONEST_S, self._round_s)
        await asyncio.sleep(pause_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._round_s - pause_s):
                await self._has_room.wait()

    async def _take(self) -> Sequence[Page]:
        try:
            room = MOST_TAKEN - self._taken.total()
            pages = await self._due.due(room, MOST_OF_ONE, self._taken) if room else ()
        except Retryable as error:
            self._wait(error.code)
            return ()
        self._taken.update(scope.tenant_id for scope, _ in pages)
        return pages

    async def _queue(self, page: Page, looking: asyncio.TaskGroup) -> None:
        """Behind the other pages of its site."""
        try:
            site = await self._fetching.site_of(*page)
        except Retryable as error:
            self._give_back(page)
            self._tell(error.code)
            return
        if site in self._sites:
            self._sites[site].append(page)
            return
        self._sites[site] = deque([page])
        looking.create_task(self._look_at(site))

    async def _look_at(self, site: str) -> None:
        while self._sites[site]:
            scope, document_id = self._sites[site][0]
            async with self._of_one[scope.tenant_id], self._at_once:
                await self._look(scope, document_id)
            self._give_back(self._sites[site].popleft())
        del self._sites[site]

    def _give_back(self, page: Page) -> None:
        tenant_id = page[0].tenant_id
        self._taken[tenant_id] -= 1
        if not self._taken[tenant_id]:
            del self._taken[tenant_id]
            self._of_one.pop(tenant_id, None)
        self._has_room.set()

    async def _look(self, scope: TenantScope, document_id: DocumentId) -> None:
        """One look; a page that cannot be had is looked at again in an hour, and what is known of it stays."""
        try:
            outcome = "changed" if await self._fetching.look(document_id, scope) else "unchanged"
        except (Rejected, Retryable) as error:
            outcome = error.code
        except VisitorLeaves:
            self._leaves, outcome = True, "stopped"
        except Exception as fault:  # noqa: BLE001 - a page that we cannot look at must not end all other looks
            outcome = "internal"
            self._wonder(fault)
        self._tell(outcome)
