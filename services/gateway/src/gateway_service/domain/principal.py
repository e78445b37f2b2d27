"""Who asks, for which business, and what they may do."""

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from contracts.auth import Role, Scope
from contracts.ids import TenantId
from runtime.errors import Forbidden
from runtime.tenancy import TenantScope

Right = Literal["chat.read", "chat", "inbox", "documents.read", "documents", "business.read", "business"]

_READING: Final = frozenset[Right]({"chat.read", "documents.read", "business.read"})
_ALL: Final = _READING | frozenset[Right]({"chat", "documents", "business"})
_PERSONAL: Final = frozenset[Right]({"inbox"})
"""What no program may: to answer as a person."""
RIGHTS_OF_ROLE: Final[dict[Role, frozenset[Right]]] = {
    "owner": _ALL | _PERSONAL,
    "admin": _ALL | _PERSONAL,
    "support": _READING | _PERSONAL | frozenset[Right]({"chat"}),
    "viewer": _READING,
}
RIGHTS_OF_SCOPE: Final[dict[Scope, frozenset[Right]]] = {
    "chat": frozenset[Right]({"chat.read", "chat"}),
    "documents": frozenset[Right]({"documents.read", "documents"}),
    "admin": _ALL,
}


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller: a person with a role, or a program with scopes."""

    kind: Literal["user", "api_key"]
    tenant_id: TenantId
    id: UUID
    role: Role | None = None
    scopes: tuple[Scope, ...] = ()
    session_id: UUID | None = None
    """Of a person: what they signed in to."""

    @property
    def credential_id(self) -> UUID | None:
        """What can be taken back: a program's API key, a person's session."""
        return self.id if self.kind == "api_key" else self.session_id

    @property
    def key(self) -> str:
        """`user:<id>` or `key:<id>`: how the caller is counted and written down."""
        return f"{'user' if self.kind == 'user' else 'key'}:{self.id}"

    @property
    def scope(self) -> TenantScope:
        """What every question to another service is asked with."""
        return TenantScope(self.tenant_id, self.key)

    def may(self, right: Right) -> bool:
        if self.kind == "user":
            return self.role is not None and right in RIGHTS_OF_ROLE[self.role]
        return any(right in RIGHTS_OF_SCOPE[scope] for scope in self.scopes)

    def require(self, right: Right) -> None:
        """Raises Forbidden when the caller's role or scopes do not cover it."""
        if not self.may(right):
            lacking = "your role" if self.kind == "user" else "this API key's scopes"
            raise Forbidden(f"{lacking} may not do this")
