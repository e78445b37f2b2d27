"""What an access token says (RFC 9068)."""

from datetime import datetime, timedelta
from uuid import UUID

from auth_service.domain.member import Member
from contracts.auth import ACCESS_AUDIENCE, ACCESS_ISSUER
from contracts.ids import uuid7

ACCESS_LIFE = timedelta(minutes=15)

Claims = dict[str, str | int]


def access_claims(member: Member, family_id: UUID, now: datetime) -> Claims:
    return {
        "iss": ACCESS_ISSUER,
        "aud": ACCESS_AUDIENCE,
        "sub": str(member.id),
        "tenant": str(member.tenant_id),
        "role": member.role,
        "sid": str(family_id),
        "iat": int(now.timestamp()),
        "exp": int((now + ACCESS_LIFE).timestamp()),
        "jti": str(uuid7()),
    }
