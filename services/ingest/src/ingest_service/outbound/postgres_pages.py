"""Documents that come from the web, in Postgres."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlmodel import col, select

from contracts.ids import DocumentId
from ingest_service.domain.document import Document, Failure, State
from ingest_service.domain.errors import PageGone, PageUnlisted, SameContent
from ingest_service.domain.ports import Step
from ingest_service.domain.web_page import MOST_PAGES, Absence, Content, Marks, WebPage
from ingest_service.outbound.document_changes import LED_TO, asked_for, enqueue, lock_content, say, twin_of
from ingest_service.outbound.rows import document_of, row_of
from ingest_service.outbound.tables import DocumentRow
from runtime.db import Database
from runtime.tenancy import TenantScope
from runtime.transaction import Transaction

_FETCHED: Final = """
    UPDATE document SET sha256 = $3, size_bytes = $4, updated_at = now()
    WHERE tenant_id = $1 AND id = $2 AND generation = $5 AND attempt = $6 RETURNING id
"""
_NOTED: Final = """
    UPDATE web_page SET etag = $3, last_modified = $4, look_again_at = $5, gone_since = NULL
    WHERE tenant_id = $1 AND document_id = $2
"""
_GONE: Final = """
    UPDATE web_page AS w SET gone_since = coalesce(w.gone_since, $3), look_again_at = $4
    FROM document AS d
    WHERE w.tenant_id = $1 AND w.document_id = $2 AND d.tenant_id = $1 AND d.id = $2
    RETURNING w.gone_since, EXISTS (
        SELECT FROM web_page AS s
        JOIN document AS first ON first.tenant_id = s.tenant_id AND first.id = s.document_id
        WHERE s.tenant_id = $1 AND s.document_id = d.came_of AND s.gone_since IS NULL
            AND first.state <> 'deleting') AS can_go
"""
_SAID_GONE: Final = """
    UPDATE document SET error_code = $3, error_detail = $4, error_page = NULL, updated_at = now()
    WHERE tenant_id = $1 AND id = $2 AND state = 'ready' AND error_code IS NULL RETURNING id
"""
_SAID_THERE: Final = """
    UPDATE document SET error_code = NULL, error_detail = NULL, updated_at = now()
    WHERE tenant_id = $1 AND id = $2 AND state = 'ready' AND error_code = ANY($3) RETURNING id
"""
_ABSENT: Final = [PageGone.default_code, PageUnlisted.default_code]
_SITE: Final = """
    SELECT s.id FROM document AS d
    JOIN document AS s ON s.tenant_id = d.tenant_id AND s.id = coalesce(d.came_of, d.id) AND s.state <> 'deleting'
    WHERE d.tenant_id = $1 AND d.id = $2 AND d.state <> 'deleting'
"""
"""The first page of a page's site, while both are there."""
_PAGE: Final = """
    SELECT w.depth, w.etag, w.last_modified, d.state = 'failed' AND EXISTS (
        SELECT FROM document AS o WHERE o.tenant_id = $1 AND o.url = d.url AND o.state NOT IN ('failed', 'deleting'))
            AS is_elsewhere
    FROM web_page AS w JOIN document AS d ON d.tenant_id = w.tenant_id AND d.id = w.document_id
    WHERE w.tenant_id = $1 AND w.document_id = $2
"""
_HELD: Final = "SELECT count(*) AS pages FROM document WHERE tenant_id = $1 AND (id = $2 OR came_of = $2)"


class PostgresPages:
    """Implements `Pages`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, scope: TenantScope, document: Document, *, depth: int) -> Document:
        async with self._database.tenant_tx(scope, lock=LED_TO) as tx:
            known = await _with_addresses(tx, [document.url or ""])
            if known:
                return await asked_for(tx, known[0])
            await _insert(tx, scope, document, depth=depth)
        return document

    async def of(self, scope: TenantScope, document_id: DocumentId) -> WebPage | None:
        async with self._database.tenant_tx(scope) as tx:
            row = await tx.fetch_row(_PAGE, scope.tenant_id, document_id)
        return None if row is None else WebPage(document_id, **row)

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
        async with self._database.tenant_tx(scope, lock=LED_TO) as tx:
            if not await _hold(tx, document, content):
                return None
            await keep()
            await _note(tx, document.id, content.marks)
            row = await tx.session.get_one(DocumentRow, (scope.tenant_id, document.id), populate_existing=True)
            page = document_of(row)
            await _add_found(tx, scope, found, site_id=page.came_of or page.id, depth=depth)
        return page

    async def lead_to(
        self, scope: TenantScope, document_id: DocumentId, found: Sequence[Document], *, depth: int
    ) -> None:
        async with self._database.tenant_tx(scope, lock=LED_TO) as tx:
            site = await tx.fetch_row(_SITE, scope.tenant_id, document_id)
            if site is not None:
                await _add_found(tx, scope, found, site_id=DocumentId(site["id"]), depth=depth)

    async def seen(self, scope: TenantScope, document_id: DocumentId, marks: Marks) -> None:
        async with self._database.tenant_tx(scope) as tx:
            await _note(tx, document_id, marks)
            if await tx.fetch_row(_SAID_THERE, scope.tenant_id, document_id, _ABSENT):
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
    attempt = (document.generation, document.attempt)
    values = (tx.tenant_id, document.id, content.sha256, content.size_bytes, *attempt)
    return await tx.fetch_row(_FETCHED, *values) is not None


async def _note(tx: Transaction, document_id: DocumentId, marks: Marks) -> None:
    values = (tx.tenant_id, document_id, marks.etag, marks.last_modified, marks.look_again_at)
    await tx.execute(_NOTED, *values)


async def _add_found(
    tx: Transaction, scope: TenantScope, found: Sequence[Document], *, site_id: DocumentId, depth: int
) -> None:
    """Store the pages that nobody has yet, as far as the site's limit allows."""
    if not found:
        return
    urls = [page.url or "" for page in found]
    known = {row.url for row in await _with_addresses(tx, urls, failed_of=site_id)}
    held = await tx.fetch_row(_HELD, scope.tenant_id, site_id)
    new = [page for page in found if page.url not in known]
    for page in new[: max(MOST_PAGES - held["pages"], 0)]:
        await _insert(tx, scope, replace(page, came_of=site_id), depth=depth)


async def _insert(tx: Transaction, scope: TenantScope, document: Document, *, depth: int) -> None:
    tx.session.add(row_of(scope, document))
    await tx.session.flush()
    await tx.execute(
        "INSERT INTO web_page (tenant_id, document_id, depth) VALUES ($1, $2, $3)",
        scope.tenant_id,
        document.id,
        depth,
    )
    await enqueue(tx, document.id)


async def _with_addresses(
    tx: Transaction, urls: Sequence[str], *, failed_of: DocumentId | None = None
) -> Sequence[DocumentRow]:
    """Documents in use that come from these addresses, and what failed of the site `failed_of`.

    Every page of a site may lead to one that is refused, and each would bring it once more.
    """
    in_use = col(DocumentRow.state).not_in((State.FAILED, State.DELETING))
    refused = (col(DocumentRow.state) == State.FAILED) & (col(DocumentRow.came_of) == failed_of)
    at_place = DocumentRow.tenant_id == tx.tenant_id, col(DocumentRow.url).in_(urls)
    chosen = select(DocumentRow).where(*at_place, in_use if failed_of is None else in_use | refused)
    return (await tx.session.exec(chosen)).all()
