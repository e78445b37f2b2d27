"""What every change of a document says and asks, in the transaction of the change."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, text
from sqlmodel import col, select

from contracts.ids import DocumentId
from contracts.ingest import DOCUMENT_PROGRESSED, INGEST, DocumentProgressed, IndexDocument
from ingest_service.domain.document import Document, State
from ingest_service.outbound.rows import document_of
from ingest_service.outbound.tables import DocumentRow
from runtime.transaction import Transaction

_TWIN: Final = """
    SELECT title FROM document
    WHERE tenant_id = $1 AND id <> $2 AND sha256 = $3 AND state NOT IN ('failed', 'deleting') LIMIT 1
"""
LED_TO: Final = "led to"
"""The lock of what comes of documents: while one is deleted with it, nothing is added to it."""


async def asked_for(tx: Transaction, row: DocumentRow) -> Document:
    """A document that somebody brings in themselves comes of no other any more."""
    row.came_of = row.path = None
    await tx.session.flush()
    return document_of(row)


async def enqueue(tx: Transaction, document_id: DocumentId) -> None:
    """Say that a document was received, and put its job into the queue."""
    await say(tx, document_id, State.RECEIVED, 0.0)
    await tx.enqueue(INGEST, IndexDocument(document_id=document_id))


async def requeue(tx: Transaction, document_id: DocumentId, state: State) -> None:
    """Put a document's job into the queue again."""
    await tx.session.execute(
        text(
            "UPDATE document SET enqueued_at = now(), enqueued = enqueued + 1, try_again_at = NULL"
            " WHERE tenant_id = :t AND id = :id"
        ),
        {"t": tx.tenant_id, "id": document_id},
    )
    await say(tx, document_id, state, 0.0)
    await tx.enqueue(INGEST, IndexDocument(document_id=document_id))


async def say(
    tx: Transaction,
    document_id: DocumentId,
    state: State,
    progress: float,
    *,
    error_code: str | None = None,
    eta_s: int | None = None,
) -> None:
    """Say how far a document is, and how many seconds are left if that is known."""
    await tx.publish(DOCUMENT_PROGRESSED, progressed(document_id, state, progress, error_code=error_code, eta_s=eta_s))


def progressed(
    document_id: DocumentId,
    state: State,
    progress: float,
    *,
    error_code: str | None = None,
    eta_s: int | None = None,
) -> DocumentProgressed:
    """What is said of how far a document is."""
    return DocumentProgressed(
        document_id=document_id, state=state.value, progress=round(progress, 4), error_code=error_code, eta_s=eta_s
    )


async def lock_content(tx: Transaction, sha256: str) -> None:
    """Until the commit nobody else keeps or deletes the original with this content."""
    await tx.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"{tx.tenant_id}/{sha256}"}
    )


async def twin_of(tx: Transaction, document_id: DocumentId, sha256: str) -> str | None:
    """The title of another document in use that has this content."""
    row = await tx.fetch_row(_TWIN, tx.tenant_id, document_id, sha256)
    return None if row is None else str(row["title"])


async def held_of(tx: Transaction, contents: Sequence[str]) -> set[str]:
    """Those of the contents that a document needs."""
    needed = select(DocumentRow.sha256).where(
        col(DocumentRow.tenant_id) == tx.tenant_id,
        col(DocumentRow.sha256).in_(contents),
        col(DocumentRow.state) != State.DELETING,
    )
    return set((await tx.session.exec(needed)).all())


async def holders(tx: Transaction, document: Document) -> int:
    """Other documents that need the same original."""
    others = select(func.count()).where(
        col(DocumentRow.tenant_id) == tx.tenant_id,
        col(DocumentRow.sha256) == document.sha256,
        col(DocumentRow.id) != document.id,
        col(DocumentRow.state) != State.DELETING,
    )
    return (await tx.session.exec(others)).one()
