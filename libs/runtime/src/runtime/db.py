"""Postgres: one helper opens a transaction for one tenant, and there is no other way to a connection.

Inside an open transaction of the same tenant a second `tenant_tx` joins it, so a message handled in one transaction
stays one transaction however many ports it calls. What is said with `Transaction.publish` or `.enqueue` is stored
beside the effect and goes out after the commit.

Most repositories use `Transaction.session` (SQLModel). The few statements of a turn's way use the driver itself
(`fetch_row`, `fetch_rows`, `execute`): through the ORM each costs about four times the CPU, and a turn has many.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts import subjects
from contracts.base import Event, Job
from contracts.channel import Fact, Work
from contracts.ids import EventId, TenantId, uuid7
from runtime import logs
from runtime.errors import LumoraError, Unavailable
from runtime.outbox import Outgoing
from runtime.tenancy import TenantScope

ACQUIRE_S = 1.5
REST_S = 60.0
STATEMENT_TIMEOUT_MS, IDLE_TIMEOUT_MS, LOCK_TIMEOUT_MS = 5_000, 10_000, 2_000
COMMAND_TIMEOUT_S = 6.0
"""Ours, behind the server's own: one that stands still ends no statement."""

_KEEP_OUTGOING = """
    INSERT INTO outbox (id, tenant_id, subject, stream, schema_name, body)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[])
"""
_FIRST_TIMES = """
    INSERT INTO inbox (tenant_id, consumer, event_id) SELECT $1, $2, * FROM unnest($3::uuid[])
    ON CONFLICT DO NOTHING RETURNING event_id
"""
_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asked while the driver still hears the server's goodbye
    asyncpg.CannotConnectNowError,
    OSError,
)

_log = logs.get_logger()


class Transaction:
    """One tenant's open transaction."""

    def __init__(self, connection: AsyncConnection, driver: Any, tenant_id: TenantId) -> None:
        self.tenant_id = tenant_id
        self._connection = connection
        self._driver = driver
        self._session: AsyncSession | None = None
        self._task = asyncio.current_task()
        self._unsaved: list[Outgoing] = []
        self.outgoing: list[Outgoing] = []

    @property
    def session(self) -> AsyncSession:
        """SQLModel's session inside this transaction."""
        if self._session is None:
            self._session = AsyncSession(self._connection, expire_on_commit=False)
        return self._session

    async def fetch_row(self, sql: str, *values: Any) -> Any:
        """Return the first row, or None; parameters are written $1, $2 and so on."""
        return await self._driver.fetchrow(sql, *values)

    async def fetch_rows(self, sql: str, *values: Any) -> Sequence[Any]:
        return await self._driver.fetch(sql, *values)  # type: ignore[no-any-return] # the driver has no types

    async def execute(self, sql: str, *values: Any) -> None:
        await self._driver.execute(sql, *values)

    async def publish(self, fact: Fact[Any], content: Event) -> None:
        """Say a fact once this commits."""
        key = UUID(str(getattr(content, fact.key)))
        self._keep(subjects.fact(fact, self.tenant_id, key), "EVENTS", fact.schema, content.dump())

    async def enqueue(self, work: Work[Any], job: Job) -> None:
        """Put a job into its queue once this commits."""
        self._keep(subjects.job(work, self.tenant_id), work.stream, work.schema, job.dump())

    async def first_time(self, consumer: str, event_id: EventId) -> bool:
        """Note in the inbox that `consumer` handled this event; False when it had before, and nothing is to be done."""
        return bool(await self.first_times(consumer, [event_id]))

    async def first_times(self, consumer: str, event_ids: Iterable[EventId]) -> set[EventId]:
        """Note in the inbox that `consumer` handled these events; returns those that it had not handled before."""
        # Sorted, so that two replicas that were given the same events never wait for each other's rows crosswise.
        wanted = sorted(set(event_ids))
        return {
            EventId(row["event_id"]) for row in await self.fetch_rows(_FIRST_TIMES, self.tenant_id, consumer, wanted)
        }

    def _keep(self, subject: str, stream: str, schema: str, body: bytes) -> None:
        self._unsaved.append(Outgoing(uuid7(), self.tenant_id, subject, stream, schema, body))

    async def save_outgoing(self) -> None:
        """Write what was said into the outbox: one statement before the commit, however much it is."""
        if self._session is not None:
            await self._session.flush()
        if not self._unsaved:
            return
        rows, self._unsaved = self._unsaved, []
        columns = zip(*((r.id, r.tenant_id, r.subject, r.stream, r.schema, r.body) for r in rows), strict=True)
        await self.execute(_KEEP_OUTGOING, *(list(column) for column in columns))
        self.outgoing += rows

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def is_own(self, tenant_id: TenantId) -> bool:
        """Tell whether the caller may join: not from another task, because a connection serves one at a time."""
        return self.tenant_id == tenant_id and self._task is asyncio.current_task()


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

    @asynccontextmanager
    async def lookup_tx(self) -> AsyncIterator[AsyncSession]:
        """A transaction without a tenant: it sees no tenant's rows, and may only call the lookup functions."""
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
        try:
            connection, driver = await self._begin(begin)
            self._in_use += 1
            self._most_in_use = max(self._most_in_use, self._in_use)
            try:
                yield connection, driver
                await _commit(driver)
            except BaseException:
                await _roll_back(connection, driver)
                raise
            finally:
                self._in_use -= 1
                await connection.close()
        except LumoraError:
            raise
        except (PoolTimeoutError, OperationalError, InterfaceError, TimeoutError, *_GONE) as error:
            raise Unavailable("the database is busy or away", retry_after_s=2) from error
        except (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError) as error:
            raise Unavailable("the database is busy", retry_after_s=2) from error
        except DBAPIError as error:
            if error.connection_invalidated or _is_away(error.orig):
                raise Unavailable("the database is away", retry_after_s=2) from error
            raise

    async def _begin(self, begin: str) -> tuple[AsyncConnection, Any]:
        """One round trip opens the transaction; a connection that died in the pool is replaced once, unseen."""
        for is_last in (False, True):
            connection, driver = await self._engine.connect(), None
            try:
                driver = (await connection.get_raw_connection()).driver_connection
                assert driver is not None
                await driver.execute(begin, timeout=ACQUIRE_S)
            except BaseException as error:
                stands_still = isinstance(error, TimeoutError)
                if stands_still and driver is not None:
                    driver.terminate()  # it would keep us waiting for its goodbye as well
                await connection.invalidate()
                await connection.close()
                if is_last or stands_still or not isinstance(error, _GONE):
                    raise
            else:
                return connection, driver
        raise AssertionError("unreachable")


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
    cause = getattr(error, "__cause__", None)
    kinds = (*_GONE, asyncpg.AdminShutdownError, asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)
    return isinstance(error, kinds) or isinstance(cause, kinds)


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
