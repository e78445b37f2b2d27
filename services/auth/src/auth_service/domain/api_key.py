"""API keys: what programs come in with."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from auth_service.domain.secret import new_api_key, shown_prefix
from contracts.auth import CreateApiKey, Scope
from contracts.ids import ApiKeyId, TenantId, uuid7


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as it is kept, without the key."""

    id: ApiKeyId
    tenant_id: TenantId
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = None


def make_api_key(request: CreateApiKey, tenant_id: TenantId, now: datetime) -> tuple[ApiKey, str]:
    """A new key, and the secret that is shown this once."""
    secret = new_api_key()
    key = ApiKey(
        id=ApiKeyId(uuid7()),
        tenant_id=tenant_id,
        name=request.name,
        prefix=shown_prefix(secret),
        # Each once, in the order they were asked for.
        scopes=tuple(dict.fromkeys(request.scopes)),
        created_at=now,
        expires_at=now + timedelta(days=request.expires_in_days),
    )
    return key, secret
