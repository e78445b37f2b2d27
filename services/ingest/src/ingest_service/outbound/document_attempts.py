"""What each attempt at a document does to its rows, by statements of the driver and functions of the schema (ADR 0043).

Through the ORM each costs about four times the CPU, and a document of two pages has six of them.

Each is fenced by generation and attempt: what a later attempt, version or deletion overtook changes nothing.
"""

import json
from datetime import timedelta
from typing import Any, Final

from contracts.ids import DocumentId
from contracts.ingest import DOCUMENT_PROGRESSED
from ingest_service.domain.cut_settings import DEFAULT
from ingest_service.domain.document import Document, Reading, State
from ingest_service.domain.estimate import Expected
from ingest_service.domain.ports import Leased
from ingest_service.outbound.document_changes import progressed, say
from ingest_service.outbound.passage_rows import drop_passages, keep_passages
from ingest_service.outbound.rows import cut_value, document_of, reading_values
from ingest_service.outbound.tables import DocumentRow
from runtime.db import Database
from runtime.outbox import Outgoing
from runtime.tenancy import TenantScope
from runtime.transaction import Transaction

LEASE: Final = timedelta(seconds=8)
"""Shorter than the job's ack_wait, so that a redelivered job finds the lease of a dead worker expired."""
_COLUMNS: Final = ", ".join(DocumentRow.__table__.columns.keys())  # type: ignore[attr-defined] # a table's class has one
_CLAIM: Final = f"""
    UPDATE document SET attempt = attempt + 1, lease_until = now() + $3, try_again_at = NULL, updated_at = now(),
        cut_by = coalesce(cut_by, (SELECT cut_by FROM knowledge_settings WHERE tenant_id = $1), $4)
    WHERE tenant_id = $1 AND id = $2 AND state NOT IN ('ready', 'failed')
        AND coalesce(try_again_at, now()) <= now() AND coalesce(lease_until, now()) <= now()
    RETURNING {_COLUMNS}
"""  # noqa: S608 - the names of our own columns
_IS_LEASED: Final = """
    SELECT 1 FROM document WHERE tenant_id = $1 AND id = $2 AND state NOT IN ('ready', 'failed')
        AND coalesce(try_again_at, now()) <= now() AND lease_until > now()
"""
_HOLD: Final = """
    UPDATE document SET lease_until = now() + $5
    WHERE tenant_id = $1 AND id = $2 AND generation = $3 AND attempt = $4 AND state NOT IN ('ready', 'failed')
    RETURNING 1
"""
_FINISH: Final = """
    UPDATE document SET state = 'ready', progress = 1, updated_at = now(), title = $5, media_type = $6, language = $7,
        pages = $8, passages = $9, notes = $10, found_filename = filename, found_size_bytes = size_bytes,
        error_code = NULL, error_detail = NULL, error_page = NULL, try_again_at = NULL
    WHERE tenant_id = $1 AND id = $2 AND generation = $3 AND attempt = $4 AND state NOT IN ('ready', 'failed')
    RETURNING 1
"""


async def claim(tx: Transaction, document_id: DocumentId) -> Document | Leased | None:
    """Take the lease and begin an attempt; None when there is nothing to do, or not yet."""
    row = await tx.fetch_row(_CLAIM, tx.tenant_id, document_id, LEASE, json.dumps(cut_value(DEFAULT)))
    if row is not None:
        return document_of(DocumentRow(**row))
    return Leased() if await tx.fetch_row(_IS_LEASED, tx.tenant_id, document_id) is not None else None


async def hold(tx: Transaction, document: Document) -> bool:
    """Extend the lease; False: the attempt does not count any more."""
    return await tx.fetch_row(_HOLD, tx.tenant_id, *_attempt(document), LEASE) is not None


async def advance(
    database: Database, scope: TenantScope, document: Document, state: State, progress: float, expected: Expected | None
) -> bool:
    """Note how far it is, extend the lease, and say it; False: the attempt does not count."""
    fact = progressed(document.id, state, progress, eta_s=expected and expected.in_s)
    row = await database.call(
        scope,
        "advance_document",
        *_attempt(document),
        state.value,
        progress,
        expected and expected.at,
        LEASE.total_seconds(),
        said=(Outgoing.fact(scope.tenant_id, DOCUMENT_PROGRESSED, fact),),
    )
    return row is not None


async def release(database: Database, scope: TenantScope, document: Document) -> None:
    """Give the lease back, also when the attempt was fenced by a deletion, which waits for exactly this."""
    await database.call(scope, "release_document", *_attempt(document))


async def finish(tx: Transaction, document: Document, reading: Reading) -> bool:
    """Replace the passages and make it ready; False: the attempt does not count any more."""
    of = reading_values(reading)
    read = (of["title"], of["media_type"], of["language"], of["pages"], of["passages"], json.dumps(of["notes"]))
    if await tx.fetch_row(_FINISH, tx.tenant_id, *_attempt(document), *read) is None:
        return False
    await drop_passages(tx, document.id)
    await keep_passages(tx, reading.passages, document.generation)
    await say(tx, document.id, State.READY, 1.0)
    return True


def _attempt(document: Document) -> tuple[Any, ...]:
    return document.id, document.generation, document.attempt
