"""Looks at web pages, and what is let go after them, on the real tables and a real folder; the web is told."""

import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.ids import DocumentId, uuid7
from ingest_service.domain import originals
from ingest_service.domain.document import Document, Failure
from ingest_service.domain.errors import PageGone, PageUnlisted
from ingest_service.domain.fetch_page import GONE_LOOKS, Fetching
from ingest_service.domain.web_page import Fetched
from ingest_service.outbound.file_store import ORPHAN_AFTER, ObjectFiles
from ingest_service.outbound.postgres_documents import PostgresDocuments
from ingest_service.outbound.postgres_pages import PostgresPages
from ingest_service.outbound.relay_documents import DUE
from runtime.db import Database
from runtime.errors import Conflict
from runtime.tenancy import TenantScope
from services.ingest.tests.promises_documents import added, claimed, new_scope, reading_of
from tests.support.ingest_process import ingest_rows
from tests.support.platform import Platform
from tests.support.probe import connection

pytestmark = pytest.mark.integration
HOME, LED_TO = "https://shop.example/", "https://shop.example/returns"
DAY = timedelta(days=1)


class Site:
    """What the web answers: pages by address, and nothing of others."""

    def __init__(self) -> None:
        self.pages = {HOME: b"<p>Home</p><a href='/returns'>Returns</a>", LED_TO: b"<p>30 days</p>"}
        self.robots: dict[str, tuple[str, ...]] = {}

    async def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Fetched | None:
        if url not in self.pages:
            raise PageGone("The site has no such page.")
        return Fetched(url, self.pages[url], etag, last_modified, self.robots.get(url, ()))


class Days:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 5, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


class Shop:
    """A site of two pages that were read, and what looks at it."""

    def __init__(self, database: Database, folder: Path, look_again: timedelta | None) -> None:
        self.scope, self.site, self.clock = new_scope(), Site(), Days()
        self.documents = PostgresDocuments(database)
        self.pages = PostgresPages(database)
        self.files = ObjectFiles(folder.as_uri())
        self.fetching = Fetching(self.documents, self.pages, self.files, self.site, self.clock, look_again)

    async def read(self) -> tuple[Document, Document]:
        home = await self.fetching.register(DocumentId(uuid7()), HOME, 1, self.scope)
        await self.read_page(home.id)
        [led_to] = await self.led_to(home)
        await self.read_page(led_to.id)
        return await self.document(home.id), await self.document(led_to.id)

    async def read_page(self, document_id: DocumentId) -> None:
        held = await claimed(self.documents, self.scope, await self.document(document_id))
        held = await self.fetching.fetch(held, self.scope)
        assert await self.documents.finish(self.scope, held, reading_of(held, "Some words."))
        await self.documents.release(self.scope, held)

    async def led_to(self, home: Document) -> Sequence[Document]:
        return await self.documents.page(self.scope, state=None, limit=9, before=None, came_of=home.id)

    async def document(self, document_id: DocumentId) -> Document:
        found = await self.documents.get(self.scope, document_id)
        assert found is not None
        return found

    async def looks_in_vain(self, document: Document, times: int) -> str:
        """The state after so many looks a day apart at a page that is gone."""
        for _ in range(times):
            self.clock.moment += DAY
            with pytest.raises(PageGone):
                await self.fetching.look(document.id, self.scope)
        return (await self.document(document.id)).state.value


@pytest.fixture(scope="module")
async def database(platform: Platform) -> AsyncIterator[Database]:
    async with ingest_rows(platform) as opened:
        yield opened


async def test_a_page_that_was_led_to_is_deleted_after_some_looks(database: Database, tmp_path: Path):
    shop = Shop(database, tmp_path, DAY)
    _, led_to = await shop.read()
    del shop.site.pages[LED_TO]
    assert await shop.looks_in_vain(led_to, GONE_LOOKS) == "ready"
    shop.clock.moment += DAY
    with pytest.raises(PageGone):
        await shop.fetching.look(led_to.id, shop.scope)
    assert (await shop.document(led_to.id)).state.value == "deleting"


