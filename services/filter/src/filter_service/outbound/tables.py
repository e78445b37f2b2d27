"""Rows of the schema `filter`; they never leave outbound/."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlmodel import Field, SQLModel


class PolicyVersion(SQLModel, table=True):
    """One version of a business's policy; the newest is in force, answers under way end by the one they began with."""

    __tablename__ = "policy_version"

    tenant_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    terms: list[str] = Field(sa_column=Column(ARRAY(TEXT)))
    terms_action: str
    cards_action: str
    iban_action: str
    email_action: str
    phone_action: str
    secrets_action: str
    window_chars: int


class DecisionRow(SQLModel, table=True):
    """What was done to one attempt at an answer: ids, kinds and counts, never the text."""

    __tablename__ = "decision"

    tenant_id: UUID = Field(primary_key=True)
    message_id: UUID = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    conversation_id: UUID
    policy_version: int
    is_blocked: bool
    found: dict[str, Any] = Field(sa_column=Column(JSONB))
    decided_at: datetime
