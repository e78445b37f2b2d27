"""Looks at pages again: a pool of sites, not batches of pages."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from contracts.ids import DocumentId, TenantId, uuid7
from ingest_service.domain import look_again
from ingest_service.domain.errors import PageGone
from ingest_service.domain.look_again import Looks
from ingest_service.domain.web_page import SiteAway, VisitorLeaves
from runtime.errors import Unavailable
from runtime.tenancy import TenantScope
from services.ingest.tests.promises_documents import new_scope
from tests.support.platform import eventually

SCOPE = new_scope()


class Web:
    """Pages that are due, and the sites that they are looked at on; `hangs` has those that do not answer."""

    def __init__(self) -> None:
        self.due_pages: list[tuple[TenantScope, DocumentId]] = []
        self.sites: dict[DocumentId, str] = {}
        self.hangs: dict[str, asyncio.Event] = {}
        self.raises: dict[str, Exception] = {}
        self.looked: list[str] = []
        self.told: list[str] = []
        self.waited: list[str] = []
        self.wondered: list[Exception] = []
        self.most_asked: list[int] = []
        self.is_away = False

    def add(self, site: str, times: int = 1, scope: TenantScope = SCOPE) -> None:
        for _ in range(times):
            self.due_pages.append((scope, page := DocumentId(uuid7())))
            self.sites[page] = site

    async def due(
        self, limit: int, most_each: int, taken: Mapping[TenantId, int]
    ) -> Sequence[tuple[TenantScope, DocumentId]]:
        self.most_asked.append(limit)
        if self.is_away:
            raise Unavailable
        of_each = Counter(taken)
        chosen = []
        for scope, page in self.due_pages:
            if len(chosen) < limit and of_each[scope.tenant_id] < most_each:
                of_each[scope.tenant_id] += 1
                chosen.append((scope, page))
        self.due_pages = [one for one in self.due_pages if one not in chosen]
        return chosen

    async def site_of(self, _scope: object, page: DocumentId) -> str:
        if self.sites[page] == "unknown":
            raise Unavailable
        return self.sites[page]

    async def look(self, page: DocumentId, _scope: object) -> bool:
        site = self.sites[page]
        self.looked.append(site)
        if site in self.hangs:
            await self.hangs[site].wait()
        if site in self.raises:
            raise self.raises[site]
        return site == "new"

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        voices = {"tell": self.told.append, "wait": self.waited.append, "wonder": self.wondered.append}
        looks = Looks(self, self, round_s=0.01, **voices)
        running = asyncio.create_task(looks.run())
        yield
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def web() -> Web:
    return Web()


async def test_a_site_that_hangs_delays_only_itself(web: Web):
    web.hangs["hangs"] = asyncio.Event()
    web.add("hangs", 20)
    web.add("good", 5)
    web.add("new")
    async with web.looking():
        await eventually(lambda: sorted(web.told) == ["changed", *["unchanged"] * 5])
        assert web.looked.count("hangs") == 1, "one at a time of each site"
        web.add("good")
        await eventually(lambda: len(web.told) == 7)
        web.hangs["hangs"].set()
        await eventually(lambda: len(web.told) == 27)


async def test_a_business_with_slow_sites_delays_only_itself(web: Web, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(look_again, "MOST_TAKEN", 24)
    monkeypatch.setattr(look_again, "MOST_OF_ONE", 18)
    slow = [f"slow{number}" for number in range(50)]
    web.hangs |= dict.fromkeys(slow, asyncio.Event())
    for site in slow:
        web.add(site, 2)
    web.add("good", 30, new_scope())
    async with web.looking():
        await eventually(lambda: len(web.told) == 30)
        assert sum(site in slow for site in web.looked) == look_again.SITES_OF_ONE
        web.hangs[slow[0]].set()
        await eventually(lambda: len(web.told) == 130)


async def test_how_looks_end_is_told_and_the_next_goes_on(web: Web):
    web.raises |= {"gone": PageGone("No."), "away": SiteAway("No."), "ours": Unavailable()}
    for site in ("gone", "away", "unknown", "ours", "good"):
        web.add(site)
    async with web.looking():
        await eventually(lambda: len(web.told) == 5)
    assert sorted(web.told) == ["page_not_found", "site_unreachable", "unavailable", "unavailable", "unchanged"]


async def test_a_fault_of_ours_ends_no_other_look(web: Web):
    web.raises["odd"] = fault = ZeroDivisionError()
    web.hangs["slow"] = asyncio.Event()
    for site in ("slow", "odd"):
        web.add(site)
    async with web.looking():
        await eventually(lambda: web.told == ["internal"])
        web.hangs["slow"].set()
        await eventually(lambda: web.told == ["internal", "unchanged"])
    assert (web.wondered, web.looked.count("slow")) == ([fault], 1)


async def test_no_more_are_taken_than_wait_for_their_turn(web: Web, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(look_again, "MOST_TAKEN", 3)
    web.hangs["hangs"] = asyncio.Event()
    web.add("hangs", 5)
    async with web.looking():
        await eventually(lambda: web.looked)
        assert len(web.due_pages) == 2
        web.hangs["hangs"].set()
        await eventually(lambda: len(web.told) == 5)
    assert max(web.most_asked) == 3
    assert min(web.most_asked) > 0


async def test_what_cannot_be_asked_for_is_asked_for_again(web: Web):
    web.is_away = True
    web.add("good")
    async with web.looking():
        await eventually(lambda: web.waited)
        web.is_away = False
        await eventually(lambda: web.told == ["unchanged"])
    assert set(web.waited) == {"unavailable"}


async def test_nothing_more_is_taken_when_the_process_stops(web: Web):
    web.raises["good"] = VisitorLeaves()
    web.add("good")
    async with web.looking():
        await eventually(lambda: web.told == ["stopped"])
        # it may have been in the middle of asking
        await asyncio.sleep(0.05)
        web.add("new", 3)
        await asyncio.sleep(0.05)
        assert len(web.due_pages) == 3
