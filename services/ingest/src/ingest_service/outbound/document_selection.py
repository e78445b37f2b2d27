"""Which documents are meant, asked of their rows."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, cast
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from contracts.ids import DocumentId
from ingest_service.domain.document import Document, State
from ingest_service.domain.select_documents import Selection, Span
from ingest_service.outbound.tables import DocumentRow
from runtime.tenancy import TenantScope


def selected_ids(scope: TenantScope, selection: Selection, within: Sequence[DocumentId]) -> SelectOfScalar[UUID]:
    """The ids of documents that have passages and meet the selection."""
    question = select(DocumentRow.id).where(
        col(DocumentRow.tenant_id) == scope.tenant_id,
        col(DocumentRow.passages) > 0,
        col(DocumentRow.state) != State.DELETING,
    )
    if within:
        question = question.where(col(DocumentRow.id).in_(within))
    if selection.tags:
        question = question.where(has_one_of(selection.tags))
    created = _within(col(DocumentRow.created_at), selection.created)
    return question.where(*created, *_within(col(DocumentRow.updated_at), selection.updated))


def listed(
    scope: TenantScope,
    *,
    state: State | None,
    before: DocumentId | None,
    tag: str | None,
    filename: str | None,
    origin: DocumentId | None,
) -> SelectOfScalar[DocumentRow]:
    """Documents, newest first, that are older than `before` and came of `origin`, where those are given."""
    question = select(DocumentRow).where(col(DocumentRow.tenant_id) == scope.tenant_id)
    if state is not None:
        question = question.where(col(DocumentRow.state) == state)
    if tag is not None:
        question = question.where(has_one_of((tag,)))
    if filename is not None:
        is_found = col(DocumentRow.found_filename) == filename
        question = question.where((col(DocumentRow.filename) == filename) | is_found)
    if origin is not None:
        question = question.where(col(DocumentRow.id).in_(came_of(scope, origin)))
    if before is not None:
        question = question.where(col(DocumentRow.id) < before)
    # ids are time-ordered, so that their order is the order of arrival
    return question.order_by(col(DocumentRow.id).desc())


def came_of(scope: TenantScope, origin: DocumentId) -> SelectOfScalar[UUID]:
    """The ids of what came of a document and is there, also of what came of that: an archive may be a site's."""
    is_there = (col(DocumentRow.tenant_id) == scope.tenant_id) & (col(DocumentRow.state) != State.DELETING)
    first = select(DocumentRow.id).where(is_there, col(DocumentRow.came_of) == origin).cte("led_to", recursive=True)
    further = select(DocumentRow.id).where(is_there).join(first, col(DocumentRow.came_of) == first.c.id)
    return select(first.union(further).c.id)


def has_one_of(tags: Sequence[str]) -> ColumnElement[bool]:
    """Documents with at least one of the tags."""
    return col(DocumentRow.tags).bool_op("&&")(cast(list(tags), ARRAY(Text)))


def is_current(document: Document, attempt: int) -> ColumnElement[bool]:
    """Of its rows that of this generation and attempt: each generation counts its attempts anew."""
    return (col(DocumentRow.generation) == document.generation) & (col(DocumentRow.attempt) == attempt)


def _within(column: Mapped[datetime], span: Span) -> list[ColumnElement[bool]]:
    since = [] if span.since is None else [column >= span.since]
    return since if span.until is None else [*since, column < span.until]
