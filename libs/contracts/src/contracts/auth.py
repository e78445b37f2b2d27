"""What the auth service answers and says."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from contracts.base import Contract, Event, Nothing, Personal, Reply, Request
from contracts.channel import Fact, Rpc
from contracts.ids import ApiKeyId, SessionId, TenantId, UserId
from contracts.paging import Idempotency, PageRequest

ACCESS_ISSUER = "lumora"
ACCESS_AUDIENCE = "lumora.api"
ACCESS_TYPE = "at+jwt"
"""RFC 9068. Claims: `sub` the user, `tenant` the business, `role`, `sid` the session family, `iat`, `exp`, `jti`."""
ACCESS_ALGORITHM = "ES256"
API_KEY_PREFIX = "lum_"

Role = Literal["owner", "admin", "support", "viewer"]
Scope = Literal["chat", "documents", "admin"]
Password = Annotated[str, Field(min_length=10, max_length=200)]
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Business(Contract):
    """A tenant, as its people see it."""

    id: TenantId
    name: str
    industry: str
    created_at: datetime


class User(Contract):
    """A person of a business."""

    id: UserId
    email: Personal[str]
    role: Role
    business: Business
    created_at: datetime


class Register(Request):
    """A new business and its owner."""

    email: Personal[Email]
    password: Personal[Password]
    company_name: Name
    industry: Annotated[str, Field(max_length=100)] = ""
    idempotency: Idempotency | None = None


class Login(Request):
    """E-mail and password, for a session."""

    email: Personal[Annotated[str, Field(max_length=254)]]
    password: Personal[Annotated[str, Field(max_length=200)]]


class Refresh(Request):
    """A refresh token, used up by this call.

    `client` is a hash of what is known of the caller: the same one may repeat a call whose answer it lost.
    """

    refresh_token: Personal[Annotated[str, Field(max_length=200)]]
    client: Annotated[str, Field(max_length=64)] = ""


class Session(Reply):
    """A signed-in person; `expires_in` is the access token's life in seconds."""

    user: User
    access_token: Personal[str]
    refresh_token: Personal[str]
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int


class Me(Request):
    """Who am I, and am I still, if `session_id` is given: the `sid` of an access token."""

    user_id: UserId
    session_id: SessionId | None = None


class MeReply(Reply):
    """The current user, business and role."""

    user: User


class JsonWebKey(Contract):
    """A public P-256 key (RFC 7517)."""

    kty: Literal["EC"] = "EC"
    crv: Literal["P-256"] = "P-256"
    use: Literal["sig"] = "sig"
    alg: Literal["ES256"] = "ES256"
    kid: str
    x: str
    y: str


class GetKeys(Request):
    """The public keys that access tokens are checked with."""


class KeySet(Reply):
    """A JSON Web Key Set."""

    keys: tuple[JsonWebKey, ...]


class VerifyKey(Request):
    """SHA-256 (hex) of an API key as it was presented: the key itself never leaves the gateway."""

    key_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class VerifiedKey(Reply):
    """Whose key it is, and what it may."""

    tenant_id: TenantId
    key_id: ApiKeyId
    scopes: tuple[Scope, ...]
    expires_at: datetime | None


class ApiKey(Contract):
    """An API key as it is listed: never the key itself."""

    id: ApiKeyId
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class CreateApiKey(Request):
    """A new key; without `expires_in_days` it lives a year."""

    name: Name
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)] = ("chat", "documents")
    expires_in_days: Annotated[int, Field(ge=1, le=3650)] = 365
    idempotency: Idempotency | None = None


class CreatedApiKey(Reply):
    """The key, shown this once."""

    api_key: ApiKey
    key: Personal[str]


class ListApiKeys(PageRequest):
    """The business's keys, newest first."""


class ApiKeys(Reply):
    """One page of keys."""

    items: tuple[ApiKey, ...]
    next_cursor: str | None


class DeleteApiKey(Request):
    """Revoke a key at once."""

    key_id: ApiKeyId


class GetBusiness(Request):
    """The business's own profile."""


class BusinessReply(Reply):
    """The business's own profile."""

    business: Business


class UpdateBusiness(Request):
    """What is given is changed, what is not stays."""

    name: Name | None = None
    industry: Annotated[str, Field(max_length=100)] | None = None


class BusinessRegistered(Event):
    """A business exists."""

    tenant_id: TenantId


class ApiKeyRevoked(Event):
    """A key no longer opens anything: whoever cached it drops it."""

    key_id: ApiKeyId


class SessionEnded(Event):
    """A person signed out, or the session was taken from a thief: what it opened is closed.

    `session_id` is the `sid` of its access tokens; those run out by themselves.
    """

    session_id: SessionId


BUSINESS_REGISTERED = Fact("auth", "business_registered", BusinessRegistered, key="tenant_id", consumers=("learning",))
API_KEY_REVOKED = Fact("auth", "api_key_revoked", ApiKeyRevoked, key="key_id", consumers=(), listeners=("gateway",))
SESSION_ENDED = Fact("auth", "session_ended", SessionEnded, key="session_id", consumers=(), listeners=("gateway",))

_EDGE = ("gateway",)
REGISTER = Rpc("auth", "register", Register, Session, callers=_EDGE, is_tenant_scoped=False, timeout_s=10)
LOGIN = Rpc("auth", "login", Login, Session, callers=_EDGE, is_tenant_scoped=False, timeout_s=10)
REFRESH = Rpc("auth", "refresh", Refresh, Session, callers=_EDGE, is_tenant_scoped=False)
LOGOUT = Rpc("auth", "logout", Refresh, Nothing, callers=_EDGE, is_tenant_scoped=False)
ME = Rpc("auth", "me", Me, MeReply, callers=_EDGE)
GET_KEYS = Rpc("auth", "get_keys", GetKeys, KeySet, callers=_EDGE, is_tenant_scoped=False)
VERIFY_KEY = Rpc("auth", "verify_key", VerifyKey, VerifiedKey, callers=_EDGE, is_tenant_scoped=False)
CREATE_API_KEY = Rpc("auth", "create_api_key", CreateApiKey, CreatedApiKey, callers=_EDGE)
LIST_API_KEYS = Rpc("auth", "list_api_keys", ListApiKeys, ApiKeys, callers=_EDGE)
DELETE_API_KEY = Rpc("auth", "delete_api_key", DeleteApiKey, Nothing, callers=_EDGE)
GET_BUSINESS = Rpc("auth", "get_business", GetBusiness, BusinessReply, callers=_EDGE)
UPDATE_BUSINESS = Rpc("auth", "update_business", UpdateBusiness, BusinessReply, callers=_EDGE)
