"""A document that arrives: whether it is here already, and its row, in the driver's own statements (ADR 0043)."""

import json
from typing import Final

from sqlalchemy.dialects.postgresql import JSONB

from contracts.ids import DocumentId
from ingest_service.domain.document import Document
from ingest_service.outbound.rows import row_of
from ingest_service.outbound.tables import DocumentRow
from runtime.db import Database
from runtime.tenancy import TenantScope
from runtime.transaction import Transaction

_COLUMNS: Final = tuple(DocumentRow.__table__.columns)  # type: ignore[attr-defined] # a table's class has one
_INSERT: Final = f"""
    INSERT INTO document ({", ".join(column.name for column in _COLUMNS)})
    VALUES ({", ".join(f"${place}" for place in range(1, len(_COLUMNS) + 1))})
"""  # noqa: S608 - the names of our own columns


async def same_as(
    database: Database, scope: TenantScope, document: Document
) -> tuple[DocumentId | None, DocumentId | None]:
    """The document itself or one in use with its content, and the upload that failed with its content; None: none.

    Until the commit nobody else keeps or deletes that content; the failed upload is none where the document came of
    another or has an address.
    """
    is_upload = document.came_of is None and document.url is None
    row = await database.call(scope, "same_document", document.id, document.sha256, is_upload)
    same, failed = row["same_id"], row["failed_id"]
    return None if same is None else DocumentId(same), None if failed is None else DocumentId(failed)


async def insert(tx: Transaction, scope: TenantScope, document: Document) -> None:
    """The row of a new document."""
    row = row_of(scope, document)
    values = ((getattr(row, column.name), isinstance(column.type, JSONB)) for column in _COLUMNS)
    await tx.execute(
        _INSERT, *(json.dumps(value) if is_json and value is not None else value for value, is_json in values)
    )
