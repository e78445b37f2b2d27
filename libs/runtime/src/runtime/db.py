"""Postgres: one helper opens a transaction for one tenant, and there is no other way to a connection.

Inside an open transaction of the same tenant a second `tenant_tx` joins it, so a message handled in one transaction
stays one transaction however many ports it calls. What is said with `Transaction.publish` or `.enqueue` is stored
beside the effect and goes out after the commit.

What each turn does is a function of the schema: `Database.call` is its transaction in one round trip (ADR 0023).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.ids import TenantId
from runtime import logs
from runtime.errors import Unavailable
from runtime.outbox import Outgoing, columns
from runtime.tenancy import TenantScope
from runtime.transaction import Transaction

ACQUIRE_S = 1.5
CALL_S = 1.75
"""For a function's whole transaction; above LOCK_TIMEOUT_MS, so that one who waits for a lock in vain did nothing."""
REST_S = 60.0
STATEMENT_TIMEOUT_MS, IDLE_TIMEOUT_MS, LOCK_TIMEOUT_MS = 5_000, 10_000, 1_500
COMMAND_TIMEOUT_S = 6.0
"""Ours, behind the server's own: one that stands still ends no statement."""

_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asked while the driver still hears the server's goodbye
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    OSError,
)
"""The connection is; another one may do."""
_NOT_NOW = (
    *_GONE,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,  # no connection left, disk or memory full
    asyncpg.TransactionRollbackError,  # a deadlock's victim
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a primary that became a replica, or that is nearly full
    asyncpg.PostgresSystemError,
)
"""Whatever was asked, the same may succeed later."""

_log = logs.get_logger()


_current: ContextVar[Transaction | None] = ContextVar("transaction", default=None)


