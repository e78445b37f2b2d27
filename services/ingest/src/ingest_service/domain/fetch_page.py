"""Documents from the web: registered by address, fetched by their first job, looked at again from time to time."""

import asyncio
import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from contracts.ids import DocumentId, uuid7
from ingest_service.domain.document import Document, Failure, Note, received
from ingest_service.domain.errors import DocumentRefused, PageGone, PageUnlisted
from ingest_service.domain.originals import let_go
from ingest_service.domain.ports import Documents, Files
from ingest_service.domain.progress import Fenced
from ingest_service.domain.web_address import normal, origin
from ingest_service.domain.web_asks import NOTHING, Asks, asks_of
from ingest_service.domain.web_links import is_sitemap, links_of
from ingest_service.domain.web_page import MOST_PAGES, Absence, Content, Fetched, Marks, Pages, Web
from runtime.clock import Clock
from runtime.errors import Retryable
from runtime.tenancy import TenantScope

LONGEST_NAME: Final = 255
KEPT: Final = (
    "The page asks not to be kept by search (noindex). As its own address was given, it was read all the same; delete "
    "it here if it is not meant for your customers."
)
ALONE: Final = (
    "The page asks not to follow its links (nofollow): none was. Give the addresses of those pages, or of a sitemap."
)
GONE_LOOKS: Final = 3
"""A page that a site led to is deleted after so many intervals without it: it may have been away by mistake."""


