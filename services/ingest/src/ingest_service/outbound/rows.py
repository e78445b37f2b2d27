"""Domain objects from rows and back."""

import json
from collections.abc import Sequence
from typing import Any

from contracts.ids import DocumentId, PassageId
from ingest_service.domain.cut_settings import CutSettings
from ingest_service.domain.document import (
    Cause,
    Document,
    Failure,
    File,
    Note,
    PageStart,
    Reading,
    State,
    StoredPassage,
)
from ingest_service.outbound.tables import DocumentRow, PassageRow
from runtime.tenancy import TenantScope


def document_of(row: DocumentRow) -> Document:
    """The document that a row keeps."""
    failure = None
    if row.error_code is not None:
        failure = Failure(row.error_code, row.error_detail or "", row.error_page)
    return Document(
        id=DocumentId(row.id),
        title=row.title,
        filename=row.filename,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        state=State(row.state),
        progress=row.progress,
        pages=row.pages,
        passages=row.passages,
        language=row.language,
        failure=failure,
        generation=row.generation,
        attempt=row.attempt,
        created_at=row.created_at,
        updated_at=row.updated_at,
        url=row.url,
        notes=tuple(Note(note["page"], note["reason"]) for note in row.notes),
        cut_by=None if row.cut_by is None else CutSettings(**row.cut_by),
        tags=tuple(row.tags),
        expected_at=row.expected_at,
        try_again_at=row.try_again_at,
        put_off={Cause(cause): times for cause, times in row.put_offs.items()},
        came_of=None if row.came_of is None else DocumentId(row.came_of),
        path=row.path,
        found_in=None if row.found_filename is None else File(row.found_filename, row.found_size_bytes or 0),
    )


def row_of(scope: TenantScope, document: Document) -> DocumentRow:
    """A new document's row."""
    failure = document.failure
    return DocumentRow(
        tenant_id=scope.tenant_id,
        id=document.id,
        title=document.title,
        filename=document.filename,
        media_type=document.media_type,
        size_bytes=document.size_bytes,
        sha256=document.sha256,
        state=document.state,
        progress=document.progress,
        pages=document.pages,
        passages=document.passages,
        language=document.language,
        error_code=failure.code if failure else None,
        error_detail=failure.detail if failure else None,
        error_page=failure.page if failure else None,
        generation=document.generation,
        attempt=document.attempt,
        created_at=document.created_at,
        updated_at=document.updated_at,
        url=document.url,
        notes=notes_value(document.notes),
        cut_by=None if document.cut_by is None else cut_value(document.cut_by),
        tags=list(document.tags),
        expected_at=document.expected_at,
        try_again_at=document.try_again_at,
        put_offs={cause.value: times for cause, times in document.put_off.items()},
        came_of=document.came_of,
        path=document.path,
        found_filename=document.found_in and document.found_in.name,
        found_size_bytes=document.found_in and document.found_in.size_bytes,
    )


def notes_value(notes: Sequence[Note]) -> list[dict[str, Any]]:
    """Notes as they are kept."""
    return [note._asdict() for note in notes]


def reading_values(reading: Reading) -> dict[str, Any]:
    """What a document's columns say of its reading."""
    return {
        "title": reading.title,
        "media_type": reading.media_type,
        "language": reading.language,
        "pages": reading.pages,
        "passages": len(reading.passages),
        "notes": notes_value(reading.notes),
    }


def cut_value(settings: CutSettings) -> dict[str, Any]:
    """Settings as they are kept and compared; the shares are those of the contract, to a thousandth."""
    return {"passage_tokens": settings.passage_tokens, "overlap": round(settings.overlap, 3)}


def pages_of(value: Sequence[Sequence[int]]) -> tuple[PageStart, ...]:
    """Where pages begin, from how that is kept."""
    return tuple(PageStart(start, page) for start, page in value)


def passage_of(row: PassageRow, title: str) -> StoredPassage:
    """The passage that a row keeps, with its document's title."""
    return StoredPassage(
        id=PassageId(row.id),
        document_id=DocumentId(row.document_id),
        title=title,
        n=row.n,
        start=row.start_offset,
        end=row.end_offset,
        heading=row.heading,
        lead=row.lead,
        body=row.body,
        page=row.page,
        language=row.language,
        above=row.above,
        pages=pages_of(row.pages),
    )


def passage_values(passage: StoredPassage) -> tuple[Any, ...]:
    """A passage's columns, but for those that all of one reading share."""
    return (
        passage.id,
        passage.document_id,
        passage.n,
        passage.start,
        passage.end,
        passage.heading,
        passage.lead,
        passage.body,
        passage.page,
        passage.language,
        passage.above,
        json.dumps(passage.pages),
    )
