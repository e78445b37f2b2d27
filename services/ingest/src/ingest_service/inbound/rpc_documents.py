"""Documents: register, look at, tag, delete, read again."""

import contextlib
from datetime import datetime
from uuid import UUID

from contracts.base import Nothing
from contracts.ids import DocumentId
from contracts.ingest import (
    DELETE_DOCUMENT,
    GET_DOCUMENT,
    LIST_DOCUMENTS,
    REGISTER_DOCUMENT,
    REPROCESS_DOCUMENT,
    UPDATE_DOCUMENT,
    DeleteDocument,
    DocumentError,
    DocumentNote,
    DocumentReply,
    Documents,
    GetDocument,
    ListDocuments,
    RegisterDocument,
    ReprocessDocument,
    UpdateDocument,
)
from contracts.ingest import Document as DocumentShown
from ingest_service.domain.document import Document, State
from ingest_service.domain.estimate import seconds_left
from ingest_service.domain.index_document import Desk
from ingest_service.domain.originals import let_go
from ingest_service.domain.ports import Upload
from ingest_service.domain.register_document import Arrival, examine, register_document, replace_document
from ingest_service.inbound.fitting import that_fit
from runtime.bus import Bus
from runtime.db import Database
from runtime.errors import NotFound, Rejected, Retryable
from runtime.idempotency import once
from runtime.tenancy import TenantScope


def register(bus: Bus, database: Database, desk: Desk) -> None:
    """Answer `rpc.ingest.*_document(s)`."""
    doors = _Doors(database, desk)
    bus.answer(REGISTER_DOCUMENT, doors.register)
    bus.answer(GET_DOCUMENT, doors.get)
    bus.answer(LIST_DOCUMENTS, doors.list)
    bus.answer(UPDATE_DOCUMENT, doors.update)
    bus.answer(DELETE_DOCUMENT, doors.delete)
    bus.answer(REPROCESS_DOCUMENT, doors.reprocess)


class _Doors:
    def __init__(self, database: Database, desk: Desk) -> None:
        self._database = database
        self._desk = desk

    async def register(self, request: RegisterDocument, scope: TenantScope) -> DocumentReply:
        arrival = Arrival(request.document_id, request.inbox_name, request.filename, request.tags)
        try:
            upload = await examine(arrival, scope, files=self._desk.files)
        except NotFound:  # or taken: whoever asks again did not hear so
            return self._found(await self._desk.documents.get(scope, request.document_id))
        old = request.replaces and await self._desk.documents.get(scope, request.replaces)

        async def make() -> DocumentReply:
            return DocumentReply(
                document=self._shown(await self._take(arrival, upload, scope, replaces=request.replaces))
            )

        async with self._database.tenant_tx(scope) as tx:
            reply = await once(tx, request.idempotency, DocumentReply, make)
        # upkeep does both later: the document is there, whatever becomes of the upload and of the old file
        with contextlib.suppress(Retryable):
            await self._desk.files.discard(scope, request.inbox_name)
        if old:
            with contextlib.suppress(Retryable):
                await let_go(scope, [old.sha256], documents=self._desk.documents, files=self._desk.files)
        return reply

    async def _take(
        self, arrival: Arrival, upload: Upload, scope: TenantScope, *, replaces: DocumentId | None
    ) -> Document:
        documents, files = self._desk.documents, self._desk.files
        if replaces is not None:
            return await replace_document(replaces, arrival, upload, scope, documents=documents, files=files)
        return await register_document(arrival, upload, scope, documents=documents, files=files, clock=self._desk.clock)

    async def get(self, request: GetDocument, scope: TenantScope) -> DocumentReply:
        reply = self._found(await self._desk.documents.get(scope, request.document_id))
        led_to = await self._desk.documents.led_to(scope, request.document_id)
        told = {
            "led_to": led_to.total(),
            "led_to_ready": led_to[State.READY],
            "led_to_failed": led_to[State.FAILED],
        }
        return DocumentReply(document=reply.document.model_copy(update=told))

    async def list(self, request: ListDocuments, scope: TenantScope) -> Documents:
        found = await self._desk.documents.page(
            scope,
            state=None if request.state is None else State(request.state),
            limit=request.limit + 1,
            before=_place(request.cursor),
            tag=request.tag,
            filename=request.filename,
            came_of=request.came_of,
        )
        page = that_fit([self._shown(document) for document in found[: request.limit]])
        more = str(page[-1].id) if len(found) > len(page) else None
        return Documents(items=page, next_cursor=more)

    async def update(self, request: UpdateDocument, scope: TenantScope) -> DocumentReply:
        if request.tags is None:
            return await self.get(GetDocument(document_id=request.document_id), scope)
        return self._found(await self._desk.documents.set_tags(scope, request.document_id, request.tags))

    async def delete(self, request: DeleteDocument, scope: TenantScope) -> Nothing:
        led_to = request.led_to or request.pages
        if not await self._desk.documents.begin_deleting(scope, request.document_id, led_to=led_to):
            raise NotFound
        return Nothing()

    async def reprocess(self, request: ReprocessDocument, scope: TenantScope) -> DocumentReply:
        fetching = self._desk.fetching
        page = None if fetching is None else await fetching.pages.of(scope, request.document_id)
        if page is not None:
            page.refuse_elsewhere()
        return self._found(await self._desk.documents.read_again(scope, request.document_id))

    def _found(self, document: Document | None) -> DocumentReply:
        if document is None:
            raise NotFound
        return DocumentReply(document=self._shown(document))

    def _shown(self, document: Document) -> DocumentShown:
        return shown(document, self._desk.clock.now())


def _place(cursor: str | None) -> DocumentId | None:
    try:
        return None if cursor is None else DocumentId(UUID(cursor))
    except ValueError as error:
        raise Rejected("The cursor is not one of ours.") from error


def shown(document: Document, now: datetime) -> DocumentShown:
    """The document as its owner sees it."""
    file = document.file
    return DocumentShown(
        id=document.id,
        title=document.title,
        filename=file.name,
        media_type=document.media_type,
        size_bytes=file.size_bytes,
        state=document.state.value,
        progress=document.progress,
        pages=document.pages,
        passages=document.passages,
        language=document.language,
        error=_error(document),
        created_at=document.created_at,
        updated_at=document.updated_at,
        url=document.url,
        notes=tuple(DocumentNote(page=note.page, reason=note.reason) for note in document.notes),
        tags=document.tags,
        eta_s=seconds_left(document, now),
        came_of=document.came_of,
        path=document.path,
    )


def _error(document: Document) -> DocumentError | None:
    failure = document.failure
    if failure is None:
        return None
    return DocumentError(
        code=failure.code,
        detail=failure.detail,
        page=failure.page,
        try_again_at=document.try_again_at,
        filename=None if document.file.name == document.filename else document.filename,
    )
