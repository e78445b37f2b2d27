"""What the HTTP doors hand their questions to; `app.py` fills it."""

from dataclasses import dataclass

from gateway_service.domain.limits import RateLimits
from gateway_service.domain.ports import Inbox, Services, Tokens
from gateway_service.domain.upload_turns import UploadTurns
from runtime.health import Health


@dataclass(frozen=True)
class HttpDesk:
    """Everything that a door may need."""

    services: Services
    tokens: Tokens
    limits: RateLimits
    inbox: Inbox
    uploads: UploadTurns
    health: Health
    origins: tuple[str, ...] = ()
    """Further origins, beside our own, whose pages may ask."""
