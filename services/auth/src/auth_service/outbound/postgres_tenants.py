"""Businesses in Postgres."""

from auth_service.domain.tenant import Tenant
from auth_service.outbound.tables import BusinessRow
from contracts.ids import TenantId
from runtime.db import Database
from runtime.errors import NotFound
from runtime.tenancy import TenantScope


class PostgresTenants:
    """Implements `Tenants`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, scope: TenantScope, tenant: Tenant) -> None:
        async with self._database.tenant_tx(scope) as tx:
            tx.session.add(
                BusinessRow(
                    tenant_id=tenant.id, name=tenant.name, industry=tenant.industry, created_at=tenant.created_at
                )
            )
            await tx.session.flush()

    async def get(self, scope: TenantScope) -> Tenant:
        async with self._database.tenant_tx(scope) as tx:
            return _tenant(await tx.session.get(BusinessRow, scope.tenant_id))

    async def change(self, scope: TenantScope, *, name: str | None, industry: str | None) -> Tenant:
        async with self._database.tenant_tx(scope) as tx:
            row = await tx.session.get(BusinessRow, scope.tenant_id, with_for_update=True)
            if row is not None:
                row.name = row.name if name is None else name
                row.industry = row.industry if industry is None else industry
                await tx.session.flush()
            return _tenant(row)


def _tenant(row: BusinessRow | None) -> Tenant:
    if row is None:
        raise NotFound
    return Tenant(TenantId(row.tenant_id), row.name, row.industry, row.created_at)
