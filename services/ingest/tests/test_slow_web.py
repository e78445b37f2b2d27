"""Sites that hang, trickle or ask for patience: a visit ends, and they are left alone."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
from aiohttp import web

from ingest_service.domain.errors import PageRefused
from ingest_service.domain.web_page import LeftAlone, SiteAway, VisitorLeaves
from ingest_service.outbound import aiohttp_web, sites
from ingest_service.outbound.aiohttp_web import AiohttpWeb
from tests.support.platform import eventually
from tests.support.website import Website, website

NEVER = 600.0


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiohttp_web, "PAUSE_S", 0.0)


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    async with website() as running:
        yield running


@pytest.fixture
async def visitor() -> AsyncIterator[AiohttpWeb]:
    made = AiohttpWeb((ipaddress.ip_network("127.0.0.0/8"),))
    yield made
    await made.close()


@pytest.mark.parametrize("every_s", [NEVER, 0.05])
@pytest.mark.parametrize("path", ["/robots.txt", "/page"])
async def test_a_visit_ends_whatever_the_site_does(
    site: Website, visitor: AiohttpWeb, monkeypatch: pytest.MonkeyPatch, path: str, every_s: float
):
    monkeypatch.setattr(aiohttp_web, "WHOLE_S", 0.3)
    site.hanging[path] = every_s
    with pytest.raises(SiteAway, match="does not answer in time"):
        await visitor.get(f"{site.url}/page")
    await eventually(lambda: site.held == 0)


async def test_redirects_have_the_time_of_one_page(site: Website, visitor: AiohttpWeb, monkeypatch: pytest.MonkeyPatch):
    site.redirects |= {f"/{n}": f"/{n + 1}" for n in range(4)}
    site.pages["/4"] = b"here"
    assert await visitor.get(f"{site.url}/0") is not None
    site.asked.clear()
    monkeypatch.setattr(aiohttp_web, "WHOLE_S", 1.0)
    monkeypatch.setattr(aiohttp_web, "PAUSE_S", 0.4)
    with pytest.raises(SiteAway):
        await visitor.get(f"{site.url}/0")
    assert "/4" not in site.asked


async def test_a_site_that_was_silent_thrice_is_left_alone_for_a_while(
    site: Website, visitor: AiohttpWeb, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(aiohttp_web, "WHOLE_S", 0.1)
    site.pages["/good"] = b"x"
    for _ in range(2):
        site.hanging["/page"] = NEVER
        for _ in range(2):
            with pytest.raises(SiteAway):
                await visitor.get(f"{site.url}/page")
        assert await visitor.get(f"{site.url}/good") is not None, "one that answers is not silent"
    for _ in range(3):
        with pytest.raises(SiteAway):
            await visitor.get(f"{site.url}/page")
    asked = len(site.asked)
    with pytest.raises(SiteAway, match="does not answer in time") as away:
        await visitor.get(f"{site.url}/good")
    assert not isinstance(away.value, LeftAlone), "it counts as a try, or hundreds of pages would be tried for days"
    assert away.value.retry_after_s is not None
    assert 0 < away.value.retry_after_s <= sites.LEFT_ALONE_S
    assert len(site.asked) == asked


async def test_who_leaves_ends_every_visit_and_begins_none(site: Website, visitor: AiohttpWeb):
    site.hanging["/page"] = NEVER
    visits = [asyncio.create_task(visitor.get(f"{site.url}/{path}")) for path in ("page", "behind it")]
    await eventually(lambda: site.held == 1)
    await visitor.leave()
    ended = await asyncio.gather(*visits, return_exceptions=True)
    assert [type(each) for each in ended] == [VisitorLeaves, VisitorLeaves]
    asked = len(site.asked)
    with pytest.raises(VisitorLeaves):
        await visitor.get(f"{site.url}/good")
    assert len(site.asked) == asked
    await eventually(lambda: site.held == 0)


async def test_a_visit_that_is_given_up_ends_as_such(site: Website, visitor: AiohttpWeb):
    site.hanging["/page"] = NEVER
    visit = asyncio.create_task(visitor.get(f"{site.url}/page"))
    await eventually(lambda: site.held == 1)
    visit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await visit
    await eventually(lambda: site.held == 0)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("path", ["/page", "/robots.txt"])
@pytest.mark.parametrize("is_date", [False, True])
async def test_a_site_is_left_alone_for_as_long_as_it_asks(
    site: Website, visitor: AiohttpWeb, status: int, path: str, is_date: bool
):
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True)
    site.pages["/other"] = b"x"
    site.failing[path] = status
    site.retry_after = at if is_date else "120"
    with pytest.raises(SiteAway, match=str(status)) as away:
        await visitor.get(f"{site.url}/page")
    assert not isinstance(away.value, LeftAlone)
    asked = len(site.asked)
    with pytest.raises(LeftAlone, match=str(status)) as alone:
        await visitor.get(f"{site.url}/other")
    assert len(site.asked) == asked
    for told in (away.value, alone.value):
        assert told.retry_after_s is not None
        assert 100 < told.retry_after_s <= 120


@pytest.mark.parametrize("asked", ["9" * 400, "Fri, 31 Dec 9999 23:59:59 -2359"])
async def test_a_site_that_asks_for_for_ever_is_visited_again_within_the_hour(
    site: Website, visitor: AiohttpWeb, asked: str
):
    site.failing["/page"], site.retry_after = 503, asked
    for _ in range(2):
        with pytest.raises(SiteAway) as away:
            await visitor.get(f"{site.url}/page")
    assert away.value.retry_after_s is not None
    assert away.value.retry_after_s <= 3_600


async def test_to_wait_for_a_site_that_asks_for_patience_for_ever_is_a_try(
    site: Website, visitor: AiohttpWeb, monkeypatch: pytest.MonkeyPatch
):
    """Else each of its pages would wait until all the others had been visited as often as they may."""
    site.pages["/other"], site.failing["/page"], site.retry_after = b"x", 503, "3600"
    now = time.monotonic()
    monkeypatch.setattr(sites, "time", SimpleNamespace(monotonic=lambda: now))
    told = []
    for _ in range(sites.PATIENT_VISITS):
        for page in ("page", "other"):
            with pytest.raises(SiteAway) as away:
                await visitor.get(f"{site.url}/{page}")
        told.append(type(away.value))
        now += 3_601
    assert told == [LeftAlone] * (sites.PATIENT_VISITS - 1) + [SiteAway]
    await visitor.get(f"{site.url}/other")
    with pytest.raises(SiteAway):
        await visitor.get(f"{site.url}/page")
    with pytest.raises(LeftAlone):
        await visitor.get(f"{site.url}/other")


async def test_patience_that_cannot_be_read_is_none(site: Website, visitor: AiohttpWeb):
    site.failing["/page"], site.retry_after = 503, "soon"
    for _ in range(2):
        with pytest.raises(SiteAway) as away:
            await visitor.get(f"{site.url}/page")
        assert away.value.retry_after_s is None
    assert site.asked.count("/page") == 2


async def test_sites_that_hang_do_not_keep_others_waiting(site: Website, visitor: AiohttpWeb):
    site.pages["/page"] = b"x"
    async with AsyncExitStack() as stack:
        hanging = [await stack.enter_async_context(website()) for _ in range(12)]
        for each in hanging:
            each.hanging["/robots.txt"] = NEVER
        visits = [asyncio.create_task(visitor.get(f"{each.url}/page")) for each in hanging]
        await eventually(lambda: all(each.held for each in hanging))
        assert await visitor.get(f"{site.url}/page") is not None
        for visit in visits:
            visit.cancel()
        await asyncio.gather(*visits, return_exceptions=True)


async def test_rules_that_come_in_pieces_are_kept_to(visitor: AiohttpWeb):
    async def robots(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for line in (b"User-agent: *\n", b"Disallow: /secret/\n"):
            await response.write(line)
            await asyncio.sleep(0.05)
        return response

    app = web.Application()
    app.router.add_get("/robots.txt", robots)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        with pytest.raises(PageRefused) as refused:
            await visitor.get(f"http://127.0.0.1:{runner.addresses[0][1]}/secret/plans")
    finally:
        await runner.cleanup()
    assert refused.value.code == "robots_refused"


@pytest.mark.parametrize(("number", "raised"), [(socket.EAI_AGAIN, SiteAway), (socket.EAI_NONAME, PageRefused)])
async def test_a_name_that_cannot_be_looked_up_for_now_is_looked_up_later(
    visitor: AiohttpWeb, monkeypatch: pytest.MonkeyPatch, number: int, raised: type[Exception]
):
    def fail(*_args: object, **_options: object) -> None:
        raise socket.gaierror(number, "no")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(raised):
        await visitor.get("http://shop.example/")