class Database:
    """A service's own schema, through its least-privileged role."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._engine = _engine(url, pool_size)
        self._in_use = self._most_in_use = 0
        self._handed_over: Callable[[list[Outgoing]], None] = lambda _rows: None

    def after_commit(self, hand_over: Callable[[list[Outgoing]], None]) -> None:
        """Who publishes what a commit leaves in the outbox; without one the relay's next round does."""
        self._handed_over = hand_over

    @asynccontextmanager
    async def tenant_tx(self, scope: TenantScope, *, lock: str | None = None) -> AsyncIterator[Transaction]:
        """Open, or join, a transaction that sees this tenant only; commits at the end of the outermost block.

        `lock` names something of the tenant that only one transaction at a time may touch; it is held until the end.

        Raises:
            Unavailable: no connection could be had, or the database went away.
        """
        open_tx = _current.get()
        if open_tx is not None and open_tx.is_own(scope.tenant_id):
            if lock is not None:
                await open_tx.execute(_lock_statement(scope.tenant_id, lock))
            yield open_tx
            return
        begin = f"BEGIN; SET LOCAL app.tenant = '{UUID(str(scope.tenant_id))}'"
        if lock is not None:
            begin += f"; {_lock_statement(scope.tenant_id, lock)}"
        async with self._begun(begin) as (connection, driver):
            transaction = Transaction(connection, driver, scope.tenant_id)
            token = _current.set(transaction)
            try:
                yield transaction
                await transaction.save_outgoing()
            finally:
                _current.reset(token)
                await transaction.close()
        if transaction.outgoing:
            self._handed_over(transaction.outgoing)

    async def call(
        self, scope: TenantScope, function: str, *values: Any, said: Sequence[Outgoing] = (), lock: str | None = None
    ) -> Any:
        """Run a function of the schema as one transaction, or inside the open one; returns its row, or None.

        Its first parameter is the tenant, which is set, and the lock taken, before its body begins; then come `values`,
        and last the five columns of what it may say. Its own column `kept` tells which of these bodies are in the
        outbox, NULL for the others. A connection that breaks is replaced once, unseen, though the function may have
        committed: so it is one that may run twice.

        Raises:
            Unavailable: no connection could be had, or the database is busy or went away; a function that it had been
                given by then may still take effect.
        """
        values = (str(scope.tenant_id), *values, *(columns(said) if said else ()))
        statement = _call_statement(function, len(values), lock)
        open_tx = _current.get()
        if open_tx is not None and open_tx.is_own(scope.tenant_id):
            row = await open_tx.fetch_row(statement, *values)
            open_tx.outgoing += _kept(said, row)
            return row
        async with self._asked(lambda driver: driver.fetchrow(statement, *values, timeout=CALL_S)) as (_, _, row):
            kept = _kept(said, row)
        if kept:
            self._handed_over(kept)
        return row

    async def rows(self, scope: TenantScope, function: str, *values: Any) -> Sequence[Any]:
        """Run a function of the schema that only reads, as `call` does; returns all its rows.

        Raises:
            Unavailable: no connection could be had, or the database is busy or went away.
        """
        values = (str(scope.tenant_id), *values)
        statement = _call_statement(function, len(values), None)
        open_tx = _current.get()
        if open_tx is not None and open_tx.is_own(scope.tenant_id):
            return await open_tx.fetch_rows(statement, *values)
        async with self._asked(lambda driver: driver.fetch(statement, *values, timeout=CALL_S)) as (_, _, found):
            return found  # type: ignore[no-any-return] # the driver has no types

    @asynccontextmanager
    async def lookup_tx(self) -> AsyncIterator[AsyncSession]:
        """A transaction without a tenant: it sees no tenant's rows, only what is of none and lookup functions."""
        async with (
            self._begun("BEGIN") as (connection, _driver),
            AsyncSession(connection, expire_on_commit=False) as session,
        ):
            yield session
            await session.flush()

    async def check(self) -> None:
        """Raises when Postgres is away: for readiness."""
        async with self._begun("BEGIN"):
            pass

    async def refuse_privileges(self) -> None:
        """Raises RuntimeError when our role could look past row security."""
        async with self.lookup_tx() as session:
            question = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
            if (await session.execute(question)).scalar_one():
                msg = "the database role is superuser or BYPASSRLS: use the service's own app role"
                raise RuntimeError(msg)

    async def close(self) -> None:
        await self._engine.dispose()

    async def rest(self) -> None:
        """Let go of connections that a busy time opened and a quiet minute did not need. Runs until cancelled.

        Each costs the database a process of some 10 MiB; the pool by itself would hold them for ever.
        """
        while True:
            await asyncio.sleep(REST_S)
            needed, self._most_in_use = self._most_in_use, self._in_use
            if self._in_use == 0 and self._engine.pool.checkedin() > needed:  # type: ignore[attr-defined] # a QueuePool
                await self._engine.dispose()

    @asynccontextmanager
    async def _begun(self, begin: str) -> AsyncIterator[tuple[AsyncConnection, Any]]:
        """A connection inside a transaction; commits at the end of the block, rolls back when it raises."""
        async with self._asked(lambda driver: driver.execute(begin, timeout=ACQUIRE_S)) as (connection, driver, _):
            try:
                yield connection, driver
                await _commit(driver)
            except BaseException:
                await _roll_back(connection, driver)
                raise

    @asynccontextmanager
    async def _asked(self, ask: Callable[[Any], Awaitable[Any]]) -> AsyncIterator[tuple[AsyncConnection, Any, Any]]:
        """A connection, its driver, and what that gave to the first thing asked of it."""
        with _as_unavailable():
            self._in_use += 1
            self._most_in_use = max(self._most_in_use, self._in_use)
            try:
                connection, driver, answer = await self._ask(ask)
                try:
                    yield connection, driver, answer
                finally:
                    await connection.close()
            finally:
                self._in_use -= 1

    async def _ask(self, ask: Callable[[Any], Awaitable[Any]]) -> tuple[AsyncConnection, Any, Any]:
        """Ask in one round trip; a connection that died in the pool is replaced once, unseen."""
        for is_last in (False, True):
            connection, driver = await self._engine.connect(), None
            try:
                driver = (await connection.get_raw_connection()).driver_connection
                assert driver is not None
                answer = await ask(driver)
            except BaseException as error:
                stands_still = isinstance(error, TimeoutError)
                if stands_still and driver is not None:
                    driver.terminate()  # it would keep us waiting for its goodbye as well
                await connection.invalidate()
                await connection.close()
                if is_last or stands_still or not isinstance(error, _GONE):
                    raise
            else:
                return connection, driver, answer
        raise AssertionError("unreachable")


