"""Figures in Postgres."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, func, select

from learning_service.outbound.tables import DailyFigure
from runtime.db import Database
from runtime.tenancy import TenantScope


class PostgresFigures:
    """Implements `Figures`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, scope: TenantScope, day: date, amounts: Mapping[str, int]) -> None:
        rows = [
            {"tenant_id": scope.tenant_id, "day": day, "name": name, "amount": amount}
            # Sorted, so that two transactions never lock the same rows in opposite order.
            for name, amount in sorted(amounts.items())
        ]
        statement = insert(DailyFigure).values(rows)
        raised = statement.on_conflict_do_update(
            index_elements=["tenant_id", "day", "name"],
            set_={"amount": DailyFigure.amount + statement.excluded.amount},
        )
        async with self._database.tenant_tx(scope) as tx:
            await tx.session.execute(raised)

    async def totals(self, scope: TenantScope) -> dict[str, int]:
        question = select(DailyFigure.name, func.sum(DailyFigure.amount)).group_by(col(DailyFigure.name))
        async with self._database.tenant_tx(scope) as tx:
            return {name: int(amount) for name, amount in (await tx.session.exec(question)).all()}
