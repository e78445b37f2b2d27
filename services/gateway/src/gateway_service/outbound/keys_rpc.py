"""Asks auth for the keys that tokens are checked with, and whose an API key is."""

from contracts.auth import GET_KEYS, VERIFY_KEY, GetKeys, KeySet, VerifiedKey, VerifyKey
from runtime.bus import Bus

TIMEOUT_S = 1.7
"""A client gets its 503 in under 2 s."""


class KeysRpc:
    """Implements `Keys`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def public_keys(self) -> KeySet:
        return await self._bus.request(GET_KEYS, GetKeys(), timeout_s=TIMEOUT_S)

    async def verify_key(self, key_sha256: str) -> VerifiedKey:
        return await self._bus.request(VERIFY_KEY, VerifyKey(key_sha256=key_sha256), timeout_s=TIMEOUT_S)

    async def check(self) -> None:
        """Raises Unavailable when auth is away: for `/health`."""
        await self.public_keys()
