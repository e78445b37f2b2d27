"""Postgres: one helper opens a transaction for one tenant, and there is no other way to a session.

Inside an open transaction of the same tenant a second `tenant_tx` joins it, so a message handled in one transaction
stays one transaction however many ports it calls. What is said with `Transaction.publish` or `.enqueue` is stored
beside the effect and goes out after the commit.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
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
STATEMENT_TIMEOUT_MS, IDLE_TIMEOUT_MS, LOCK_TIMEOUT_MS = 5_000, 10_000, 2_000

_log = logs.get_logger()


class Transaction:
    """One tenant's open transaction."""

    def __init__(self, session: AsyncSession, tenant_id: TenantId) -> None:
        self.session = session
        self.tenant_id = tenant_id
        self._task = asyncio.current_task()
        self.outgoing: list[Outgoing] = []

    async def publish(self, fact: Fact[Any], content: Event) -> None:
        """Say a fact once this commits."""
        key = UUID(str(getattr(content, fact.key)))
        await self._keep(subjects.fact(fact, self.tenant_id, key), "EVENTS", fact.schema, content.dump())

    async def enqueue(self, work: Work[Any], job: Job) -> None:
        """Put a job into its queue once this commits."""
        await self._keep(subjects.job(work, self.tenant_id), work.stream, work.schema, job.dump())

    async def first_time(self, consumer: str, event_id: EventId) -> bool:
        """Note in the inbox that `consumer` handled this event; False when it had before, and nothing is to be done."""
        result = await self.session.execute(
            text("INSERT INTO inbox (tenant_id, consumer, event_id) VALUES (:t, :c, :e) ON CONFLICT DO NOTHING"),
            {"t": self.tenant_id, "c": consumer, "e": event_id},
        )
        return bool(result.rowcount)  # type: ignore[attr-defined] # a DML result has it, the stub says Result

    async def _keep(self, subject: str, stream: str, schema: str, body: bytes) -> None:
        row = Outgoing(uuid7(), self.tenant_id, subject, stream, schema, body)
        await self.session.execute(
            text(
                "INSERT INTO outbox (id, tenant_id, subject, stream, schema_name, body)"
                " VALUES (:id, :tenant, :subject, :stream, :schema, :body)"
            ),
            {
                "id": row.id,
                "tenant": row.tenant_id,
                "subject": subject,
                "stream": stream,
                "schema": schema,
                "body": body,
            },
        )
        self.outgoing.append(row)

    def is_own(self, tenant_id: TenantId) -> bool:
        """May the caller join? Not from another task: a connection serves one at a time."""
        return self.tenant_id == tenant_id and self._task is asyncio.current_task()


_current: ContextVar[Transaction | None] = ContextVar("transaction", default=None)


class Database:
    """A service's own schema, through its least-privileged role."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._engine = _engine(url, pool_size)
        self._handed_over: Callable[[list[Outgoing]], None] = lambda _rows: None

    def after_commit(self, hand_over: Callable[[list[Outgoing]], None]) -> None:
        """Who publishes what a commit leaves in the outbox; without one the relay's next round does."""
        self._handed_over = hand_over

    @asynccontextmanager
    async def tenant_tx(self, scope: TenantScope) -> AsyncIterator[Transaction]:
        """Open, or join, a transaction that sees this tenant only; commits at the end of the outermost block.

        Raises:
            Unavailable: no connection could be had, or the database went away.
        """
        open_tx = _current.get()
        if open_tx is not None and open_tx.is_own(scope.tenant_id):
            yield open_tx
            return
        async with self._session() as session:
            await self._begin(session, scope.tenant_id)
            transaction = Transaction(session, scope.tenant_id)
            token = _current.set(transaction)
            try:
                yield transaction
            finally:
                _current.reset(token)
            await session.commit()
        if transaction.outgoing:
            self._handed_over(transaction.outgoing)

    @asynccontextmanager
    async def lookup_tx(self) -> AsyncIterator[AsyncSession]:
        """A transaction without a tenant: it sees no tenant's rows, and may only call the lookup functions."""
        async with self._session() as session:
            yield session
            await session.commit()

    async def check(self) -> None:
        """Raises when Postgres is away: for readiness."""
        async with self._session() as session:
            await session.execute(text("SELECT 1"))

    async def refuse_privileges(self) -> None:
        """Raises RuntimeError when our role could look past row security."""
        async with self._session() as session:
            row = (
                await session.execute(
                    text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
                )
            ).scalar_one()
        if row:
            msg = "the database role is superuser or BYPASSRLS: use the service's own app role"
            raise RuntimeError(msg)

    async def close(self) -> None:
        await self._engine.dispose()

    async def _begin(self, session: AsyncSession, tenant_id: TenantId) -> None:
        """First words of every transaction; a connection that died in the pool is replaced once, unseen."""
        for is_last in (False, True):
            try:
                await session.execute(text("SELECT set_config('app.tenant', :t, true)"), {"t": str(tenant_id)})
            except DBAPIError as error:
                if is_last or not error.connection_invalidated:
                    raise
                await session.rollback()
            else:
                return

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[AsyncSession]:
        try:
            async with AsyncSession(self._engine, expire_on_commit=False) as session:
                yield session
        except LumoraError:
            raise
        except (PoolTimeoutError, OperationalError, InterfaceError, OSError, TimeoutError) as error:
            raise Unavailable("the database is busy or away", retry_after_s=2) from error
        except DBAPIError as error:
            if error.connection_invalidated or _is_away(error.orig):
                raise Unavailable("the database is away", retry_after_s=2) from error
            raise


def _is_away(error: BaseException | None) -> bool:
    cause = getattr(error, "__cause__", None)
    kinds = (asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError, OSError)
    return isinstance(error, kinds) or isinstance(
        cause, (*kinds, asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)
    )


def _engine(url: str, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=ACQUIRE_S,
        # The newest free connection first, so that at rest few are held warm.
        pool_use_lifo=True,
        connect_args={
            "timeout": ACQUIRE_S,
            "server_settings": {
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_TIMEOUT_MS),
                "lock_timeout": str(LOCK_TIMEOUT_MS),
                "jit": "off",
            },
        },
    )
