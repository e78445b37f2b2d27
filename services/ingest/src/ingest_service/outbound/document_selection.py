"""Which documents a search is within, asked of their rows."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, cast
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from contracts.ids import DocumentId
from ingest_service.domain.document import State
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


def has_one_of(tags: Sequence[str]) -> ColumnElement[bool]:
    """Documents with at least one of the tags."""
    return col(DocumentRow.tags).bool_op("&&")(cast(list(tags), ARRAY(Text)))


def _within(column: Mapped[datetime], span: Span) -> list[ColumnElement[bool]]:
    since = [] if span.since is None else [column >= span.since]
    return since if span.until is None else [*since, column < span.until]
