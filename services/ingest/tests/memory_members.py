"""Memory fake of an archive's members, over that of documents."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest_service.domain.document import Document, Failure, State
from ingest_service.domain.ports import Step
from ingest_service.domain.progress import Fenced
from runtime.tenancy import TenantScope
from services.ingest.tests.memory_documents import MemoryDocuments


@dataclass
class MemoryMembers:
    """Rows of the documents."""

    documents: MemoryDocuments

    async def of(self, scope: TenantScope, archive: Document) -> Sequence[Document]:
        came = self.documents.came_of(scope, archive.id)
        return sorted((row for row in came if row.came_of == archive.id), key=lambda row: row.id)

    async def add(self, scope: TenantScope, archive: Document, member: Document, *, keep: Step) -> None:
        self._check(scope, archive)
        stored = await self.documents.add(scope, member, keep=keep)
        origin = stored.came_of and self.documents.rows.get((scope.tenant_id, stored.came_of))
        is_free = not origin or origin.state in {State.FAILED, State.DELETING} or origin.id == archive.id
        if stored.path is not None and is_free:
            moved = replace(stored, came_of=archive.id, path=member.path)
            self.documents.rows[scope.tenant_id, stored.id] = moved

    async def refuse(self, scope: TenantScope, archive: Document, member: Document, failure: Failure) -> None:
        self._check(scope, archive)
        known = await self.documents.get(scope, member.id)
        if known is None or known.state.is_at_rest:
            stays = known or replace(member, state=State.FAILED)
            self.documents.rows[scope.tenant_id, member.id] = replace(stays, failure=failure)

    async def replace(self, scope: TenantScope, archive: Document, version: Document, *, keep: Step) -> None:
        self._check(scope, archive)
        await self.documents.replace(scope, version, keep=keep)

    async def remove(self, scope: TenantScope, archive: Document, member: Document) -> None:
        self._check(scope, archive)
        await self.documents.begin_deleting(scope, member.id)

    def _check(self, scope: TenantScope, archive: Document) -> None:
        row = self.documents.rows.get((scope.tenant_id, archive.id))
        mine = (archive.generation, archive.attempt)
        if row is None or (row.generation, row.attempt) != mine:
            raise Fenced
        if row.state.is_at_rest or row.state is State.DELETING:
            raise Fenced