async def test_a_link_that_the_database_would_not_keep_is_followed_or_left(database: Database, tmp_path: Path):
    shop = Shop(database, tmp_path, DAY)
    long = "".join(chr(0x4E00 + number * 7) for number in range(1_500))
    shop.site.pages[HOME] = f"<p>Home</p><a href='/\0a'>A</a><a href='/{long}'>B</a><a href='/b'>C</a>".encode()
    home = await shop.fetching.register(DocumentId(uuid7()), HOME, 1, shop.scope)
    await shop.read_page(home.id)
    assert {page.url for page in await shop.led_to(home)} == {f"{HOME}%00a", f"{HOME}b"}


async def test_a_failed_page_whose_address_came_again_stays_failed(database: Database, tmp_path: Path):
    shop = Shop(database, tmp_path, DAY)
    shop.site.pages[HOME] = b"<p></p>"
    first = await shop.fetching.register(DocumentId(uuid7()), HOME, 0, shop.scope)
    held = await claimed(shop.documents, shop.scope, first)
    held = await shop.fetching.fetch(held, shop.scope)
    await shop.documents.fail(shop.scope, held, Failure("empty_document", "It has no text."))
    await shop.documents.release(shop.scope, held)
    shop.site.pages[HOME] = b"<p>Home at last</p>"
    again = await shop.fetching.register(DocumentId(uuid7()), HOME, 0, shop.scope)
    assert again.id != first.id
    await shop.read_page(again.id)
    shop.site.pages[HOME] = b"<p>Home, and another number each time</p>"
    with pytest.raises(Conflict):
        await shop.fetching.look(first.id, shop.scope)
    assert (await shop.document(first.id)).state.value == "failed"


async def test_no_business_has_more_than_its_share_of_looks(database: Database, platform: Platform, tmp_path: Path):
    busy, other = Shop(database, tmp_path, -DAY), Shop(database, tmp_path, -DAY)
    busy.site.pages[HOME] = b"".join(b"<a href='/%d'>More</a>" % number for number in range(6))
    busy.site.pages |= {f"{HOME}{number}": b"<p>%d</p>" % number for number in range(6)}
    home = await busy.fetching.register(DocumentId(uuid7()), HOME, 1, busy.scope)
    await busy.read_page(home.id)
    for page in await busy.led_to(home):
        await busy.read_page(page.id)
    pages = await other.read()
    async with connection(platform.postgres_url("ingest_relay")) as relay:

        async def due(most_each: int, **taken: int) -> Counter[str]:
            names = {busy.scope.tenant_id: "busy", other.scope.tenant_id: "other"}
            tenants = [tenant_id for tenant_id, name in names.items() if name in taken]
            rows = await relay.fetch(DUE, 1_000, most_each, tenants, [taken[names[each]] for each in tenants])
            return Counter(names[row["tenant_id"]] for row in rows if row["tenant_id"] in names)

        assert await due(3, busy=2) == {"busy": 1, "other": len(pages)}
        assert await due(3, busy=1) == {"busy": 2}, "who was taken comes again later only"
        assert await due(3, busy=4) == {}
        assert await due(10) == {"busy": 4}


async def test_without_looks_to_come_no_page_is_deleted(database: Database, tmp_path: Path):
    shop = Shop(database, tmp_path, None)
    _, led_to = await shop.read()
    del shop.site.pages[LED_TO]
    assert await shop.looks_in_vain(led_to, GONE_LOOKS + 2) == "ready"
    failure = (await shop.document(led_to.id)).failure
    assert failure is not None
    assert failure.code == "page_not_found"


async def test_a_page_stays_while_the_first_one_of_its_site_is_deleted(database: Database, tmp_path: Path):
    shop = Shop(database, tmp_path, DAY)
    home, led_to = await shop.read()
    del shop.site.pages[LED_TO]
    assert await shop.documents.begin_deleting(shop.scope, home.id)
    assert await shop.looks_in_vain(led_to, GONE_LOOKS + 2) == "ready"


async def test_a_page_that_changed_did_so_though_its_old_file_cannot_be_deleted(database: Database, tmp_path: Path):
    shop = Shop(database, tmp_path, DAY)
    home, _ = await shop.read()
    old = tmp_path / "files" / str(shop.scope.tenant_id) / home.sha256
    old.unlink()
    old.mkdir()
    shop.site.pages[HOME] = b"<p>Another home</p>"
    assert await shop.fetching.look(home.id, shop.scope)
    changed = await shop.document(home.id)
    assert (changed.generation, changed.sha256 == home.sha256) == (home.generation + 1, False)
    assert await shop.files.read(shop.scope, changed.sha256) == b"<p>Another home</p>"
    assert old.is_dir()


