"""Secrets at rest: AES-256-GCM under the master key, bound to what they belong to."""

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
VERSION = b"\x01"


class SealBroken(Exception):
    """Another master key, another owner, or changed bytes."""


class Sealer:
    """Seals with keys derived from the master key, one for each purpose."""

    def __init__(self, master_key_hex: str) -> None:
        """Raises ValueError when it is no key of 256 bits."""
        master = bytes.fromhex(master_key_hex)
        if len(master) != KEY_BYTES:
            raise ValueError(f"the master key must have {KEY_BYTES} bytes ({2 * KEY_BYTES} hex digits)")
        self._cipher = AESGCM(_derive(master, b"lumora sealed secrets"))
        self._digest_key = _derive(master, b"lumora fingerprints")

    def seal(self, secret: bytes, belongs_to: str) -> bytes:
        """Version byte, nonce, ciphertext with tag."""
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, secret, belongs_to.encode())

    def open(self, sealed: bytes, belongs_to: str) -> bytes:
        """Raises SealBroken."""
        if sealed[:1] != VERSION:
            raise SealBroken("sealed in an unknown way")
        nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, body, belongs_to.encode())
        except InvalidTag:
            raise SealBroken(belongs_to) from None

    def fingerprint(self, text: str) -> str:
        """A keyed hash (hex): tells same from other, and cannot be searched without the key."""
        return hmac.digest(self._digest_key, text.encode(), "sha256").hex()


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=purpose).derive(master)
