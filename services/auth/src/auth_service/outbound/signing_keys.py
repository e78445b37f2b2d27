"""The platform's signing keys: kept in Postgres with the private half sealed, rotated by age, used to sign."""

import asyncio
import base64
from collections.abc import Sequence
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from sqlalchemy import text
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from auth_service.domain.signing import SigningKey, is_due, signing_key, spent
from auth_service.domain.token import Claims
from auth_service.outbound.sealed_secrets import SealBroken, Sealer
from auth_service.outbound.tables import SigningKeyRow
from contracts.auth import ACCESS_ALGORITHM, ACCESS_TYPE, JsonWebKey, KeySet
from contracts.ids import uuid7
from runtime import logs
from runtime.clock import Clock
from runtime.db import Database
from runtime.errors import Unavailable

LOOK_EVERY_S = 60.0
COORDINATE_BYTES = 32
ROTATION_LOCK = 0x6C756D6F
"""Advisory lock: of several replicas one makes the new key, the others read it."""

_log = logs.get_logger()


class SigningKeys:
    """Implements `Signer`, and tells the public halves."""

    def __init__(self, database: Database, sealer: Sealer, clock: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._clock = clock
        self._keys: list[SigningKey] = []

    def sign(self, claims: Claims) -> str:
        if not self._keys:
            raise Unavailable("no signing key is loaded yet", retry_after_s=1)
        key = signing_key(self._keys, self._clock.now())
        headers = {"kid": key.kid, "typ": ACCESS_TYPE}
        return jwt.encode(claims, key.private, algorithm=ACCESS_ALGORITHM, headers=headers)

    async def public_keys(self) -> KeySet:
        """Read anew each time: another replica may have made one."""
        async with self._database.lookup_tx() as session:
            rows = await _rows(session)
        return KeySet(keys=tuple(_public(row) for row in rows))

    async def load(self) -> None:
        """Read the keys; make one when none is young enough, forget the spent ones.

        Raises:
            SealBroken: the master key is not the one they were sealed with.
            Unavailable: the database is away.
        """
        now = self._clock.now()
        async with self._database.lookup_tx() as session:
            await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ROTATION_LOCK})
            keys = [self._open(row) for row in await _rows(session)]
            if is_due(keys, now):
                keys.append(self._make(session))
            if over := [key.kid for key in spent(keys, now)]:
                await session.exec(delete(SigningKeyRow).where(col(SigningKeyRow.kid).in_(over)))
                keys = [key for key in keys if key.kid not in over]
        self._keys = keys

    async def watch(self) -> None:
        """Look every minute. Runs until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.load()
            except Unavailable:
                _log.warning("signing_keys.waiting")

    def _make(self, session: AsyncSession) -> SigningKey:
        private = ec.generate_private_key(ec.SECP256R1())
        numbers = private.public_key().public_numbers()
        der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        kid = uuid7().hex
        row = SigningKeyRow(
            kid=kid,
            x=_base64url(numbers.x),
            y=_base64url(numbers.y),
            sealed_private=self._sealer.seal(der, _belongs_to(kid)),
            created_at=self._clock.now(),
        )
        session.add(row)
        _log.info("signing_key.made", kid=kid)
        return SigningKey(kid, row.created_at, _public(row), private)

    def _open(self, row: SigningKeyRow) -> SigningKey:
        try:
            private: Any = load_der_private_key(self._sealer.open(row.sealed_private, _belongs_to(row.kid)), None)
        except SealBroken:
            raise SealBroken("AUTH_MASTER_KEY is not the key that the signing keys were sealed with") from None
        return SigningKey(row.kid, row.created_at, _public(row), private)


async def _rows(session: AsyncSession) -> Sequence[SigningKeyRow]:
    return (await session.exec(select(SigningKeyRow).order_by(col(SigningKeyRow.created_at)))).all()


def _belongs_to(kid: str) -> str:
    return f"signing_key|{kid}|1"


def _public(row: SigningKeyRow) -> JsonWebKey:
    return JsonWebKey(kid=row.kid, x=row.x, y=row.y)


def _base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(COORDINATE_BYTES)).rstrip(b"=").decode()
