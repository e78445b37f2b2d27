"""A person of a business."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from contracts.auth import Role
from contracts.ids import TenantId, UserId


@dataclass(frozen=True, slots=True)
class Member:
    """A person as they are kept; the e-mail is in its normal form."""

    id: UserId
    tenant_id: TenantId
    email: str
    password_hash: str
    role: Role
    created_at: datetime


def normal_email(email: str) -> str:
    """One form of one address: an e-mail is told from another without regard to case."""
    return unicodedata.normalize("NFC", email.strip()).lower()
