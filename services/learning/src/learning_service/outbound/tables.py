"""Rows of the schema `learning`; they never leave outbound/."""

from datetime import date
from uuid import UUID

from sqlmodel import Field, SQLModel


class DailyFigure(SQLModel, table=True):
    """One counter of one business on one day."""

    __tablename__ = "daily_figure"

    tenant_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    name: str = Field(primary_key=True)
    amount: int
