"""Agents in Postgres."""

from sqlalchemy import ColumnElement, func, tuple_, update
from sqlmodel import col, select

from contracts.ids import AgentId, uuid7
from contracts.inference import Agent, AgentReply, Agents, CreateAgent, ListAgents, UpdateAgent
from inference_service.outbound import cursor
from inference_service.outbound.tables import AgentRow
from runtime.db import Database
from runtime.errors import NotFound
from runtime.idempotency import once
from runtime.tenancy import TenantScope
from runtime.transaction import Transaction

LOCK = "agents"
"""Two first agents at once: one of them is the default, the other sees it."""


class PostgresAgents:
    """Implements `AgentStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, scope: TenantScope, request: CreateAgent, model: str, fallbacks: tuple[str, ...]) -> Agent:
        async with self._database.tenant_tx(scope, lock=LOCK) as tx:

            async def make() -> AgentReply:
                return AgentReply(agent=await _insert(tx, request, model, fallbacks))

            return (await once(tx, request.idempotency, AgentReply, make)).agent

    async def update(self, scope: TenantScope, request: UpdateAgent) -> Agent:
        given = request.model_dump(exclude={"agent_id"}, exclude_none=True)
        async with self._database.tenant_tx(scope) as tx:
            statement = update(AgentRow).where(_is_living(request.agent_id)).values(**given, updated_at=func.now())
            row = (await tx.session.execute(statement.returning(AgentRow))).scalar_one_or_none()
        if row is None:
            raise NotFound
        return _agent(row)

    async def get(self, scope: TenantScope, agent_id: AgentId) -> Agent:
        async with self._database.tenant_tx(scope) as tx:
            row = (await tx.session.exec(select(AgentRow).where(_is_living(agent_id)))).one_or_none()
        if row is None:
            raise NotFound
        return _agent(row)

    async def delete(self, scope: TenantScope, agent_id: AgentId) -> None:
        async with self._database.tenant_tx(scope, lock=LOCK) as tx:
            statement = update(AgentRow).where(_is_living(agent_id)).values(deleted_at=func.now(), is_default=False)
            if (await tx.session.execute(statement.returning(col(AgentRow.id)))).scalar_one_or_none() is None:
                raise NotFound
            await _appoint_default(tx)

    async def list(self, scope: TenantScope, request: ListAgents) -> Agents:
        order = tuple_(col(AgentRow.created_at), col(AgentRow.id))
        question = select(AgentRow).where(col(AgentRow.deleted_at).is_(None)).order_by(order.desc())
        if request.cursor is not None:
            question = question.where(order < tuple_(*cursor.decode(request.cursor)))
        async with self._database.tenant_tx(scope) as tx:
            rows = (await tx.session.exec(question.limit(request.limit + 1))).all()
        page = rows[: request.limit]
        following = cursor.encode(page[-1].created_at, page[-1].id) if len(rows) > request.limit else None
        return Agents(items=tuple(_agent(row) for row in page), next_cursor=following)


async def _insert(tx: Transaction, request: CreateAgent, model: str, fallbacks: tuple[str, ...]) -> Agent:
    living = select(func.count()).select_from(AgentRow).where(col(AgentRow.deleted_at).is_(None))
    is_first = (await tx.session.exec(living)).one() == 0
    now = (await tx.session.execute(select(func.now()))).scalar_one()
    row = AgentRow(
        tenant_id=tx.tenant_id,
        id=uuid7(),
        name=request.name,
        persona=request.persona,
        instructions=request.instructions,
        model=model,
        fallbacks=list(fallbacks),
        autonomy=request.autonomy,
        unsupported=request.unsupported,
        is_default=is_first,
        created_at=now,
        updated_at=now,
    )
    tx.session.add(row)
    await tx.session.flush()
    return _agent(row)


async def _appoint_default(tx: Transaction) -> None:
    """A business with agents has one that answers when none is named: the oldest, when the default one is gone."""
    living = select(AgentRow).where(col(AgentRow.deleted_at).is_(None)).order_by(col(AgentRow.created_at))
    rows = (await tx.session.exec(living)).all()
    if rows and not any(row.is_default for row in rows):
        rows[0].is_default = True
        await tx.session.flush()


def _is_living(agent_id: AgentId) -> ColumnElement[bool]:
    return (col(AgentRow.id) == agent_id) & col(AgentRow.deleted_at).is_(None)


def _agent(row: AgentRow) -> Agent:
    return Agent.model_validate(
        row.model_dump(exclude={"tenant_id", "deleted_at"}) | {"fallbacks": tuple(row.fallbacks)}
    )
