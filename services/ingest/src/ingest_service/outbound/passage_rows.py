"""The rows of passages: those that a search found, and those of one reading of a document."""

from collections.abc import Sequence
from typing import Final

from sqlmodel import col, select

from contracts.ids import DocumentId, PassageId
from ingest_service.domain.document import StoredPassage
from ingest_service.outbound.rows import pages_of, passage_of, passage_values
from ingest_service.outbound.tables import DocumentRow, PassageRow
from runtime.db import Database
from runtime.tenancy import TenantScope
from runtime.transaction import Transaction

_KEEP: Final = """
    INSERT INTO passage (tenant_id, generation, id, document_id, n, start_offset, end_offset, heading, lead, body, page,
        language, above, pages)
    SELECT $1, $2, * FROM unnest($3::uuid[], $4::uuid[], $5::int[], $6::int[], $7::int[], $8::text[], $9::text[],
        $10::text[], $11::int[], $12::text[], $13::text[], $14::jsonb[])
"""
ROWS_A_STATEMENT: Final = 500


async def found_passages(
    database: Database, scope: TenantScope, ids: Sequence[PassageId]
) -> dict[PassageId, StoredPassage]:
    """Those of the passages that exist and whose document is not being deleted, in one round trip: searches wait."""
    rows = await database.rows(scope, "found_passages", list(ids))
    return {PassageId(row["id"]): StoredPassage(**{**row, "pages": pages_of(row["pages"])}) for row in rows}


async def found_generation(tx: Transaction, document_id: DocumentId) -> int | None:
    """The reading whose passages are there; they are replaced in one commit, so that one tells of all."""
    of_it = (col(PassageRow.tenant_id) == tx.tenant_id) & (col(PassageRow.document_id) == document_id)
    return (await tx.session.exec(select(PassageRow.generation).where(of_it).limit(1))).first()


async def passages_of(tx: Transaction, document_id: DocumentId, generation: int) -> list[StoredPassage]:
    """Every passage of one reading, in order."""
    same = (col(DocumentRow.tenant_id) == col(PassageRow.tenant_id)) & (
        col(DocumentRow.id) == col(PassageRow.document_id)
    )
    of_it = (col(PassageRow.tenant_id) == tx.tenant_id) & (col(PassageRow.document_id) == document_id)
    asked = select(PassageRow, DocumentRow.title).join(DocumentRow, same)
    of_reading = asked.where(of_it, col(PassageRow.generation) == generation).order_by(col(PassageRow.n))
    return [passage_of(passage, title) for passage, title in (await tx.session.exec(of_reading)).all()]


async def drop_passages(tx: Transaction, document_id: DocumentId) -> None:
    """All of one document."""
    await tx.execute("DELETE FROM passage WHERE tenant_id = $1 AND document_id = $2", tx.tenant_id, document_id)


async def keep_passages(tx: Transaction, passages: Sequence[StoredPassage], generation: int) -> None:
    """Those of one reading."""
    for start in range(0, len(passages), ROWS_A_STATEMENT):
        part = passages[start : start + ROWS_A_STATEMENT]
        columns = zip(*(passage_values(passage) for passage in part), strict=True)
        await tx.execute(_KEEP, tx.tenant_id, generation, *(list(column) for column in columns))
