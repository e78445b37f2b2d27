"""Idempotency-Key: the same key and body within 24 h give the first answer again, another body is a conflict.

Kept by the service that owns the resource, in the transaction that makes it (table `idempotency`).
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import text

from contracts.base import Reply
from contracts.paging import Idempotency
from runtime.errors import Conflict
from runtime.transaction import Transaction

ReplyT = TypeVar("ReplyT", bound=Reply)
KEPT = "24 hours"


async def once(
    tx: Transaction, idempotency: Idempotency | None, reply: type[ReplyT], make: Callable[[], Awaitable[ReplyT]]
) -> ReplyT:
    """What `make` answers, or what it answered when this key came first.

    Two at the same time: the second waits at the row's lock until the first has committed.

    Raises:
        Conflict: the key came with another body (`idempotency_conflict`).
    """
    if idempotency is None:
        return await make()
    key = {"t": tx.tenant_id, "k": f"{reply.__name__}:{idempotency.key}", "h": idempotency.body_sha256}
    await tx.session.execute(
        text(f"DELETE FROM idempotency WHERE tenant_id = :t AND key = :k AND created_at < now() - interval '{KEPT}'"),  # noqa: S608 - a constant
        {"t": key["t"], "k": key["k"]},
    )
    inserted = await tx.session.execute(
        text("INSERT INTO idempotency (tenant_id, key, body_sha256) VALUES (:t, :k, :h) ON CONFLICT DO NOTHING"), key
    )
    if not inserted.rowcount:  # type: ignore[attr-defined] # a DML result has it, the stub says Result
        return await _first_answer(tx, key, reply)
    made = await make()
    await tx.session.execute(
        text("UPDATE idempotency SET answer = :a WHERE tenant_id = :t AND key = :k"),
        {"t": key["t"], "k": key["k"], "a": made.dump()},
    )
    return made


async def _first_answer(tx: Transaction, key: dict[str, object], reply: type[ReplyT]) -> ReplyT:
    found = await tx.session.execute(
        text("SELECT body_sha256, answer FROM idempotency WHERE tenant_id = :t AND key = :k"),
        {"t": key["t"], "k": key["k"]},
    )
    body_sha256, answer = found.one()
    if body_sha256 != key["h"]:
        raise Conflict(code="idempotency_conflict")
    return reply.read(answer)
