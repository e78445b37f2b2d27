"""The rows of what a search found. Each search waits for them: by the driver itself, in one statement of its own."""

from collections.abc import Sequence
from typing import Final

from contracts.ids import PassageId
from ingest_service.domain.document import StoredPassage
from ingest_service.outbound.rows import pages_of
from runtime.transaction import Transaction

_FOUND: Final = """
    WITH p AS MATERIALIZED (SELECT * FROM passage WHERE tenant_id = $1 AND id = ANY($2::uuid[]))
    SELECT p.id, p.document_id, d.title, p.n, p.start_offset AS start, p.end_offset AS "end",
        p.heading, p.lead, p.body, p.page, p.language, p.above, p.pages
    FROM p CROSS JOIN LATERAL (
        SELECT title FROM document WHERE tenant_id = $1 AND id = p.document_id AND state <> 'deleting' LIMIT 1) d
"""
"""Passages by their ids, then the document of each: joined freely, and while statistics are not there yet, Postgres
begins with all documents of the business and reads every passage of each."""


async def found_passages(tx: Transaction, ids: Sequence[PassageId]) -> dict[PassageId, StoredPassage]:
    """Those of the passages that exist and whose document is not being deleted."""
    rows = await tx.fetch_rows(_FOUND, tx.tenant_id, list(ids))
    return {PassageId(row["id"]): StoredPassage(**{**row, "pages": pages_of(row["pages"])}) for row in rows}
