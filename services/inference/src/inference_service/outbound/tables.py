"""Rows of the schema `inference`; they never leave outbound/."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel


def _moment(*, is_optional: bool = False) -> Any:
    return Field(default=None, sa_column=Column(DateTime(timezone=True), nullable=is_optional))


def _texts() -> Any:
    return Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))


class AgentRow(SQLModel, table=True):
    """An agent; kept when deleted, because its conversations stay readable."""

    __tablename__ = "agent"

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    name: str
    persona: str
    instructions: str
    model: str
    fallbacks: list[str] = _texts()
    autonomy: str
    unsupported: str = "mark"
    is_default: bool
    created_at: datetime = _moment()
    updated_at: datetime = _moment()
    deleted_at: datetime | None = _moment(is_optional=True)


class ConversationRow(SQLModel, table=True):
    """A conversation; `epoch` rises whenever a person steps in, and fences the machine."""

    __tablename__ = "conversation"

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    agent_id: UUID
    status: str
    channel: str
    customer: str
    epoch: int = 0
    message_count: int = 0
    reason: str = ""
    assignee: UUID | None = None
    is_told: bool = False
    created_at: datetime = _moment()
    updated_at: datetime = _moment()


class MessageRow(SQLModel, table=True):
    """One message, as it was read or shown. An answer has the id of its turn."""

    __tablename__ = "message"

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    conversation_id: UUID
    author: str
    content: str
    sources: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    person: UUID | None = None
    created_at: datetime = _moment()


class NoteRow(SQLModel, table=True):
    """What people write to each other about a conversation; neither the customer nor a model reads it."""

    __tablename__ = "note"

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    conversation_id: UUID
    person: UUID
    content: str
    created_at: datetime = _moment()


class TurnRow(SQLModel, table=True):
    """The work of answering one customer message; its id is the answer's."""

    __tablename__ = "turn"

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    conversation_id: UUID
    customer_message_id: UUID
    client_message_id: UUID
    agent_id: UUID
    options: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    state: str
    attempt: int = 0
    lease_until: datetime | None = _moment(is_optional=True)
    is_stop_asked: bool = False
    enqueued_at: datetime = _moment()
    times_enqueued: int = 1
    finish_reason: str | None = None
    categories: list[str] = _texts()
    error_code: str | None = None
    model: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    is_usage_estimated: bool = False
    confidence: float = 0.0
    accepted_at: datetime = _moment()
    ended_at: datetime | None = _moment(is_optional=True)
