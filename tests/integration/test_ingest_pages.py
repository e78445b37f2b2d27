"""Pages of the web through the running service: fetched, followed, found, and looked at again."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator

import pytest

from contracts import ingest
from contracts.ids import DocumentId, uuid7
from contracts.paging import Idempotency
from ingest_service.outbound.postgres_documents import PostgresDocuments
from runtime.bus import Bus
from runtime.errors import Conflict, NotFound, Rejected
from runtime.tenancy import TenantScope
from tests.support.ingest_process import (
    Ingest,
    asking,
    find,
    ingest_rows,
    look,
    new_person,
    running,
    send,
    until,
    until_gone,
)
from tests.support.platform import Platform, eventually
from tests.support.website import Website, website

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]

HOME = b"""<html><head><title>Ridge Outdoor</title></head><body><h1>Ridge Outdoor</h1><p>Welcome to our shop.</p>
<a href="/returns">Returns</a> <a href="/secret/plans">Plans</a> <a href="https://other.example/">Friends</a></body></html>"""
RETURNS = b"""<html><body><h1>Returns</h1><p>You may return an unused item within %d days of delivery.</p>
<a href="/deep">More</a> <a href="/">Home</a></body></html>"""
DEEP = b"<html><body><h1>Refunds</h1><p>Money goes back to your card.</p><a href='/deeper'>more</a></body></html>"


@pytest.fixture(scope="module")
def service(platform: Platform) -> Iterator[Ingest]:
    """It looks at pages again after half a second, and may fetch from this machine."""
    settings = {"INGEST_WEB_PRIVATE_NETWORKS": '["127.0.0.0/8"]', "INGEST_WEB_LOOK_AGAIN_H": str(0.5 / 3_600)}
    with running(platform, **settings) as service:
        yield service


@pytest.fixture(scope="module")
async def bus(platform: Platform, service: Ingest) -> AsyncIterator[Bus]:
    async with asking(platform, service) as bus:
        yield bus


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    async with website() as running:
        running.pages |= {"/": HOME, "/returns": RETURNS % 30, "/deep": DEEP, "/deeper": DEEP + b"?"}
        running.pages["/robots.txt"] = b"User-agent: *\nDisallow: /secret/\n"
        yield running


@pytest.fixture
def scope() -> TenantScope:
    return new_person()


async def register(bus: Bus, scope: TenantScope, url: str, depth: int = 0, **given: object) -> ingest.Document:
    asked = ingest.RegisterPage.model_validate({"document_id": uuid7(), "url": url, "depth": depth, **given})
    return (await bus.request(ingest.REGISTER_PAGE, asked, scope)).document


async def documents(bus: Bus, scope: TenantScope) -> dict[str, ingest.Document]:
    listed = await bus.request(ingest.LIST_DOCUMENTS, ingest.ListDocuments(limit=100), scope)
    return {document.url or "": document for document in listed.items}


async def one(bus: Bus, scope: TenantScope, url: str) -> ingest.Document | None:
    return (await documents(bus, scope)).get(url)


async def test_a_page_is_found_and_cited(bus: Bus, scope: TenantScope, site: Website):
    registered = await register(bus, scope, f"{site.url}/returns#top")
    assert (registered.state, registered.url) == ("received", f"{site.url}/returns")
    ready = await until(bus, scope, registered.id, "ready")
    assert (ready.title, ready.media_type, ready.url) == ("Returns", "text/html", f"{site.url}/returns")
    best, *_ = await find(bus, scope, "How long may I return something?")
    assert (best.document_id, "30 days" in best.text) == (registered.id, True)
    assert (await register(bus, scope, f"{site.url}/returns")).id == registered.id
    assert await find(bus, new_person(), "return") == ()
    assert set(await documents(bus, scope)) == {f"{site.url}/returns"}


async def test_links_are_followed_as_deep_as_asked_and_as_robots_txt_allows(
    bus: Bus, scope: TenantScope, site: Website
):
    await register(bus, scope, f"{site.url}/", depth=2)

    async def all_at_rest() -> dict[str, ingest.Document] | None:
        found = await documents(bus, scope)
        is_done = len(found) == 4 and all(document.state in {"ready", "failed"} for document in found.values())
        return found if is_done else None

    found = await eventually(all_at_rest, timeout_s=60)
    states = {url.removeprefix(site.url): document.state for url, document in found.items()}
    assert states == {"/": "ready", "/returns": "ready", "/deep": "ready", "/secret/plans": "failed"}
    refused = found[f"{site.url}/secret/plans"].error
    assert refused is not None
    assert refused.code == "robots_refused"
    assert "/secret/plans" not in site.asked
    assert "/deeper" not in site.asked


async def test_a_site_is_deleted_with_the_pages_that_nobody_asked_for(bus: Bus, scope: TenantScope, site: Website):
    home = await register(bus, scope, f"{site.url}/", depth=2)

    async def all_there() -> bool:
        return len(await documents(bus, scope)) == 4

    await eventually(all_there, timeout_s=60)
    assert (await look(bus, scope, home.id)).led_to == 3
    returns = await register(bus, scope, f"{site.url}/returns")
    assert (await look(bus, scope, home.id)).led_to == 2
    assert (await look(bus, scope, returns.id)).led_to == 0
    stranger = new_person()
    asked = ingest.DeleteDocument(document_id=home.id, led_to=True)
    with pytest.raises(NotFound):
        await bus.request(ingest.DELETE_DOCUMENT, asked, stranger)
    for _ in range(2):
        with contextlib.suppress(NotFound):
            await bus.request(ingest.DELETE_DOCUMENT, asked, scope)

    async def one_left() -> bool:
        return set(await documents(bus, scope)) == {returns.url}

    await eventually(one_left, timeout_s=60)
    await until(bus, scope, returns.id, "ready")


async def test_a_site_that_is_deleted_while_it_is_followed_leaves_nothing(bus: Bus, scope: TenantScope, site: Website):
    home = await register(bus, scope, f"{site.url}/", depth=3)

    async def some_there() -> bool:
        return len(await documents(bus, scope)) > 1

    await eventually(some_there, timeout_s=60)
    await bus.request(ingest.DELETE_DOCUMENT, ingest.DeleteDocument(document_id=home.id, led_to=True), scope)

    async def none_left() -> bool:
        return not await documents(bus, scope)

    await eventually(none_left, timeout_s=60)


async def test_a_sitemap_brings_its_pages(bus: Bus, scope: TenantScope, site: Website):
    places = "".join(f"<url><loc>{site.url}/{path}</loc></url>" for path in ("returns", "deep", "gone"))
    site.pages["/sitemap.xml"] = f'<?xml version="1.0"?><urlset>{places}</urlset>'.encode()
    sitemap = await register(bus, scope, f"{site.url}/sitemap.xml")
    ready = await until(bus, scope, sitemap.id, "ready")
    assert ready.passages == 0
    found = await documents(bus, scope)
    assert len(found) == 4
    assert (await look(bus, scope, sitemap.id)).led_to == 3
    await until(bus, scope, found[f"{site.url}/deep"].id, "ready")
    gone = await until(bus, scope, found[f"{site.url}/gone"].id, "failed")
    assert gone.error is not None
    assert gone.error.code == "page_not_found"


@pytest.mark.parametrize(
    "body", [b"<urlset></urlset>", b"<html><body><script>draw()</script></body></html>", b"<rss></rss>"]
)
async def test_an_address_that_yields_nothing_is_not_ready(bus: Bus, scope: TenantScope, site: Website, body: bytes):
    site.pages["/nothing"] = body
    registered = await register(bus, scope, f"{site.url}/nothing")
    failed = await until(bus, scope, registered.id, "failed")
    assert failed.error is not None
    assert failed.error.code == "empty_document"


async def test_a_failed_page_whose_address_came_again_is_not_read_again(bus: Bus, scope: TenantScope, site: Website):
    failed = await register(bus, scope, f"{site.url}/late")
    await until(bus, scope, failed.id, "failed")
    site.pages["/late"] = b"<p>There at last</p>"
    again = await register(bus, scope, f"{site.url}/late")
    await until(bus, scope, again.id, "ready")
    with pytest.raises(Conflict):
        await bus.request(ingest.REPROCESS_DOCUMENT, ingest.ReprocessDocument(document_id=failed.id), scope)


async def test_a_sitemap_whose_address_leads_to_another_site_brings_that_ones_pages(
    bus: Bus, scope: TenantScope, site: Website
):
    async with website() as there:
        there.pages["/returns"] = RETURNS % 30
        there.pages["/sitemap.xml"] = f"<urlset><url><loc>{there.url}/returns</loc></url></urlset>".encode()
        site.redirects["/sitemap.xml"] = f"{there.url}/sitemap.xml"
        sitemap = await register(bus, scope, f"{site.url}/sitemap.xml")
        assert (await until(bus, scope, sitemap.id, "ready")).error is None
        assert set(await documents(bus, scope)) == {f"{site.url}/sitemap.xml", f"{there.url}/returns"}


async def test_depth_counts_the_links_of_a_sitemaps_pages(bus: Bus, scope: TenantScope, site: Website):
    site.pages["/sitemap.xml"] = f"<urlset><url><loc>{site.url}/returns</loc></url></urlset>".encode()
    site.pages["/all.xml"] = f"<sitemapindex><loc>{site.url}/sitemap.xml</loc></sitemapindex>".encode()
    await register(bus, scope, f"{site.url}/all.xml", depth=1)
    deep = await eventually(lambda: one(bus, scope, f"{site.url}/deep"), timeout_s=60)
    await until(bus, scope, deep.id, "ready")
    assert await one(bus, scope, f"{site.url}/deeper") is None


async def test_a_changed_page_replaces_what_was_known_of_it(bus: Bus, scope: TenantScope, site: Website):
    registered = await register(bus, scope, f"{site.url}/returns")
    await until(bus, scope, registered.id, "ready")
    site.pages["/returns"] = RETURNS % 45

    async def is_new() -> bool:
        hits = await find(bus, scope, "How long may I return something?")
        assert len(hits) == 1, "always one version, never both or neither"
        return "45 days" in hits[0].text

    await eventually(is_new, timeout_s=90)
    assert (await until(bus, scope, registered.id, "ready")).id == registered.id
    assert 304 in site.answered or site.asked.count("/returns") >= 2
    del site.pages["/returns"]
    await bus.request(ingest.DELETE_DOCUMENT, ingest.DeleteDocument(document_id=registered.id), scope)
    await until_gone(bus, scope, registered.id)


async def test_looks_find_new_pages_and_bring_no_deleted_one_back(bus: Bus, scope: TenantScope, site: Website):
    home = await register(bus, scope, f"{site.url}/", depth=2)
    await until(bus, scope, home.id, "ready")
    found = await documents(bus, scope)
    secret = found[f"{site.url}/secret/plans"]
    await until(bus, scope, secret.id, "failed")
    await until(bus, scope, found[f"{site.url}/returns"].id, "ready")
    deleted = await eventually(lambda: one(bus, scope, f"{site.url}/deep"), timeout_s=60)
    await until(bus, scope, deleted.id, "ready")
    await bus.request(ingest.DELETE_DOCUMENT, ingest.DeleteDocument(document_id=deleted.id), scope)
    await until_gone(bus, scope, deleted.id)
    site.pages["/news"] = b"<html><body><h1>News</h1><p>We sell canoes too.</p><a href='/far'>far</a></body></html>"
    site.pages["/far"] = b"<html><body><h1>Far</h1><p>One link too many.</p></body></html>"
    site.pages["/returns"] = RETURNS.replace(b"</body>", b"<a href='/news'>News</a></body>") % 45
    news = await eventually(lambda: one(bus, scope, f"{site.url}/news"), timeout_s=60)
    assert (await until(bus, scope, news.id, "ready")).title == "News"
    assert "canoes" in (await find(bus, scope, "Do you sell canoes?"))[0].text
    await eventually(lambda: 304 in site.answered, timeout_s=60)
    left = {url.removeprefix(site.url) for url in await documents(bus, scope)}
    assert left == {"/", "/returns", "/secret/plans", "/news"}
    assert (await look(bus, scope, home.id)).led_to == 3


async def test_a_sitemap_that_grows_brings_the_new_page(bus: Bus, scope: TenantScope, site: Website):
    def places(*paths: str) -> bytes:
        return f"<urlset>{''.join(f'<url><loc>{site.url}/{path}</loc></url>' for path in paths)}</urlset>".encode()

    site.pages["/sitemap.xml"] = places("returns")
    sitemap = await register(bus, scope, f"{site.url}/sitemap.xml")
    await until(bus, scope, sitemap.id, "ready")
    site.pages["/sitemap.xml"] = places("returns", "deep")
    deep = await eventually(lambda: one(bus, scope, f"{site.url}/deep"), timeout_s=60)
    await until(bus, scope, deep.id, "ready")


async def test_a_page_that_is_gone_is_told_and_deleted_only_if_nobody_asked_for_it(
    bus: Bus, scope: TenantScope, site: Website
):
    asked = await register(bus, scope, f"{site.url}/", depth=1)
    await until(bus, scope, asked.id, "ready")
    led_to = (await documents(bus, scope))[f"{site.url}/returns"]
    await until(bus, scope, led_to.id, "ready")
    kept = {path: site.pages.pop(path) for path in ("/", "/returns")}

    async def is_told() -> bool:
        seen = [await look(bus, scope, document.id) for document in (asked, led_to)]
        return all(one.error is not None and one.error.code == "page_not_found" for one in seen)

    # all of the site is gone: it may be broken
    await eventually(is_told, timeout_s=60)
    await asyncio.sleep(4)
    assert await is_told()
    assert "30 days" in (await find(bus, scope, "How long may I return something?"))[0].text
    site.pages["/"] = kept["/"]
    await until_gone(bus, scope, led_to.id)

    async def is_back() -> bool:
        return (await look(bus, scope, asked.id)).error is None

    await eventually(is_back, timeout_s=60)
    await until(bus, scope, asked.id, "ready")


async def test_a_site_whose_first_page_was_deleted_does_not_grow(bus: Bus, scope: TenantScope, site: Website):
    home = await register(bus, scope, f"{site.url}/", depth=2)
    await until(bus, scope, home.id, "ready")
    returns = (await documents(bus, scope))[f"{site.url}/returns"]
    await until(bus, scope, returns.id, "ready")
    await bus.request(ingest.DELETE_DOCUMENT, ingest.DeleteDocument(document_id=home.id), scope)
    await until_gone(bus, scope, home.id)
    site.pages["/returns"] = RETURNS.replace(b"</body>", b"<a href='/deeper'>News</a></body>") % 45

    async def is_new() -> bool:
        return "45 days" in (await find(bus, scope, "How long may I return something?"))[0].text

    await eventually(is_new, timeout_s=60)
    assert f"{site.url}/deeper" not in await documents(bus, scope)


async def test_the_same_page_at_two_addresses_is_one_document(bus: Bus, scope: TenantScope, site: Website):
    site.pages["/copy"] = site.pages["/deep"]
    first = await register(bus, scope, f"{site.url}/deep")
    await until(bus, scope, first.id, "ready")
    second = await until(bus, scope, (await register(bus, scope, f"{site.url}/copy")).id, "failed")
    assert second.error is not None
    assert second.error.code == "same_content"


@pytest.mark.parametrize("url", ["notaurl", "ftp://x.example/", "http://user:pass@x.example/"])
async def test_an_address_that_is_none_is_refused_at_once(bus: Bus, scope: TenantScope, url: str):
    with pytest.raises(Rejected):
        await register(bus, scope, url)


async def test_an_address_in_a_private_network_fails_with_the_reason(bus: Bus, scope: TenantScope):
    registered = await register(bus, scope, "http://169.254.169.254/latest/meta-data/")
    failed = await until(bus, scope, registered.id, "failed")
    assert failed.error is not None
    assert failed.error.code == "address_refused"


async def test_registering_is_idempotent(bus: Bus, scope: TenantScope, site: Website):
    key = Idempotency(key="once", body_sha256="0" * 64)
    first = await register(bus, scope, f"{site.url}/deep", idempotency=key)
    assert (await register(bus, scope, f"{site.url}/deep", idempotency=key)).id == first.id
    other = Idempotency(key="once", body_sha256="1" * 64)
    with pytest.raises(Conflict):
        await register(bus, scope, f"{site.url}/", idempotency=other)
    assert (await look(bus, scope, DocumentId(first.id))).id == first.id


async def test_pages_that_fail_leave_room_for_everything_else_and_say_why(
    bus: Bus, service: Ingest, scope: TenantScope, site: Website
):
    """More of them than the business has places in the queue; a later try finds the page there."""
    paths = [f"/broken/{n}" for n in range(6)]
    site.failing |= dict.fromkeys(paths, 500)
    pages = [await register(bus, scope, site.url + path) for path in paths]

    async def all_wait() -> bool:
        found = [await look(bus, scope, page.id) for page in pages]
        return all(page.state == "received" and page.error is not None for page in found)

    await eventually(all_wait, timeout_s=60)
    for n in range(3):
        sent = await send(bus, service, scope, f"Tent number {n} weighs {n} kg.".encode())
        await until(bus, scope, sent.id, "ready")

    async def again() -> bool:
        return all(site.asked.count(path) >= 2 for path in paths)

    await eventually(again, timeout_s=60)

    async def told() -> ingest.DocumentError | None:
        error = (await look(bus, scope, pages[0].id)).error
        return error if error is not None and error.try_again_at is not None else None

    error = await eventually(told, timeout_s=60)
    assert (error.code, "500" in error.detail) == ("site_unreachable", True)
    site.failing.clear()
    site.pages[paths[0]] = RETURNS % 14
    await put_off(service, scope, pages[0].id, times=1)
    ready = await until(bus, scope, pages[0].id, "ready")
    assert ready.error is None
    site.failing[paths[1]] = 503
    await put_off(service, scope, pages[1].id, times=4)
    failed = (await until(bus, scope, pages[1].id, "failed")).error
    assert failed is not None
    assert (failed.code, failed.try_again_at) == ("site_unreachable", None)
    assert "in a browser" in failed.detail


async def test_a_site_that_asks_for_patience_is_visited_again_when_it_said(
    bus: Bus, service: Ingest, scope: TenantScope, site: Website
):
    site.pages |= {f"/{n}": RETURNS % n for n in range(4)}
    site.failing["/busy"], site.retry_after = 429, "3"
    busy = await register(bus, scope, f"{site.url}/busy")

    async def waits() -> ingest.DocumentError | None:
        return (await look(bus, scope, busy.id)).error

    assert "429" in (await eventually(waits, timeout_s=60)).detail
    begun = [await register(bus, scope, f"{site.url}/{n}") for n in range(4)]
    site.failing.clear()
    site.pages["/busy"] = RETURNS % 90
    for page in (*begun, busy):
        assert (await until(bus, scope, page.id, "ready")).error is None
    # a page that is ready is soon looked at again, and has not changed
    answers = [status for path, status in zip(site.asked, site.answered, strict=True) if path == "/busy"]
    assert [status for status in answers if status != 304] == [429, 200]


async def put_off(service: Ingest, scope: TenantScope, document_id: DocumentId, *, times: int) -> None:
    """Let the pause after so many tries be over."""
    change = """UPDATE document SET try_again_at = now(), put_offs = jsonb_build_object('site', $3::int)
        WHERE tenant_id = $1 AND id = $2"""
    async with ingest_rows(service.platform) as database, database.tenant_tx(scope) as tx:
        await tx.execute(change, scope.tenant_id, document_id, times)


@pytest.mark.parametrize("host", ["127.1", "0", "0177.0.0.1", "2130706433", "0x7f.1", "127.0.0.1."])
async def test_another_spelling_of_an_address_is_refused_at_once(bus: Bus, scope: TenantScope, host: str):
    with pytest.raises(Rejected) as refused:
        await register(bus, scope, f"http://{host}/")
    assert refused.value.code == "address_refused"


async def test_slow_sites_hold_up_their_own_pages_alone(bus: Bus, service: Ingest, scope: TenantScope, site: Website):
    async with website() as other:
        for slow in (site, other):
            slow.pages |= {f"/slow/{number}": RETURNS % number for number in range(6)}
            slow.slow |= slow.pages.keys() - {"/robots.txt"}
        crawling = {scope: site, new_person(): other}
        pages = [
            (who, await register(bus, who, f"{at.url}/slow/{number}"))
            for who, at in crawling.items()
            for number in range(6)
        ]
        await eventually(lambda: all(any("slow" in path for path in at.asked) for at in crawling.values()))
        for who in (new_person(), scope):
            sent = await send(bus, service, who, b"We open at nine.")
            await until(bus, who, sent.id, "ready")
        assert sum("slow" in path for path in site.asked) == 1, "one at a time of each business"
        site.goes_on.set()
        other.goes_on.set()
        for who, page in pages:
            await until(bus, who, page.id, "ready")


async def test_a_process_that_stops_while_it_fetches_counts_no_try(
    bus: Bus, service: Ingest, scope: TenantScope, site: Website
):
    site.hanging["/slow"] = 600.0
    page = await register(bus, scope, f"{site.url}/slow")
    await eventually(lambda: site.held == 1)
    assert await asyncio.to_thread(service.end, signal.SIGTERM) == 0
    async with ingest_rows(service.platform) as rows:
        left = await PostgresDocuments(rows).get(scope, page.id)
    assert left is not None
    assert (left.state.value, left.attempt, left.put_off, left.failure) == ("received", 0, {}, None)
    site.hanging.clear()
    site.pages["/slow"] = RETURNS % 30
    service.start()
    await eventually(service.is_ready, timeout_s=60)
    await until(bus, scope, page.id, "ready")
