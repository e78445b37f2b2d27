"""Secrets that are shown once and kept as a hash: 256 random bits need no slow hash."""

import hashlib
import secrets

from contracts.auth import API_KEY_PREFIX

SECRET_BYTES = 32
SHOWN_CHARS = 6
"""How much of an API key stays visible in lists, beside the prefix: enough to tell keys apart, too little to guess."""


def new_refresh_token() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def new_api_key() -> str:
    return API_KEY_PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def shown_prefix(key: str) -> str:
    return key[: len(API_KEY_PREFIX) + SHOWN_CHARS]


def sha256(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
