"""Traces in Postgres: read one, forget the old ones. They are written with the answer, by `turn_ending`."""

from contracts.ids import ConversationId, MessageId
from contracts.trace import AnswerTrace
from inference_service.outbound import turn_sql
from runtime.db import Database
from runtime.errors import NotFound
from runtime.tenancy import TenantScope


class PostgresTraces:
    """Implements `Traces`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, scope: TenantScope, conversation_id: ConversationId, message_id: MessageId) -> AnswerTrace:
        async with self._database.tenant_tx(scope) as tx:
            row = await tx.fetch_row(turn_sql.GET_TRACE, message_id, conversation_id)
        if row is None:
            raise NotFound("there is no such answer, or its trace was thrown away")
        return AnswerTrace.read(row["body"])
