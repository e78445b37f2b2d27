"""Figures in Postgres."""

from collections.abc import Mapping
from datetime import date

from sqlmodel import col, func, select

from learning_service.outbound.tables import DailyFigure
from runtime.db import Database
from runtime.tenancy import TenantScope

_ADD = """
    INSERT INTO daily_figure (tenant_id, day, name, amount)
    SELECT $1, $2, * FROM unnest($3::text[], $4::bigint[])
    ON CONFLICT (tenant_id, day, name) DO UPDATE SET amount = daily_figure.amount + excluded.amount
"""


class PostgresFigures:
    """Implements `Figures`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, scope: TenantScope, day: date, amounts: Mapping[str, int]) -> None:
        # Sorted, so that two transactions never lock the same rows in opposite order.
        names = sorted(amounts)
        async with self._database.tenant_tx(scope) as tx:
            await tx.execute(_ADD, scope.tenant_id, day, names, [amounts[name] for name in names])

    async def totals(self, scope: TenantScope) -> dict[str, int]:
        question = select(DailyFigure.name, func.sum(DailyFigure.amount)).group_by(col(DailyFigure.name))
        async with self._database.tenant_tx(scope) as tx:
            return {name: int(amount) for name, amount in (await tx.session.exec(question)).all()}
