"""A page of the web as a document, and what fetching one needs from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from contracts.ids import DocumentId, TenantId
from ingest_service.domain.document import Document, Failure
from ingest_service.domain.places import NoPlace
from ingest_service.domain.ports import Step
from runtime.errors import Conflict, Unavailable
from runtime.tenancy import TenantScope

MOST_PAGES: Final = 500
"""Documents that come of one address, the first page included."""


@dataclass(frozen=True, slots=True)
class WebPage:
    """How a document is fetched.

    Attributes:
        depth: How many links further pages are fetched; those that a sitemap names are not further than itself.
        etag, last_modified: What the site said of the content that is kept.
        is_elsewhere: It failed, and its address was given again: another document in use is from there.
    """

    document_id: DocumentId
    depth: int
    etag: str | None = None
    last_modified: str | None = None
    is_elsewhere: bool = False

    def refuse_elsewhere(self) -> None:
        """Raises Conflict if it must not be read again."""
        if self.is_elsewhere:
            raise Conflict("Another document of the same address was added since.")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page as the site gave it; `url` is where it was found in the end, `robots` its `X-Robots-Tag`s."""

    url: str
    data: bytes
    etag: str | None
    last_modified: str | None
    robots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Marks:
    """By what a site knows its page again, and when to look whether it changed."""

    etag: str | None
    last_modified: str | None
    look_again_at: datetime | None


@dataclass(frozen=True, slots=True)
class Absence:
    """When a page was not there, when it has been away for long, and when to look for it again."""

    at: datetime
    long_ago: datetime
    look_again_at: datetime | None


@dataclass(frozen=True, slots=True)
class Content:
    """What a page holds at the moment: its size in bytes and SHA-256 (hex)."""

    size_bytes: int
    sha256: str
    marks: Marks


class SiteAway(Unavailable):
    """The site cannot be reached, or fails; `detail` says how, for the page's owner."""

    default_code = "site_unreachable"


class LeftAlone(SiteAway):
    """It was not visited at all: it asked to be left alone until `retry_after_s` is over."""


class VisitorLeaves(NoPlace):
    """The process stops: whoever takes over fetches the page, at once."""

    def __init__(self) -> None:
        super().__init__(0.0)


class Web(Protocol):
    """The web, seen from a visitor that keeps to robots.txt and stays out of private networks."""

    async def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Fetched | None:
        """One page; None when it is still what `etag` and `last_modified` stand for.

        Raises:
            DocumentRefused: It cannot be had; asking again changes nothing.
            SiteAway: Not now, at the earliest after its `retry_after_s`.
            VisitorLeaves: The process stops.
        """
        ...


class DuePages(Protocol):
    """Every tenant's pages."""

    async def due(
        self, limit: int, most_each: int, taken: Mapping[TenantId, int]
    ) -> Sequence[tuple[TenantScope, DocumentId]]:
        """Take at most `limit` pages whose time has come; they come again in an hour unless they were looked at.

        Of each business no more than `most_each`, with those of it that are `taken` already.
        """
        ...


class Pages(Protocol):
    """Documents that come from the web. Facts and jobs are said in the commit of the change, as `Documents` does."""

    async def add(self, scope: TenantScope, document: Document, *, depth: int) -> Document:
        """Store a page that is to be fetched; the one that has the same address already is returned instead.

        That one came of no other any more: somebody asked for it.
        """
        ...

    async def of(self, scope: TenantScope, document_id: DocumentId) -> WebPage | None:
        """How this document is fetched; None for an upload."""
        ...

    async def fetched(
        self,
        scope: TenantScope,
        document: Document,
        content: Content,
        *,
        keep: Step,
        found: Sequence[Document],
        depth: int,
    ) -> Document | None:
        """Note what the page holds, and store the pages found in it as far as `MOST_PAGES` allows.

        `depth`: how many links further than those pages are fetched. `keep` is awaited before the commit.
        None: the attempt does not count any more.

        Raises:
            SameContent: Another document holds it already.
        """
        ...

    async def lead_to(
        self, scope: TenantScope, document_id: DocumentId, found: Sequence[Document], *, depth: int
    ) -> None:
        """Store pages found later, as `fetched` does; none when the page or its site's first one is being deleted."""
        ...

    async def seen(self, scope: TenantScope, document_id: DocumentId, marks: Marks) -> None:
        """Note what the site said of a page that was looked at; one that was gone or unlisted is there again."""
        ...

    async def gone(self, scope: TenantScope, document_id: DocumentId, failure: Failure, absence: Absence) -> bool:
        """Note that a page is not there, also in what its owner sees of it; True when it can be deleted.

        That is when it was gone at every look since `absence.long_ago`, nobody asked for it, and the first page of its
        site is there: a site that answers so to everything is broken, and one whose first page is being deleted stays.
        """
        ...
