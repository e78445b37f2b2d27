"""argon2id in a small thread pool: each hash takes 64 MiB and tens of milliseconds, so few run and few may wait."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from runtime.errors import Unavailable

TIME_COST, MEMORY_KIB, LANES = 2, 64 * 1024, 1
RETRY_AFTER_S = 2.0

ResultT = TypeVar("ResultT")


class Argon2Passwords:
    """Implements `Passwords`."""

    def __init__(self, *, threads: int, queue: int) -> None:
        self._hasher = PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="password")
        self._room = threads + queue
        self._nobodys = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._hasher.hash(password))

    async def fits(self, password: str, password_hash: str | None) -> bool:
        fits = await self._run(lambda: self._verify(password, password_hash or self._nobodys))
        return fits and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        return self._hasher.check_needs_rehash(password_hash)

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password: str, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        if self._room <= 0:
            raise Unavailable("too many sign-ins at once", retry_after_s=RETRY_AFTER_S)
        self._room -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._room += 1