@contextmanager
def _as_unavailable() -> Iterator[None]:
    """What the driver and SQLAlchemy raise when the database is busy or away."""
    try:
        yield
    except (PoolTimeoutError, OperationalError, InterfaceError, TimeoutError, *_NOT_NOW) as error:
        raise Unavailable("the database is busy or away", retry_after_s=2) from error
    except DBAPIError as error:
        if error.connection_invalidated or _is_away(error.orig):
            raise Unavailable("the database is away", retry_after_s=2) from error
        raise


def _kept(said: Sequence[Outgoing], row: Any) -> list[Outgoing]:
    """What a function put into the outbox; it may have filled in what only the database knows."""
    if not said or row is None or row["kept"] is None:
        return []
    return [replace(each, body=body) for each, body in zip(said, row["kept"], strict=True) if body is not None]


@cache
def _call_statement(function: str, count: int, lock: str | None) -> str:
    """Arguments are evaluated before the function: what it sees begins after the lock, as the tenant's."""
    tenant = "set_config('app.tenant', $1, true)::uuid"
    if lock is not None:
        tenant = f"(SELECT {tenant} FROM pg_advisory_xact_lock(hashtextextended('{lock}:' || $1, 0)))"  # noqa: S608 - our own words
    return f"SELECT * FROM {function}({', '.join([tenant, *(f'${place}' for place in range(2, count + 1))])})"  # noqa: S608 - the same


def _lock_statement(tenant_id: TenantId, name: str) -> str:
    """The names are our own words, the tenant is a UUID: nothing to quote."""
    return f"SELECT pg_advisory_xact_lock(hashtextextended('{name}:{UUID(str(tenant_id))}', 0))"


async def _commit(driver: Any) -> None:
    """In a transaction that failed COMMIT rolls back without an error: only its answer tells."""
    if await driver.execute("COMMIT") != "COMMIT":
        raise RuntimeError("an error inside the transaction was swallowed; nothing was stored")


async def _roll_back(connection: AsyncConnection, driver: Any) -> None:
    """Whatever cannot be rolled back is not used again."""
    try:
        async with asyncio.timeout(ACQUIRE_S):
            await driver.execute("ROLLBACK")
    except Exception:  # noqa: BLE001 - the connection is given up, the first error is the one to tell
        with contextlib.suppress(Exception):
            await connection.invalidate()


def _is_away(error: BaseException | None) -> bool:
    return isinstance(error, _NOT_NOW) or isinstance(getattr(error, "__cause__", None), _NOT_NOW)


def _engine(url: str, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        # `_begun` says BEGIN and COMMIT itself: the tenant comes in the same round trip.
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=0,
        # An error's text reaches the logs; a statement's values are people's words.
        hide_parameters=True,
        pool_timeout=ACQUIRE_S,
        # The newest free connection first, so that at rest few are held warm.
        pool_use_lifo=True,
        connect_args={
            "timeout": ACQUIRE_S,
            "command_timeout": COMMAND_TIMEOUT_S,
            "server_settings": {
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_TIMEOUT_MS),
                "lock_timeout": str(LOCK_TIMEOUT_MS),
                "jit": "off",
            },
        },
    )
