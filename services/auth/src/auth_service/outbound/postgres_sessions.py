"""Refresh tokens and their families in Postgres."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, delete, select, update

from auth_service.domain.session import RefreshToken
from auth_service.outbound.tables import RefreshTokenRow, SessionFamilyRow
from contracts.ids import TenantId, UserId
from runtime.db import Database
from runtime.errors import NotFound
from runtime.tenancy import TenantScope


class PostgresSessions:
    """Implements `Sessions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, token_sha256: bytes) -> RefreshToken | None:
        async with self._database.lookup_tx() as session:
            found = await session.execute(text("SELECT * FROM refresh_token_by_sha256(:sha)"), {"sha": token_sha256})
            row = found.one_or_none()
        return _token(row, is_revoked=row.is_revoked) if row else None

    async def open_family(self, scope: TenantScope, family_id: UUID, member_id: UserId, now: datetime) -> None:
        async with self._database.tenant_tx(scope) as tx:
            tx.session.add(
                SessionFamilyRow(tenant_id=scope.tenant_id, id=family_id, member_id=member_id, created_at=now)
            )
            await tx.session.flush()

    async def add(self, scope: TenantScope, token: RefreshToken, token_sha256: bytes) -> None:
        async with self._database.tenant_tx(scope) as tx:
            tx.session.add(
                RefreshTokenRow(
                    tenant_id=token.tenant_id,
                    id=token.id,
                    family_id=token.family_id,
                    member_id=token.member_id,
                    token_sha256=token_sha256,
                    expires_at=token.expires_at,
                )
            )
            await tx.session.flush()

    async def lock(self, scope: TenantScope, token_id: UUID) -> RefreshToken:
        # The family's row is the lock: whoever revokes it waits for whoever renews one of its tokens.
        question = (
            select(RefreshTokenRow, SessionFamilyRow)
            .join(SessionFamilyRow, col(RefreshTokenRow.family_id) == col(SessionFamilyRow.id))
            .where(col(RefreshTokenRow.id) == token_id)
            .with_for_update()
        )
        async with self._database.tenant_tx(scope) as tx:
            found = (await tx.session.exec(question)).one_or_none()
        if found is None:
            raise NotFound
        token, family = found
        return _token(token, is_revoked=family.revoked_at is not None)

    async def mark_used(self, scope: TenantScope, token_id: UUID, client: str, now: datetime) -> None:
        used = update(RefreshTokenRow).where(col(RefreshTokenRow.id) == token_id).values(used_at=now, used_by=client)
        async with self._database.tenant_tx(scope) as tx:
            await tx.session.exec(used)

    async def is_open(self, scope: TenantScope, family_id: UUID, member_id: UserId) -> bool:
        question = select(SessionFamilyRow.id).where(
            col(SessionFamilyRow.id) == family_id,
            col(SessionFamilyRow.member_id) == member_id,
            col(SessionFamilyRow.revoked_at).is_(None),
        )
        async with self._database.tenant_tx(scope) as tx:
            return (await tx.session.exec(question)).one_or_none() is not None

    async def revoke_family(self, scope: TenantScope, family_id: UUID, now: datetime) -> None:
        revoked = (
            update(SessionFamilyRow)
            .where(col(SessionFamilyRow.id) == family_id, col(SessionFamilyRow.revoked_at).is_(None))
            .values(revoked_at=now)
        )
        async with self._database.tenant_tx(scope) as tx:
            await tx.session.exec(revoked)

    async def drop_expired(self, scope: TenantScope, member_id: UserId, now: datetime) -> None:
        tokens = delete(RefreshTokenRow).where(
            col(RefreshTokenRow.member_id) == member_id, col(RefreshTokenRow.expires_at) <= now
        )
        kept = select(RefreshTokenRow.id).where(col(RefreshTokenRow.family_id) == col(SessionFamilyRow.id))
        families = delete(SessionFamilyRow).where(col(SessionFamilyRow.member_id) == member_id, ~kept.exists())
        async with self._database.tenant_tx(scope) as tx:
            await tx.session.exec(tokens)
            await tx.session.exec(families)


def _token(row: Any, *, is_revoked: bool) -> RefreshToken:
    return RefreshToken(
        id=row.id,
        tenant_id=TenantId(row.tenant_id),
        family_id=row.family_id,
        member_id=UserId(row.member_id),
        expires_at=row.expires_at,
        used_at=row.used_at,
        used_by=row.used_by,
        is_revoked=is_revoked,
    )
