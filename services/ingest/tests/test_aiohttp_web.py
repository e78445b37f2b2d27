"""The web as a visitor sees it: robots, redirects, limits, and no way into a private network."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from ingest_service.domain.errors import AddressRefused, DocumentRefused, PageRefused
from ingest_service.outbound import aiohttp_web, sites
from ingest_service.outbound.aiohttp_web import AiohttpWeb
from runtime.errors import Unavailable
from tests.support.website import Website, website

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiohttp_web, "PAUSE_S", 0.0)


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    async with website() as running:
        yield running


@pytest.fixture
async def visitor() -> AsyncIterator[AiohttpWeb]:
    made = AiohttpWeb(LOOPBACK)
    yield made
    await made.close()


async def test_a_page_is_fetched_and_known_again(site: Website, visitor: AiohttpWeb):
    site.pages["/help?a=1"] = b"<p>Open all day</p>"
    page = await visitor.get(f"{site.url}/help?a=1")
    assert page is not None
    assert page.data == b"<p>Open all day</p>"
    assert await visitor.get(f"{site.url}/help?a=1", etag=page.etag) is None
    site.pages["/help?a=1"] = b"<p>Closed</p>"
    again = await visitor.get(f"{site.url}/help?a=1", etag=page.etag)
    assert again is not None
    assert again.data == b"<p>Closed</p>"
    assert site.asked.count("/robots.txt") == 1


async def test_robots_txt_is_kept_to(site: Website, visitor: AiohttpWeb):
    site.pages |= {"/robots.txt": b"User-agent: *\nDisallow: /private\n", "/private/a": b"x", "/open": b"y"}
    with pytest.raises(PageRefused) as refused:
        await visitor.get(f"{site.url}/private/a")
    assert refused.value.code == "robots_refused"
    assert "/private/a" not in site.asked
    assert await visitor.get(f"{site.url}/open") is not None


async def test_robots_txt_that_fails_forbids_for_now(site: Website, visitor: AiohttpWeb):
    site.pages["/open"] = b"y"
    site.failing["/robots.txt"] = 503
    with pytest.raises(Unavailable):
        await visitor.get(f"{site.url}/open")
    assert "/open" not in site.asked


async def test_what_is_known_of_many_sites_is_bounded(visitor: AiohttpWeb, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sites, "MOST_SITES", 2)
    async with website() as first, website() as second, website() as third:
        all_three = (first, second, third)
        for site in all_three:
            site.pages["/a"] = b"x"

        async def visit(*visited: Website) -> list[int]:
            for site in visited:
                await visitor.get(f"{site.url}/a")
            return [site.asked.count("/robots.txt") for site in all_three]

        assert await visit(first, second, first) == [1, 1, 0]
        assert await visit(third) == [1, 1, 1]
        assert await visit(first, third) == [1, 1, 1], "the one that was not visited for longest is forgotten"
        assert await visit(second) == [1, 2, 1]
        keep_rules(monkeypatch, 0.0)
        assert await visit(second) == [1, 3, 1]
        keep_rules(monkeypatch, 3_600.0)
        assert await visit(third) == [1, 3, 2], "old rules are forgotten, however few there are"


def keep_rules(monkeypatch: pytest.MonkeyPatch, for_s: float) -> None:
    for module in (aiohttp_web, sites):
        monkeypatch.setattr(module, "RULES_KEPT_S", for_s)


async def test_long_rules_of_many_sites_are_not_all_kept(visitor: AiohttpWeb, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sites, "MOST_RULES", 100)
    async with website() as long, website() as longer:
        for site in (long, longer):
            site.pages |= {"/a": b"x", "/robots.txt": b"User-agent: *\nDisallow: /not/this/nor/that/page.html"}
        for site in (long, long, longer, long):
            await visitor.get(f"{site.url}/a")
        assert [site.asked.count("/robots.txt") for site in (long, longer)] == [2, 1]


async def test_a_site_that_somebody_waits_for_is_not_forgotten(
    site: Website, visitor: AiohttpWeb, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sites, "MOST_SITES", 0)
    site.pages |= {f"/{n}": b"x" for n in range(4)}
    await asyncio.gather(*(visitor.get(f"{site.url}/{n}") for n in range(4)))
    assert site.asked.count("/robots.txt") == 1


async def test_redirects_end_where_the_page_is(site: Website, visitor: AiohttpWeb):
    site.redirects |= {"/old": "/older#x", "/older": f"{site.url}/new"}
    site.pages["/new"] = b"here"
    page = await visitor.get(f"{site.url}/old")
    assert page is not None
    assert (page.url, page.data) == (f"{site.url}/new", b"here")


@pytest.mark.parametrize("target", ["/round", "ftp://other.example/", "http://10.0.0.1/", "http://[::1]:1/", ""])
async def test_redirects_that_lead_nowhere(site: Website, visitor: AiohttpWeb, target: str):
    site.redirects["/round"] = target
    with pytest.raises(DocumentRefused):
        await visitor.get(f"{site.url}/round")


@pytest.mark.parametrize(
    ("status", "raised"),
    [(404, PageRefused), (410, PageRefused), (403, PageRefused), (500, Unavailable), (429, Unavailable)],
)
async def test_refusals_and_failures(site: Website, visitor: AiohttpWeb, status: int, raised: type[Exception]):
    site.failing["/page"] = status
    with pytest.raises(raised):
        await visitor.get(f"{site.url}/page")


async def test_a_page_beyond_the_limit(site: Website, visitor: AiohttpWeb, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(aiohttp_web, "DOCUMENT_LIMIT_BYTES", 1_000)
    site.pages["/long"] = b"x" * 1_001
    with pytest.raises(DocumentRefused) as refused:
        await visitor.get(f"{site.url}/long")
    assert refused.value.code == "too_large"


async def test_what_unpacks_too_large_is_not_taken(visitor: AiohttpWeb, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(aiohttp_web, "DOCUMENT_LIMIT_BYTES", 1_000_000)

    async def bomb(_request: web.Request) -> web.Response:
        response = web.Response(body=b"0" * 20_000_000)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    app = web.Application()
    app.router.add_get("/bomb", bomb)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        with pytest.raises(DocumentRefused) as refused:
            await visitor.get(f"http://127.0.0.1:{runner.addresses[0][1]}/bomb")
    finally:
        await runner.cleanup()
    assert refused.value.code == "too_large"


async def test_what_a_site_says_in_another_encoding_does_no_harm(visitor: AiohttpWeb):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        said = {
            b"/old": b"302 Found\r\nLocation: /\xfcber",
            b"/%FCber": b'200 OK\r\nETag: "\xe9"\r\nLast-Modified: Di, 12 M\xe4r 2024 10:00:00 GMT',
        }.get(asked, b"404 Not Found")
        writer.write(b"HTTP/1.1 " + said + b"\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        page = await visitor.get(f"{url}/old")
    assert page is not None
    assert (page.url, page.etag, page.last_modified) == (f"{url}/%FCber", None, None)


async def test_a_private_network_is_never_called(site: Website):
    site.pages["/"] = b"secret"
    stranger = AiohttpWeb()
    port = site.url.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
        with pytest.raises(AddressRefused):
            await stranger.get(f"http://{host}:{port}/")
    await stranger.close()
    assert site.asked == []


async def test_a_name_that_leads_to_two_networks_is_refused(site: Website, monkeypatch: pytest.MonkeyPatch):
    def found(*_args: object, **_options: object) -> list[tuple[object, ...]]:
        port = int(site.url.rpartition(":")[2])
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("93.184.216.34", "127.0.0.1")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    stranger = AiohttpWeb()
    with pytest.raises(AddressRefused):
        await stranger.get("http://rebinding.example/")
    await stranger.close()
    assert site.asked == []


async def test_a_host_that_is_not_known(visitor: AiohttpWeb, monkeypatch: pytest.MonkeyPatch):
    def unknown(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(PageRefused) as refused:
        await visitor.get("http://nowhere.example/")
    assert refused.value.code == "host_not_found"


async def test_a_site_that_is_away(visitor: AiohttpWeb):
    async with website() as site:
        url = site.url
    with pytest.raises(Unavailable):
        await visitor.get(f"{url}/")
