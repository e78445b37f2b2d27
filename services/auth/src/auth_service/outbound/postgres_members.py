"""People in Postgres."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, update

from auth_service.domain.errors import EmailTaken
from auth_service.domain.member import Member
from auth_service.outbound.tables import MemberRow
from contracts.ids import TenantId, UserId
from runtime.db import Database
from runtime.errors import NotFound
from runtime.tenancy import TenantScope


class PostgresMembers:
    """Implements `Members`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, email: str) -> Member | None:
        async with self._database.lookup_tx() as session:
            found = await session.execute(text("SELECT * FROM member_by_email(:email)"), {"email": email})
            row = found.one_or_none()
        return _member(row) if row else None

    async def add(self, scope: TenantScope, member: Member) -> None:
        row = insert(MemberRow).values(
            tenant_id=member.tenant_id,
            id=member.id,
            email=member.email,
            password_hash=member.password_hash,
            role=member.role,
            created_at=member.created_at,
        )
        async with self._database.tenant_tx(scope) as tx:
            # Two at the same time: the second waits here until the first has committed.
            added = await tx.session.execute(row.on_conflict_do_nothing(index_elements=["email"]))
            if not added.rowcount:  # type: ignore[attr-defined] # a DML result has it, the stub says Result
                raise EmailTaken

    async def get(self, scope: TenantScope, member_id: UserId) -> Member:
        async with self._database.tenant_tx(scope) as tx:
            row = await tx.session.get(MemberRow, (scope.tenant_id, member_id))
        if row is None:
            raise NotFound
        return _member(row)

    async def set_password_hash(self, scope: TenantScope, member_id: UserId, password_hash: str) -> None:
        changed = update(MemberRow).where(col(MemberRow.id) == member_id).values(password_hash=password_hash)
        async with self._database.tenant_tx(scope) as tx:
            await tx.session.exec(changed)


def _member(row: Any) -> Member:
    return Member(UserId(row.id), TenantId(row.tenant_id), row.email, row.password_hash, row.role, row.created_at)
