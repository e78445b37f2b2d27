"""Rows of the schema `auth`; they never leave outbound/."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel


def _time(**options: Any) -> Any:
    return Field(sa_type=DateTime(timezone=True), **options)


class BusinessRow(SQLModel, table=True):
    """A business; its id is the tenant's."""

    __tablename__ = "business"

    tenant_id: UUID = Field(primary_key=True)
    name: str
    industry: str
    created_at: datetime = _time()


class MemberRow(SQLModel, table=True):
    """A person of a business."""

    __tablename__ = "member"

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    email: str
    password_hash: str
    role: str
    created_at: datetime = _time()


class SessionFamilyRow(SQLModel, table=True):
    """One sign-in and all that was refreshed from it."""

    __tablename__ = "session_family"

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    member_id: UUID
    created_at: datetime = _time()
    revoked_at: datetime | None = _time(default=None)


class RefreshTokenRow(SQLModel, table=True):
    """One refresh token, by its hash."""

    __tablename__ = "refresh_token"

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    family_id: UUID
    member_id: UUID
    token_sha256: bytes
    expires_at: datetime = _time()
    used_at: datetime | None = _time(default=None)
    used_by: str = ""


class ApiKeyRow(SQLModel, table=True):
    """One API key, by its hash."""

    __tablename__ = "api_key"

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    name: str
    prefix: str
    key_sha256: bytes
    scopes: list[str] = Field(sa_type=ARRAY(Text))
    created_at: datetime = _time()
    expires_at: datetime | None = _time(default=None)
    last_used_at: datetime | None = _time(default=None)
    revoked_at: datetime | None = _time(default=None)


class SigningKeyRow(SQLModel, table=True):
    """A key pair of the platform, of no tenant; the private half is sealed."""

    __tablename__ = "signing_key"

    kid: str = Field(primary_key=True)
    x: str
    y: str
    sealed_private: bytes
    created_at: datetime = _time()
