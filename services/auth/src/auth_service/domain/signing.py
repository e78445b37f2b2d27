"""Which signing key signs, which are shown, when a new one is due: keys overlap, so that nobody is logged out.

A new key is shown for a while before it signs (whoever checks tokens has it by then), and an old one is shown for as
long as a token signed with it may live.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from auth_service.domain.token import ACCESS_LIFE
from contracts.auth import JsonWebKey

ROTATE_AFTER = timedelta(days=30)
SHOWN_AHEAD = timedelta(minutes=15)
KEPT_AFTER = ACCESS_LIFE + timedelta(minutes=15)
"""A token's life, the leeway of who checks it, and the minute in which another replica still signs with the old key."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A P-256 key pair; `private` is whatever the signer works with."""

    kid: str
    created_at: datetime
    public: JsonWebKey
    private: Any


def is_due(keys: Sequence[SigningKey], now: datetime) -> bool:
    """Is it time for a new key?"""
    return all(key.created_at + ROTATE_AFTER <= now for key in keys)


def signing_key(keys: Sequence[SigningKey], now: datetime) -> SigningKey:
    """The newest that everybody has heard of; at the very first start, the only one there is."""
    newest_first = sorted(keys, key=lambda key: key.created_at, reverse=True)
    return next((key for key in newest_first if key.created_at + SHOWN_AHEAD <= now), newest_first[-1])


def spent(keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
    """Keys that no living token was signed with."""
    successors = [key.created_at for key in keys if key.created_at + SHOWN_AHEAD + KEPT_AFTER <= now]
    latest = max(successors, default=None)
    return [key for key in keys if latest is not None and key.created_at < latest]
