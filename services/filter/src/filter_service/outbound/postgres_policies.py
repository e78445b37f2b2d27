"""Policies in Postgres: a version is written once and never changed."""

from typing import Any

from sqlalchemy import text
from sqlmodel import col, select

from contracts.filter import POLICY_CHANGED, PolicyChanged
from filter_service.domain.policy import Policy
from filter_service.outbound.tables import PolicyVersion
from runtime.db import Database
from runtime.errors import NotFound
from runtime.tenancy import TenantScope


class PostgresPolicies:
    """Implements `Policies`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self, scope: TenantScope) -> Policy:
        newest = select(PolicyVersion).order_by(col(PolicyVersion.version).desc()).limit(1)
        async with self._database.tenant_tx(scope) as tx:
            row = (await tx.session.exec(newest)).first()
            return _policy(row) if row else Policy()

    async def at(self, scope: TenantScope, version: int) -> Policy:
        if version == 0:
            return Policy()
        async with self._database.tenant_tx(scope) as tx:
            row = await tx.session.get(PolicyVersion, (scope.tenant_id, version))
            if row is None:
                raise NotFound
            return _policy(row)

    async def replace(self, scope: TenantScope, policy: Policy) -> Policy:
        async with self._database.tenant_tx(scope) as tx:
            # Two changes at once are numbered one after the other.
            lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:tenant, 0))")
            await tx.session.execute(lock, {"tenant": str(scope.tenant_id)})
            version = (await self.current(scope)).version + 1
            fields: dict[str, Any] = {
                "terms_action": policy.terms_action,
                "cards_action": policy.cards_action,
                "iban_action": policy.iban_action,
                "email_action": policy.email_action,
                "phone_action": policy.phone_action,
                "secrets_action": policy.secrets_action,
                "window_chars": policy.window_chars,
            }
            row = PolicyVersion(tenant_id=scope.tenant_id, version=version, terms=list(policy.terms), **fields)
            tx.session.add(row)
            await tx.session.flush()
            await tx.publish(POLICY_CHANGED, PolicyChanged(tenant_id=scope.tenant_id, version=version))
            return Policy(version=version, terms=policy.terms, **fields)


def _policy(row: PolicyVersion) -> Policy:
    fields: dict[str, Any] = row.model_dump(exclude={"tenant_id"})
    return Policy(**{**fields, "terms": tuple(row.terms)})
