"""API keys in Postgres."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select, update

from auth_service.domain.api_key import ApiKey
from auth_service.outbound.tables import ApiKeyRow
from contracts.ids import ApiKeyId, TenantId
from runtime.db import Database
from runtime.errors import NotFound
from runtime.tenancy import TenantScope


class PostgresApiKeys:
    """Implements `ApiKeys`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key_sha256: bytes) -> ApiKey | None:
        async with self._database.lookup_tx() as session:
            found = await session.execute(text("SELECT * FROM api_key_by_sha256(:sha)"), {"sha": key_sha256})
            row = found.one_or_none()
        return _key(row) if row else None

    async def add(self, scope: TenantScope, key: ApiKey, key_sha256: bytes) -> None:
        async with self._database.tenant_tx(scope) as tx:
            tx.session.add(
                ApiKeyRow(
                    tenant_id=key.tenant_id,
                    id=key.id,
                    name=key.name,
                    prefix=key.prefix,
                    key_sha256=key_sha256,
                    scopes=list(key.scopes),
                    created_at=key.created_at,
                    expires_at=key.expires_at,
                )
            )
            await tx.session.flush()

    async def page(self, scope: TenantScope, *, before: UUID | None, limit: int) -> list[ApiKey]:
        # Ids are UUIDv7: their order is the order of making.
        question = select(ApiKeyRow).where(col(ApiKeyRow.revoked_at).is_(None))
        if before is not None:
            question = question.where(col(ApiKeyRow.id) < before)
        async with self._database.tenant_tx(scope) as tx:
            rows = await tx.session.exec(question.order_by(col(ApiKeyRow.id).desc()).limit(limit))
            return [_key(row) for row in rows]

    async def revoke(self, scope: TenantScope, key_id: ApiKeyId, now: datetime) -> None:
        revoked = (
            update(ApiKeyRow)
            .where(col(ApiKeyRow.id) == key_id, col(ApiKeyRow.revoked_at).is_(None))
            .values(revoked_at=now)
        )
        async with self._database.tenant_tx(scope) as tx:
            if not (await tx.session.exec(revoked)).rowcount:
                raise NotFound

    async def touch(self, scope: TenantScope, key_id: ApiKeyId, now: datetime) -> None:
        touched = update(ApiKeyRow).where(col(ApiKeyRow.id) == key_id).values(last_used_at=now)
        async with self._database.tenant_tx(scope) as tx:
            await tx.session.exec(touched)


def _key(row: Any) -> ApiKey:
    return ApiKey(
        id=ApiKeyId(row.id),
        tenant_id=TenantId(row.tenant_id),
        name=row.name,
        prefix=row.prefix,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )
