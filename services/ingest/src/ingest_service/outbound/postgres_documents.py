"""Documents and passages in Postgres."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, func
from sqlalchemy import delete as sql_delete
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.dml import ReturningUpdate, Update
from sqlmodel import col, select, update
from sqlmodel.sql.expression import SelectOfScalar

from contracts.ids import DocumentId, PassageId
from contracts.ingest import DOCUMENT_DELETED, DocumentDeleted
from ingest_service.domain import media_types
from ingest_service.domain.cut_settings import DEFAULT, CutSettings
from ingest_service.domain.document import Cause, Document, Failure, Reading, State, StoredPassage
from ingest_service.domain.estimate import Expected
from ingest_service.domain.ports import Leased, Step
from ingest_service.domain.select_documents import Selection
from ingest_service.outbound import arriving, document_attempts
from ingest_service.outbound.document_changes import (
    LED_TO,
    asked_for,
    enqueue,
    held_of,
    holders,
    lock_content,
    requeue,
    say,
    twin_of,
)
from ingest_service.outbound.document_selection import came_of, is_current, listed, selected_ids
from ingest_service.outbound.passage_rows import drop_passages, found_generation, found_passages, passages_of
from ingest_service.outbound.rows import cut_value, document_of
from ingest_service.outbound.tables import DocumentRow, KnowledgeSettingsRow
from runtime.db import Database
from runtime.errors import Conflict
from runtime.tenancy import TenantScope
from runtime.transaction import Transaction

AT_REST: Final = (State.READY, State.FAILED)
_NO_TROUBLE: Final[dict[str, Any]] = {
    "error_code": None,
    "error_detail": None,
    "error_page": None,
    "try_again_at": None,
}
_ANEW: Final[dict[str, Any]] = {
    **_NO_TROUBLE,
    "state": State.RECEIVED,
    "progress": 0.0,
    "generation": DocumentRow.generation + 1,
    "attempt": 0,
    "cut_by": None,
    "put_offs": {},
}


class PostgresDocuments:
    """Implements `Documents`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, scope: TenantScope, document: Document, *, keep: Step) -> Document:
        async with self._database.tenant_tx(scope) as tx:
            same, failed = await arriving.same_as(self._database, scope, document)
            row = None if same is None else (await tx.session.exec(_one(scope, same))).first()
            if row is not None:
                is_asked_for = document.came_of is None and row.came_of is not None
                return await asked_for(tx, row) if is_asked_for else document_of(row)
            await keep()
            if failed is not None:
                return await _begin_anew(tx, scope, failed)
            await arriving.insert(tx, scope, document)
            await enqueue(tx, document.id)
        return document

    async def get(self, scope: TenantScope, document_id: DocumentId) -> Document | None:
        async with self._database.tenant_tx(scope) as tx:
            row = (await tx.session.exec(_one(scope, document_id))).first()
        return None if row is None else document_of(row)

    async def page(
        self,
        scope: TenantScope,
        *,
        state: State | None,
        limit: int,
        before: DocumentId | None,
        tag: str | None = None,
        filename: str | None = None,
        came_of: DocumentId | None = None,
    ) -> list[Document]:
        question = listed(scope, state=state, before=before, tag=tag, filename=filename, origin=came_of).limit(limit)
        async with self._database.tenant_tx(scope) as tx:
            rows = (await tx.session.exec(question)).all()
        return [document_of(row) for row in rows]

    async def led_to(self, scope: TenantScope, document_id: DocumentId) -> Counter[State]:
        counted = select(DocumentRow.state, func.count()).where(
            col(DocumentRow.tenant_id) == scope.tenant_id, col(DocumentRow.id).in_(came_of(scope, document_id))
        )
        async with self._database.tenant_tx(scope) as tx:
            rows = (await tx.session.exec(counted.group_by(col(DocumentRow.state)))).all()
        return Counter({State(state): count for state, count in rows})

    async def selected(
        self, scope: TenantScope, selection: Selection, within: Sequence[DocumentId]
    ) -> Sequence[DocumentId]:
        async with self._database.tenant_tx(scope) as tx:
            ids = (await tx.session.exec(selected_ids(scope, selection, within))).all()
        return [DocumentId(each) for each in ids]

    async def set_tags(self, scope: TenantScope, document_id: DocumentId, tags: tuple[str, ...]) -> Document | None:
        change = _change(scope, document_id).where(col(DocumentRow.state) != State.DELETING)
        async with self._database.tenant_tx(scope) as tx:
            return await _changed(tx, change.values(tags=list(tags)))

    async def read_again(self, scope: TenantScope, document_id: DocumentId) -> Document | None:
        async with self._database.tenant_tx(scope) as tx:
            row = (await tx.session.exec(_one(scope, document_id).with_for_update())).first()
            document = None if row is None else document_of(row)
            if document is None or not document.state.is_at_rest:
                return None if document is None or document.state is State.DELETING else document
            await lock_content(tx, document.sha256)
            # a page that was never fetched has no content to share
            if document.sha256 and document.state is State.FAILED and await holders(tx, document):
                raise Conflict("Another document with the same content was uploaded since.")
            return await _begin_anew(tx, scope, document_id)

    async def replace(self, scope: TenantScope, version: Document, *, keep: Step) -> Document | None:
        async with self._database.tenant_tx(scope) as tx:
            row = (await tx.session.exec(_one(scope, version.id).with_for_update())).first()
            if row is None or row.state == State.DELETING:
                return None
            old = document_of(row)
            if old.sha256 == version.sha256 and old.failure is None:
                return old
            if not old.state.is_at_rest:
                raise Conflict("The document is being read. Send its new version when it is ready.")
            # in one order, or two replacements the other way round would wait for each other
            for sha256 in sorted({old.sha256, version.sha256}):
                await lock_content(tx, sha256)
            twin = await twin_of(tx, version.id, version.sha256)
            if twin is not None:
                raise Conflict(f"The document “{twin}” has the same content.")
            await keep()
            content = {"sha256": version.sha256, "size_bytes": version.size_bytes, "filename": version.filename}
            return await _begin_anew(tx, scope, version.id, **content)

    async def begin_deleting(self, scope: TenantScope, document_id: DocumentId, *, led_to: bool = False) -> bool:
        # whoever adds to what it led to waits for the lock, and is fenced then
        async with self._database.tenant_tx(scope, lock=LED_TO if led_to else None) as tx:
            for each in (await tx.session.exec(came_of(scope, document_id))).all() if led_to else ():
                await self.begin_deleting(scope, DocumentId(each))
            # a higher attempt fences whoever is at it; the lease stays, so that the deletion waits for its end
            change = _change(scope, document_id).values(state=State.DELETING, attempt=DocumentRow.attempt + 1)
            document = await _changed(tx, change.where(col(DocumentRow.state) != State.DELETING))
            if document is None:
                return await self.get(scope, document_id) is not None
            await requeue(tx, document_id, State.DELETING)
        return True

    async def claim(self, scope: TenantScope, document_id: DocumentId) -> Document | Leased | None:
        async with self._database.tenant_tx(scope) as tx:
            return await document_attempts.claim(tx, document_id)

    async def hold(self, scope: TenantScope, document: Document) -> bool:
        async with self._database.tenant_tx(scope) as tx:
            return await document_attempts.hold(tx, document)

    async def release(self, scope: TenantScope, document: Document) -> None:
        await document_attempts.release(self._database, scope, document)

    async def put_off(
        self, scope: TenantScope, document: Document, why: Failure | None, *, pause: timedelta, cause: Cause | None
    ) -> None:
        state = State.DELETING if document.state is State.DELETING else State.RECEIVED
        code = None if why is None else why.code
        values: dict[str, Any] = {
            "state": state,
            "attempt": document.attempt - 1,
            "error_code": code,
            "error_detail": None if why is None else why.detail,
            "try_again_at": func.now() + pause,
        }
        if cause is not None:
            values["put_offs"] = {**document.put_off, cause: document.put_off.get(cause, 0) + 1}
        told = select(DocumentRow.state, DocumentRow.error_code).where(_is(scope, document.id)).with_for_update()
        async with self._database.tenant_tx(scope) as tx:
            before = (await tx.session.exec(told)).first()
            waiting = await self._fenced(scope, document, values)
            if waiting is not None and before != (state, code):
                await say(tx, document.id, state, waiting.progress, error_code=code)

    async def advance(
        self, scope: TenantScope, document: Document, state: State, progress: float, *, expected: Expected | None = None
    ) -> bool:
        return await document_attempts.advance(self._database, scope, document, state, progress, expected)

    async def finish(self, scope: TenantScope, document: Document, reading: Reading) -> bool:
        async with self._database.tenant_tx(scope) as tx:
            return await document_attempts.finish(tx, document, reading)

    async def fail(self, scope: TenantScope, document: Document, failure: Failure) -> State | None:
        why = {"error_code": failure.code, "error_detail": failure.detail, "error_page": failure.page}
        async with self._database.tenant_tx(scope) as tx:
            is_found = await self.found_generation(scope, document.id) is not None
            unread = {"state": State.FAILED, "passages": 0, "media_type": failure.media_type or media_types.UNKNOWN}
            rest = {"state": State.READY, "progress": 1.0} if is_found else unread
            failed = await self._fenced(scope, document, {**rest, **why})
            if failed is None:
                return None
            await say(tx, document.id, failed.state, failed.progress, error_code=failure.code)
        return failed.state

    async def remove(self, scope: TenantScope, document: Document, *, delete: Step) -> None:
        async with self._database.tenant_tx(scope) as tx:
            await lock_content(tx, document.sha256)
            if not await holders(tx, document):
                await delete()
            await drop_passages(tx, document.id)
            await tx.session.execute(sql_delete(DocumentRow).where(_is(scope, document.id)))
            await tx.publish(DOCUMENT_DELETED, DocumentDeleted(document_id=document.id))

    async def has_any(self, scope: TenantScope) -> bool:
        first = select(DocumentRow.id).where(col(DocumentRow.tenant_id) == scope.tenant_id).limit(1)
        async with self._database.tenant_tx(scope) as tx:
            return (await tx.session.exec(first)).first() is not None

    async def let_go(
        self, scope: TenantScope, contents: Sequence[str], *, delete: Callable[[str], Awaitable[None]]
    ) -> int:
        count = 0
        async with self._database.tenant_tx(scope) as tx:
            held = await held_of(tx, contents)
        for sha256 in set(contents) - held:
            async with self._database.tenant_tx(scope) as tx:
                # whoever began to keep the content before us has committed when we have the lock
                await lock_content(tx, sha256)
                if not await held_of(tx, [sha256]):
                    await delete(sha256)
                    count += 1
        return count

    async def cut_settings(self, scope: TenantScope) -> CutSettings:
        chosen = select(KnowledgeSettingsRow.cut_by).where(col(KnowledgeSettingsRow.tenant_id) == scope.tenant_id)
        async with self._database.tenant_tx(scope) as tx:
            value = (await tx.session.exec(chosen)).first()
        return DEFAULT if value is None else CutSettings(**value)

    async def set_cut_settings(self, scope: TenantScope, settings: CutSettings) -> None:
        value = cut_value(settings)
        row = upsert(KnowledgeSettingsRow).values(tenant_id=scope.tenant_id, cut_by=value)
        async with self._database.tenant_tx(scope) as tx:
            await tx.session.execute(row.on_conflict_do_update(index_elements=["tenant_id"], set_={"cut_by": value}))

    async def passages(self, scope: TenantScope, ids: Sequence[PassageId]) -> dict[PassageId, StoredPassage]:
        return await found_passages(self._database, scope, ids)

    async def found_generation(self, scope: TenantScope, document_id: DocumentId) -> int | None:
        async with self._database.tenant_tx(scope) as tx:
            return await found_generation(tx, document_id)

    async def passages_of(self, scope: TenantScope, document_id: DocumentId, generation: int) -> list[StoredPassage]:
        async with self._database.tenant_tx(scope) as tx:
            return await passages_of(tx, document_id, generation)

    async def _fenced(self, scope: TenantScope, document: Document, values: dict[str, Any]) -> Document | None:
        """The changed document; None when a later attempt, version or deletion overtook this one, or it has ended."""
        async with self._database.tenant_tx(scope) as tx:
            mine = is_current(document, document.attempt) & col(DocumentRow.state).not_in(AT_REST)
            return await _changed(tx, _change(scope, document.id).where(mine).values(**values))


def _is(scope: TenantScope, document_id: DocumentId) -> ColumnElement[bool]:
    return (col(DocumentRow.tenant_id) == scope.tenant_id) & (col(DocumentRow.id) == document_id)


def _one(scope: TenantScope, document_id: DocumentId) -> SelectOfScalar[DocumentRow]:
    return select(DocumentRow).where(_is(scope, document_id)).execution_options(populate_existing=True)


def _change(scope: TenantScope, document_id: DocumentId) -> Update:
    return update(DocumentRow).where(_is(scope, document_id)).values(updated_at=func.now())


async def _changed(tx: Transaction, change: Update) -> Document | None:
    """What the change made of the one row that it meets."""
    returning: ReturningUpdate[tuple[DocumentRow]] = change.returning(DocumentRow)
    row = (await tx.session.execute(returning, execution_options={"populate_existing": True})).scalar_one_or_none()
    return None if row is None else document_of(row)


async def _begin_anew(tx: Transaction, scope: TenantScope, document_id: DocumentId, **content: Any) -> Document:
    """The next generation of a document whose row is locked."""
    document = await _changed(tx, _change(scope, document_id).values(**_ANEW, **content))
    assert document is not None
    await requeue(tx, document_id, State.RECEIVED)
    return document
