"""Documents that come from the web, in Postgres."""

from collections.abc import Sequence
from typing import Final

from sqlmodel import col, select

from contracts.ids import DocumentId
from ingest_service.domain.document import Document, Failure, State
from ingest_service.domain.errors import PageGone, SameContent
from ingest_service.domain.ports import Documents, Step
from ingest_service.domain.web_page import MOST_PAGES, Absence, Content, Marks, WebPage
from ingest_service.outbound.document_changes import enqueue, lock_content, say, twin_of
from ingest_service.outbound.rows import document_of, row_of
from ingest_service.outbound.tables import DocumentRow
from runtime.db import Database
from runtime.tenancy import TenantScope
from runtime.transaction import Transaction

_FETCHED: Final = """
    UPDATE document SET sha256 = $3, size_bytes = $4, updated_at = now()
    WHERE tenant_id = $1 AND id = $2 AND attempt = $5 RETURNING id
"""
_NOTED: Final = """
    UPDATE web_page SET etag = $3, last_modified = $4, look_again_at = $5, gone_since = NULL
    WHERE tenant_id = $1 AND document_id = $2 RETURNING site_id
"""
_GONE: Final = """
    UPDATE web_page AS w SET gone_since = coalesce(gone_since, $3), look_again_at = $4
    WHERE tenant_id = $1 AND document_id = $2
    RETURNING gone_since, site_id <> document_id AND EXISTS (
        SELECT FROM web_page AS s
        JOIN document AS d ON d.tenant_id = s.tenant_id AND d.id = s.document_id AND d.state <> 'deleting'
        WHERE s.tenant_id = w.tenant_id AND s.document_id = w.site_id AND s.gone_since IS NULL) AS can_go
"""
_SAID_GONE: Final = """
    UPDATE document SET error_code = $3, error_detail = $4, error_page = NULL, updated_at = now()
    WHERE tenant_id = $1 AND id = $2 AND state = 'ready' AND error_code IS NULL RETURNING id
"""
_SAID_THERE: Final = """
    UPDATE document SET error_code = NULL, error_detail = NULL, updated_at = now()
    WHERE tenant_id = $1 AND id = $2 AND state = 'ready' AND error_code = $3 RETURNING id
"""
_LEADS: Final = """
    SELECT w.site_id FROM web_page AS w
    JOIN document AS d ON d.tenant_id = w.tenant_id AND d.id = w.document_id AND d.state <> 'deleting'
    JOIN document AS s ON s.tenant_id = w.tenant_id AND s.id = w.site_id AND s.state <> 'deleting'
    WHERE w.tenant_id = $1 AND w.document_id = $2
"""
_ASKED_FOR: Final = "UPDATE web_page SET site_id = document_id WHERE tenant_id = $1 AND document_id = $2"
_LED_TO: Final = """
    SELECT d.id FROM web_page AS w JOIN document AS d ON d.tenant_id = w.tenant_id AND d.id = w.document_id
    WHERE w.tenant_id = $1 AND w.site_id = $2 AND w.document_id <> $2 AND d.state <> 'deleting' ORDER BY d.id
"""


