"""What the edge needs from others."""

from typing import Protocol

from contracts.auth import KeySet, VerifiedKey


class Keys(Protocol):
    """What auth knows about credentials."""

    async def public_keys(self) -> KeySet:
        """The keys that access tokens are signed with.

        Raises:
            Unavailable: auth is away.
        """
        ...

    async def verify_key(self, key_sha256: str) -> VerifiedKey:
        """Whose API key has this SHA-256 (hex).

        Raises:
            Rejected: nobody's (`not_authenticated`).
            Unavailable: auth is away.
        """
        ...