@dataclass(frozen=True)
class Fetching:
    """Everything that fetching needs. `look_again` is None when a page is fetched once only."""

    documents: Documents
    pages: Pages
    files: Files
    web: Web
    clock: Clock
    look_again: timedelta | None

    async def register(
        self, document_id: DocumentId, url: str, depth: int, scope: TenantScope, *, tags: tuple[str, ...] = ()
    ) -> Document:
        """The document for an address; the same address again is the same document, unless that one failed.

        Raises:
            AddressRefused: It is no address of a web page.
        """
        return await self.pages.add(scope, self._new(document_id, normal(url), tags), depth=depth)

    async def fetch(self, document: Document, scope: TenantScope) -> Document:
        """Get and keep what the page holds, and register the pages that it leads to.

        Raises:
            DocumentRefused: It cannot be had, or was only led to and asks not to be kept.
            SiteAway: Not now.
            VisitorLeaves: The process stops.
            Fenced: The attempt does not count any more.
        """
        page = await self.pages.of(scope, document.id)
        if page is None or document.url is None:
            raise DocumentRefused("The stored file is gone. Upload it again.")
        fetched = await self.web.get(document.url)
        if fetched is None:
            raise DocumentRefused("The site says that the page is unchanged, but it was never fetched.")
        depth = _depth_beyond(page.depth, fetched.data)
        found = [] if depth < 0 else self._led_to(document, await _links(fetched))
        if await _is_unlisted(document, fetched):
            await self.pages.lead_to(scope, document.id, found, depth=depth)
            raise PageUnlisted
        content = self._content(fetched)
        held = await self.pages.fetched(
            scope,
            document,
            content,
            keep=lambda: self.files.put(scope, content.sha256, fetched.data),
            found=found,
            depth=depth,
        )
        if held is None:
            raise Fenced
        return held

    async def look(self, document_id: DocumentId, scope: TenantScope) -> bool:
        """Ask the site whether the page changed, and have it read anew if so; True when it did.

        Pages that it leads to now, and did not before, become documents as at first; what was deleted does not come
        back. One that is gone, or asks not to be kept, at `GONE_LOOKS` looks is deleted, unless somebody asked for it.

        Raises:
            DocumentRefused: It cannot be had any more; what is known of it stays for now.
            Conflict: It holds what another document has, or has its address.
            SiteAway: Not now.
            VisitorLeaves: The process stops.
        """
        document, page = await self.documents.get(scope, document_id), await self.pages.of(scope, document_id)
        if document is None or document.url is None or page is None or not document.state.is_at_rest:
            return False
        page.refuse_elsewhere()
        try:
            fetched = await self.web.get(document.url, etag=page.etag, last_modified=page.last_modified)
            if fetched is not None and await _is_unlisted(document, fetched):
                raise PageUnlisted
        except PageGone as gone:
            await self._note_absence(document, gone, scope)
            raise
        if fetched is None:
            marks = Marks(page.etag, page.last_modified, self._next_look())
            await self.pages.seen(scope, document_id, marks)
            return False
        content = self._content(fetched)
        depth = _depth_beyond(page.depth, fetched.data)
        if depth >= 0 and content.sha256 != document.sha256:
            # before the content: after a crash in between the same links are new once more
            found = await self._new_pages(document, fetched, scope)
            await self.pages.lead_to(scope, document_id, found, depth=depth)
        version = await self.documents.replace(
            scope,
            replace(document, sha256=content.sha256, size_bytes=content.size_bytes),
            keep=lambda: self.files.put(scope, content.sha256, fetched.data),
        )
        # after the content: a crash in between only makes the site send the page once more
        await self.pages.seen(scope, document_id, content.marks)
        # upkeep does it later: the page changed, whatever becomes of the old file
        with contextlib.suppress(Retryable):
            await let_go(scope, [document.sha256], documents=self.documents, files=self.files)
        return version is not None and version.generation > document.generation

    async def site_of(self, scope: TenantScope, document_id: DocumentId) -> str:
        """Scheme, host and port of a page's address; empty when it is gone."""
        document = await self.documents.get(scope, document_id)
        return "" if document is None or document.url is None else origin(document.url)

    async def _new_pages(self, document: Document, fetched: Fetched, scope: TenantScope) -> list[Document]:
        """What the page leads to, and did not when it was read."""
        before = await self.files.read(scope, document.sha256)
        if before is None:
            return []
        known = set(await asyncio.to_thread(links_of, before, fetched.url))
        return self._led_to(document, [link for link in await _links(fetched) if link not in known])

    async def notes(self, document: Document, data: bytes, scope: TenantScope) -> tuple[Note, ...]:
        """What the owner of a page should know of what it asks for in its text, and what was made of that."""
        asks = await asyncio.to_thread(asks_of, data)
        page = await self.pages.of(scope, document.id) if any(asks) else None
        is_for_links = page is not None and page.depth > 0 and asks.not_to_follow
        return tuple(Note(None, words) for words, is_due in ((KEPT, asks.not_to_keep), (ALONE, is_for_links)) if is_due)

    def _led_to(self, document: Document, links: Sequence[str]) -> list[Document]:
        return [self._new(DocumentId(uuid7()), link, document.tags) for link in links[:MOST_PAGES]]

    async def _note_absence(self, document: Document, gone: PageGone, scope: TenantScope) -> None:
        now = self.clock.now()
        absence = Absence(now, now - GONE_LOOKS * (self.look_again or timedelta()), self._next_look())
        is_long_gone = await self.pages.gone(scope, document.id, Failure(gone.code, gone.detail), absence)
        # without looks to come, nobody would see that it is there again
        if is_long_gone and self.look_again is not None:
            await self.documents.begin_deleting(scope, document.id)

    def _content(self, fetched: Fetched) -> Content:
        marks = Marks(fetched.etag, fetched.last_modified, self._next_look())
        return Content(len(fetched.data), hashlib.sha256(fetched.data).hexdigest(), marks)

    def _next_look(self) -> datetime | None:
        return None if self.look_again is None else self.clock.now() + self.look_again

    def _new(self, document_id: DocumentId, url: str, tags: tuple[str, ...]) -> Document:
        parts = urlsplit(url)
        name = parts.path.rstrip("/").rpartition("/")[2] or parts.netloc
        return received(document_id, name[:LONGEST_NAME], self.clock.now(), url=url, tags=tags)


async def _links(fetched: Fetched) -> list[str]:
    """Where a page leads to, as far as it may be followed."""
    if (await _asks(fetched)).not_to_follow:
        return []
    return await asyncio.to_thread(links_of, fetched.data, fetched.url)


async def _is_unlisted(document: Document, fetched: Fetched) -> bool:
    """A page that was only led to asks not to be kept. Whoever gives its address asks for it all the same."""
    return document.came_of is not None and (await _asks(fetched)).not_to_keep


async def _asks(fetched: Fetched) -> Asks:
    """A sitemap is no page: it is never kept, and read for its links alone."""
    if is_sitemap(fetched.data):
        return NOTHING
    return await asyncio.to_thread(asks_of, fetched.data, fetched.robots)


def _depth_beyond(depth: int, data: bytes) -> int:
    """How many links further the pages go that this one leads to; below 0: they are not fetched.

    A sitemap's pages are what was asked for, and no links of it.
    """
    return depth if is_sitemap(data) else depth - 1