class PostgresPages:
    """Implements `Pages`."""

    def __init__(self, database: Database, documents: Documents) -> None:
        self._database = database
        self._documents = documents

    async def add(self, scope: TenantScope, document: Document, *, depth: int) -> Document:
        async with self._database.tenant_tx(scope, lock="web pages") as tx:
            known = await _with_addresses(tx, [document.url or ""])
            if known:
                await tx.execute(_ASKED_FOR, scope.tenant_id, known[0].id)
                return document_of(known[0])
            await _insert(tx, scope, document, site_id=document.id, depth=depth)
        return document

    async def of(self, scope: TenantScope, document_id: DocumentId) -> WebPage | None:
        async with self._database.tenant_tx(scope) as tx:
            row = await tx.fetch_row(
                "SELECT site_id, depth, etag, last_modified FROM web_page WHERE tenant_id = $1 AND document_id = $2",
                scope.tenant_id,
                document_id,
            )
        if row is None:
            return None
        return WebPage(document_id, DocumentId(row["site_id"]), row["depth"], row["etag"], row["last_modified"])

    async def led_to(self, scope: TenantScope, document_id: DocumentId) -> Sequence[DocumentId]:
        async with self._database.tenant_tx(scope) as tx:
            rows = await tx.fetch_rows(_LED_TO, scope.tenant_id, document_id)
        return [DocumentId(row["id"]) for row in rows]

    async def begin_deleting(self, scope: TenantScope, document_id: DocumentId) -> bool:
        # whoever fetches one of them waits for the lock, and is fenced then: it adds no further pages
        async with self._database.tenant_tx(scope, lock="web pages"):
            is_there = await self._documents.begin_deleting(scope, document_id)
            for page_id in await self.led_to(scope, document_id):
                await self._documents.begin_deleting(scope, page_id)
        return is_there

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
        async with self._database.tenant_tx(scope, lock="web pages") as tx:
            if not await _hold(tx, document, content):
                return None
            await keep()
            site_id = await _note(tx, document.id, content.marks)
            await _add_found(tx, scope, found, site_id=site_id, depth=depth)
            row = await tx.session.get_one(DocumentRow, (scope.tenant_id, document.id), populate_existing=True)
        return document_of(row)

    async def lead_to(
        self, scope: TenantScope, document_id: DocumentId, found: Sequence[Document], *, depth: int
    ) -> None:
        async with self._database.tenant_tx(scope, lock="web pages") as tx:
            page = await tx.fetch_row(_LEADS, scope.tenant_id, document_id)
            if page is not None:
                await _add_found(tx, scope, found, site_id=DocumentId(page["site_id"]), depth=depth)

    async def seen(self, scope: TenantScope, document_id: DocumentId, marks: Marks) -> None:
        async with self._database.tenant_tx(scope) as tx:
            await _note(tx, document_id, marks)
            if await tx.fetch_row(_SAID_THERE, scope.tenant_id, document_id, PageGone.default_code):
                await say(tx, document_id, State.READY, 1.0)

    async def gone(self, scope: TenantScope, document_id: DocumentId, failure: Failure, absence: Absence) -> bool:
        async with self._database.tenant_tx(scope) as tx:
            page = await tx.fetch_row(_GONE, scope.tenant_id, document_id, absence.at, absence.look_again_at)
            if await tx.fetch_row(_SAID_GONE, scope.tenant_id, document_id, failure.code, failure.detail):
                await say(tx, document_id, State.READY, 1.0, error_code=failure.code)
        return page is not None and page["can_go"] and page["gone_since"] <= absence.long_ago


async def _hold(tx: Transaction, document: Document, content: Content) -> bool:
    """Give a document its content, unless its attempt does not count any more.

    Raises:
        SameContent: Another document holds it.
    """
    await lock_content(tx, content.sha256)
    twin = await twin_of(tx, document.id, content.sha256)
    if twin is not None:
        raise SameContent(f"The page holds the same as the document “{twin}”.")
    values = (tx.tenant_id, document.id, content.sha256, content.size_bytes, document.attempt)
    return await tx.fetch_row(_FETCHED, *values) is not None


async def _note(tx: Transaction, document_id: DocumentId, marks: Marks) -> DocumentId:
    """What the site said; returns the page's site."""
    values = (tx.tenant_id, document_id, marks.etag, marks.last_modified, marks.look_again_at)
    row = await tx.fetch_row(_NOTED, *values)
    return DocumentId(row["site_id"])


async def _add_found(
    tx: Transaction, scope: TenantScope, found: Sequence[Document], *, site_id: DocumentId, depth: int
) -> None:
    """Store the pages that nobody has yet, as far as the site's limit allows."""
    if not found:
        return
    known = {row.url for row in await _with_addresses(tx, [page.url or "" for page in found])}
    held = await tx.fetch_row(
        "SELECT count(*) AS pages FROM web_page WHERE tenant_id = $1 AND site_id = $2", scope.tenant_id, site_id
    )
    new = [page for page in found if page.url not in known]
    for page in new[: max(MOST_PAGES - held["pages"], 0)]:
        await _insert(tx, scope, page, site_id=site_id, depth=depth)


async def _insert(tx: Transaction, scope: TenantScope, document: Document, *, site_id: DocumentId, depth: int) -> None:
    tx.session.add(row_of(scope, document))
    await tx.session.flush()
    await tx.execute(
        "INSERT INTO web_page (tenant_id, document_id, site_id, depth) VALUES ($1, $2, $3, $4)",
        scope.tenant_id,
        document.id,
        site_id,
        depth,
    )
    await enqueue(tx, document.id)


async def _with_addresses(tx: Transaction, urls: Sequence[str]) -> Sequence[DocumentRow]:
    """Documents in use that come from these addresses."""
    in_use = col(DocumentRow.state).not_in((State.FAILED, State.DELETING))
    chosen = select(DocumentRow).where(DocumentRow.tenant_id == tx.tenant_id, col(DocumentRow.url).in_(urls), in_use)
    return (await tx.session.exec(chosen)).all()
