"""What the doors hand their questions to; `app.py` fills it."""

from dataclasses import dataclass

from auth_service.domain.ports import ApiKeys, Members, PublicKeys, Secrets, Sessions, Tenants
from auth_service.domain.sign_in import SignIn
from runtime.clock import Clock
from runtime.db import Database


@dataclass(frozen=True)
class Desk:
    """Everything that a door may need."""

    database: Database
    sign_in: SignIn
    tenants: Tenants
    members: Members
    sessions: Sessions
    api_keys: ApiKeys
    public_keys: PublicKeys
    secrets: Secrets
    clock: Clock
