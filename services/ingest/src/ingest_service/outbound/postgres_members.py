"""Documents that came of archives, in Postgres."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from sqlmodel import col, select

from ingest_service.domain.document import Document, Failure, State
from ingest_service.domain.ports import Documents, Step
from ingest_service.domain.progress import Fenced
from ingest_service.outbound.document_changes import LED_TO, say
from ingest_service.outbound.rows import document_of, row_of
from ingest_service.outbound.tables import DocumentRow
from runtime.db import Database
from runtime.tenancy import TenantScope
from runtime.transaction import Transaction

_AT_WORK: Final = """
    SELECT id FROM document
    WHERE tenant_id = $1 AND id = $2 AND generation = $3 AND attempt = $4
        AND state NOT IN ('ready', 'failed', 'deleting')
"""
_TAKEN: Final = """
    UPDATE document AS d SET came_of = $3, path = $4
    WHERE tenant_id = $1 AND id = $2 AND path IS NOT NULL AND (came_of = $3 OR NOT EXISTS (
        SELECT FROM document AS a
        WHERE a.tenant_id = $1 AND a.id = d.came_of AND a.state NOT IN ('failed', 'deleting')))
"""
"""A member of this archive, or of one that is no more."""
_SAID: Final = """
    UPDATE document SET error_code = $3, error_detail = $4, error_page = NULL, updated_at = now()
    WHERE tenant_id = $1 AND id = $2 AND state IN ('ready', 'failed') RETURNING state, progress
"""


class PostgresMembers:
    """Implements `Members`."""

    def __init__(self, database: Database, documents: Documents) -> None:
        self._database = database
        self._documents = documents

    async def of(self, scope: TenantScope, archive: Document) -> Sequence[Document]:
        chosen = select(DocumentRow).where(
            col(DocumentRow.tenant_id) == scope.tenant_id,
            col(DocumentRow.came_of) == archive.id,
            col(DocumentRow.state) != State.DELETING,
        )
        async with self._database.tenant_tx(scope) as tx:
            rows = (await tx.session.exec(chosen.order_by(col(DocumentRow.id)))).all()
        return [document_of(row) for row in rows]

    async def add(self, scope: TenantScope, archive: Document, member: Document, *, keep: Step) -> None:
        async with self._while_at_work(scope, archive) as tx:
            stored = await self._documents.add(scope, member, keep=keep)
            if stored.id != member.id:
                await tx.execute(_TAKEN, scope.tenant_id, stored.id, archive.id, member.path)

    async def refuse(self, scope: TenantScope, archive: Document, member: Document, failure: Failure) -> None:
        async with self._while_at_work(scope, archive) as tx:
            if await self._documents.get(scope, member.id) is None:
                tx.session.add(row_of(scope, replace(member, state=State.FAILED, failure=failure)))
                await tx.session.flush()
            said = await tx.fetch_row(_SAID, scope.tenant_id, member.id, failure.code, failure.detail)
            if said is not None:
                await say(tx, member.id, State(said["state"]), said["progress"], error_code=failure.code)

    async def replace(self, scope: TenantScope, archive: Document, version: Document, *, keep: Step) -> None:
        async with self._while_at_work(scope, archive):
            await self._documents.replace(scope, version, keep=keep)

    async def remove(self, scope: TenantScope, archive: Document, member: Document) -> None:
        async with self._while_at_work(scope, archive):
            await self._documents.begin_deleting(scope, member.id)

    @asynccontextmanager
    async def _while_at_work(self, scope: TenantScope, archive: Document) -> AsyncIterator[Transaction]:
        async with self._database.tenant_tx(scope, lock=LED_TO) as tx:
            mine = (scope.tenant_id, archive.id, archive.generation, archive.attempt)
            if await tx.fetch_row(_AT_WORK, *mine) is None:
                raise Fenced
            yield tx