async def test_a_page_that_asks_not_to_be_kept_is_not_but_leads_on_once(database: Database, tmp_path: Path):
    shop = Shop(database, tmp_path, DAY)
    shop.site.robots[LED_TO] = ("noindex",)
    shop.site.pages[LED_TO] = b"<p>All returns</p><a href='/one'>One</a>"
    shop.site.pages[f"{HOME}one"] = b"<a href='/returns'>Returns</a><p>One</p>"
    home = await shop.fetching.register(DocumentId(uuid7()), HOME, 3, shop.scope)
    await shop.read_page(home.id)
    [led_to] = await shop.led_to(home)
    held = await claimed(shop.documents, shop.scope, led_to)
    with pytest.raises(PageUnlisted) as refused:
        await shop.fetching.fetch(held, shop.scope)
    await shop.documents.fail(shop.scope, held, Failure(refused.value.code, refused.value.detail))
    assert {page.url for page in await shop.led_to(home)} == {LED_TO, f"{HOME}one"}
    await shop.read_page(next(page.id for page in await shop.led_to(home) if page.url != LED_TO))
    assert len(await shop.led_to(home)) == 2, "a link back to what was refused brings no other"


async def test_a_page_whose_own_address_was_given_is_read_and_says_what_it_asks(database: Database, tmp_path: Path):
    shop = Shop(database, tmp_path, DAY)
    shop.site.pages[HOME] += b'<meta name="robots" content="noindex, nofollow">'
    home = await shop.fetching.register(DocumentId(uuid7()), HOME, 1, shop.scope)
    await shop.read_page(home.id)
    assert not await shop.led_to(home)
    notes = await shop.fetching.notes(home, shop.site.pages[HOME], shop.scope)
    assert ["noindex" in note.reason or "nofollow" in note.reason for note in notes] == [True, True]
    assert not await shop.fetching.notes(home, b"<p>Nothing asked</p>", shop.scope)


async def test_a_page_that_asks_later_goes_like_one_that_is_gone(database: Database, tmp_path: Path):
    shop = Shop(database, tmp_path, DAY)
    _, led_to = await shop.read()
    kept = shop.site.pages[LED_TO]
    shop.site.pages[LED_TO] = b'<meta name="robots" content="noindex"><p>30 days</p>'
    assert await shop.looks_in_vain(led_to, 1) == "ready"
    failure = (await shop.document(led_to.id)).failure
    assert failure is not None
    assert failure.code == "robots_refused"
    shop.site.pages[LED_TO] = kept
    await shop.fetching.look(led_to.id, shop.scope)
    assert (await shop.document(led_to.id)).failure is None
    await shop.read_page(led_to.id)
    shop.site.robots[LED_TO] = ("noindex",)
    assert await shop.looks_in_vain(led_to, GONE_LOOKS) == "ready"
    assert await shop.looks_in_vain(led_to, 1) == "deleting"


async def test_the_sweep_takes_what_no_document_has_and_leaves_businesses_without_any(
    database: Database, tmp_path: Path
):
    documents, files = PostgresDocuments(database), ObjectFiles(tmp_path.as_uri())
    trading, restored = new_scope(), new_scope()
    await added(documents, trading, sha256="held")
    begun = await added(documents, trading, sha256="deleting")
    await documents.begin_deleting(trading, begun.id)
    kept = [(trading, "held"), (trading, "deleting"), (trading, "orphan"), (restored, "held"), (restored, "orphan")]
    for scope, sha256 in kept:
        await files.put(scope, sha256, b"text")
        _make_old(tmp_path, scope, sha256)
    await files.put(trading, "young orphan", b"text")
    assert await originals.sweep(documents=documents, files=files) == 2
    left = [each for each in (*kept, (trading, "young orphan")) if await files.read(*each) is not None]
    assert left == [(trading, "held"), (restored, "held"), (restored, "orphan"), (trading, "young orphan")]
    assert await originals.sweep(documents=documents, files=files) == 0


def _make_old(folder: Path, scope: TenantScope, sha256: str) -> None:
    past = time.time() - 2 * ORPHAN_AFTER.total_seconds()
    os.utime(folder / "files" / str(scope.tenant_id) / sha256, (past, past))
