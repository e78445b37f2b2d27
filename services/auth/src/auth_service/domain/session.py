"""A session is a family of refresh tokens, each used once. Whoever brings a used one is a thief, or unlucky."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from contracts.ids import TenantId, UserId

REFRESH_LIFE = timedelta(days=30)
REPEAT_WITHIN = timedelta(seconds=10)
"""A client whose answer was lost on the way, or two of its tabs, bring the same token within moments."""

Verdict = Literal["rotate", "repeat", "reused", "dead"]


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One token as it is kept, with what its family says."""

    id: UUID
    tenant_id: TenantId
    family_id: UUID
    member_id: UserId
    expires_at: datetime
    used_at: datetime | None
    used_by: str
    is_revoked: bool


def judge(token: RefreshToken, client: str, now: datetime) -> Verdict:
    """What to do with a token that is brought now.

    `rotate` and `repeat` give a fresh pair; `reused` revokes the family; `dead` is refused, no more.
    """
    if token.is_revoked or token.expires_at <= now:
        return "dead"
    if token.used_at is None:
        return "rotate"
    is_same_client = bool(client) and client == token.used_by
    if is_same_client and now - token.used_at <= REPEAT_WITHIN:
        return "repeat"
    return "reused"
