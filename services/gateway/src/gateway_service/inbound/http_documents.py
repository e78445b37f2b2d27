"""Documents and search."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from contracts import ingest
from contracts.ids import DocumentId, uuid7
from contracts.paging import Idempotency
from gateway_service.domain.principal import Principal
from gateway_service.inbound.http_desk import HttpDesk
from gateway_service.inbound.multipart import FileUpload
from gateway_service.inbound.openapi import taking, taking_file, taking_file_or
from gateway_service.inbound.reading import (
    Id,
    Page,
    answer,
    idempotency_key,
    idempotency_of,
    no_content,
    read,
    read_body,
    with_right,
)

REGISTER_S = 5.0
"""ingest looks into the file and moves it, which may be to another continent."""
DELETE_LED_TO_S = 15.0
"""What a site of 500 pages led to takes about 2 s of a core, in one commit."""
_FILE_OR_PAGE = taking_file_or(ingest.RegisterPage, "document_id")
_CHANGES = taking(ingest.UpdateDocument, "document_id")
_READ, _CHANGE = with_right("documents.read"), with_right("documents")


def routes(desk: HttpDesk) -> APIRouter:
    """Paths under /api/documents, and /api/search."""
    router = APIRouter(tags=["documents"])
    _all(router, desk)
    _one(router, desk)
    return router


def _all(router: APIRouter, desk: HttpDesk) -> None:
    @router.post("/api/documents", status_code=202, response_model=ingest.Document, openapi_extra=_FILE_OR_PAGE)
    async def create_document(request: Request, principal: Principal = _CHANGE) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
            return answer(await _register_page(desk, principal, request), 202)
        return answer(await _register(desk, principal, request), 202)

    @router.get("/api/documents", response_model=ingest.Documents)
    async def list_documents(
        page: Page,
        state: Annotated[ingest.DocumentState | None, Query()] = None,
        tag: Annotated[ingest.Tag | None, Query()] = None,
        filename: Annotated[str | None, Query(max_length=255)] = None,
        came_of: Annotated[DocumentId | None, Query()] = None,
        principal: Principal = _READ,
    ) -> Response:
        question = ingest.ListDocuments(
            limit=page.limit, cursor=page.cursor, state=state, tag=tag, filename=filename, came_of=came_of
        )
        return answer(await desk.services.ask(ingest.LIST_DOCUMENTS, question, principal.scope))

    @router.post("/api/search", response_model=ingest.SearchReply, openapi_extra=taking(ingest.Search))
    async def search(request: Request, principal: Principal = _READ) -> Response:
        asked = await read_body(request, ingest.Search, unknown="forbid")
        return answer(await desk.services.ask(ingest.SEARCH, asked, principal.scope))


def _one(router: APIRouter, desk: HttpDesk) -> None:
    @router.get("/api/documents/{document_id}", response_model=ingest.Document)
    async def get_document(document_id: Id, principal: Principal = _READ) -> Response:
        question = ingest.GetDocument(document_id=DocumentId(document_id))
        return answer((await desk.services.ask(ingest.GET_DOCUMENT, question, principal.scope)).document)

    @router.put(
        "/api/documents/{document_id}", status_code=202, response_model=ingest.Document, openapi_extra=taking_file()
    )
    async def replace_document(document_id: Id, request: Request, principal: Principal = _CHANGE) -> Response:
        return answer(await _register(desk, principal, request, replaces=DocumentId(document_id)), 202)

    @router.patch("/api/documents/{document_id}", response_model=ingest.Document, openapi_extra=_CHANGES)
    async def update_document(document_id: Id, request: Request, principal: Principal = _CHANGE) -> Response:
        asked = await read_body(request, ingest.UpdateDocument, document_id=DocumentId(document_id))
        return answer((await desk.services.ask(ingest.UPDATE_DOCUMENT, asked, principal.scope)).document)

    @router.delete("/api/documents/{document_id}", status_code=204)
    async def delete_document(
        document_id: Id,
        *,
        led_to: Annotated[bool, Query()] = False,
        pages: Annotated[bool, Query(description="An older name of `led_to`.")] = False,
        principal: Principal = _CHANGE,
    ) -> Response:
        asked = ingest.DeleteDocument(document_id=DocumentId(document_id), led_to=led_to or pages)
        timeout_s = DELETE_LED_TO_S if asked.led_to else ingest.DELETE_DOCUMENT.timeout_s
        await desk.services.ask(ingest.DELETE_DOCUMENT, asked, principal.scope, timeout_s=timeout_s)
        return no_content()

    @router.post("/api/documents/{document_id}/reprocess", status_code=202, response_model=ingest.Document)
    async def reprocess_document(document_id: Id, principal: Principal = _CHANGE) -> Response:
        asked = ingest.ReprocessDocument(document_id=DocumentId(document_id))
        return answer((await desk.services.ask(ingest.REPROCESS_DOCUMENT, asked, principal.scope)).document, 202)


async def _register_page(desk: HttpDesk, principal: Principal, request: Request) -> ingest.Document:
    """Have ingest fetch a page; it answers at once, and says what became of it by the document's state."""
    key = await idempotency_of(request)
    asked = await read_body(request, ingest.RegisterPage, document_id=DocumentId(uuid7()), idempotency=key)
    return (await desk.services.ask(ingest.REGISTER_PAGE, asked, principal.scope)).document


async def _register(
    desk: HttpDesk, principal: Principal, request: Request, *, replaces: DocumentId | None = None
) -> ingest.Document:
    """Stream the file into the inbox, then let ingest take it; nothing stays there when it does not."""
    upload, name = FileUpload(request.headers.get("content-type", ""), request.stream()), str(uuid7())
    await upload.open()
    await desk.inbox.put(principal.tenant_id, name, upload.pieces())
    key = idempotency_key(request)
    try:
        asked = read(
            b"",
            ingest.RegisterDocument,
            document_id=DocumentId(uuid7()),
            inbox_name=name,
            filename=upload.filename,
            size_bytes=upload.size_bytes,
            idempotency=None if key is None else Idempotency(key=key, body_sha256=upload.sha256),
            replaces=replaces,
            tags=upload.tags,
        )
        async with desk.uploads.one(principal.tenant_id):
            registered = await desk.services.ask(ingest.REGISTER_DOCUMENT, asked, principal.scope, timeout_s=REGISTER_S)
    except BaseException:
        await desk.inbox.drop(principal.tenant_id, name)
        raise
    return registered.document
