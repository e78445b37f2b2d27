"""Rows of the schema `ingest`; they never leave outbound/."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel


class DocumentRow(SQLModel, table=True):
    """One document."""

    __tablename__ = "document"

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    title: str
    filename: str
    media_type: str
    size_bytes: int
    sha256: str
    state: str
    progress: float
    pages: int
    passages: int
    language: str | None
    error_code: str | None
    error_detail: str | None
    error_page: int | None
    generation: int
    attempt: int
    lease_until: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    url: str | None = None
    notes: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    cut_by: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    tags: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    expected_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    try_again_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    put_offs: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    came_of: UUID | None = None
    path: str | None = None
    found_filename: str | None = None
    found_size_bytes: int | None = None


class KnowledgeSettingsRow(SQLModel, table=True):
    """How a business's documents are to be cut."""

    __tablename__ = "knowledge_settings"

    tenant_id: UUID = Field(primary_key=True)
    cut_by: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class PassageRow(SQLModel, table=True):
    """One passage of one reading of a document."""

    __tablename__ = "passage"

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    document_id: UUID
    generation: int
    n: int
    start_offset: int
    end_offset: int
    heading: str
    lead: str
    body: str
    page: int | None
    language: str | None
    above: str = ""
    pages: list[list[int]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
