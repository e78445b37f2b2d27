"""Figures in Postgres."""

from collections.abc import Mapping
from datetime import date

from sqlmodel import col, func, select

from contracts.ids import EventId
from learning_service.outbound.tables import DailyFigure
from runtime.db import Database
from runtime.tenancy import TenantScope

CONSUMER = "learning"
"""In the inbox."""


class PostgresFigures:
    """Implements `Figures`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, scope: TenantScope, day: date, facts: Mapping[EventId, Mapping[str, int]]) -> int:
        raised = [(event_id, name, amount) for event_id, amounts in facts.items() for name, amount in amounts.items()]
        columns = ([one[place] for one in raised] for place in range(3))
        row = await self._database.call(scope, "count_facts", day, CONSUMER, list(facts), *columns)
        return int(row["counted"])

    async def totals(self, scope: TenantScope) -> dict[str, int]:
        question = select(DailyFigure.name, func.sum(DailyFigure.amount)).group_by(col(DailyFigure.name))
        async with self._database.tenant_tx(scope) as tx:
            return {name: int(amount) for name, amount in (await tx.session.exec(question)).all()}
