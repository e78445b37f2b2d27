"""Conversations that change hands, and what people write in them, in Postgres."""

from contracts.hand_off import MESSAGE_CREATED, ChooseAuthor, ChosenAuthor, MessageCreated, MessageReply, WriteMessage
from contracts.ids import ConversationId, MessageId, uuid7
from contracts.inference import Message
from inference_service.domain.ports import Moved
from inference_service.domain.standing import Move, is_with_people, spoken
from inference_service.outbound import hand_off, hand_off_sql, turn_ending
from inference_service.outbound.postgres_conversations import PostgresConversations
from runtime.db import Database
from runtime.errors import Conflict, NotFound
from runtime.idempotency import once
from runtime.tenancy import TenantScope
from runtime.transaction import Transaction


class PostgresHandOffs:
    """Implements `HandOffs`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._conversations = PostgresConversations(database)

    async def move(
        self, scope: TenantScope, conversation_id: ConversationId, change: Move, *, seen: MessageId | None = None
    ) -> Moved:
        async with self._database.tenant_tx(scope, lock=turn_ending.LOCK) as tx:
            stale = await _moved(tx, conversation_id, change, seen)
            return Moved(await self._conversations.get(scope, conversation_id), stale)

    async def choose_author(self, scope: TenantScope, request: ChooseAuthor) -> ChosenAuthor:
        async with self._database.tenant_tx(scope) as tx:

            async def choose() -> ChosenAuthor:
                row = await tx.fetch_row(hand_off_sql.STATUS, request.conversation_id)
                if row is None:
                    raise NotFound
                return ChosenAuthor(author=request.said or ("person" if is_with_people(row["status"]) else "customer"))

            chosen = await once(tx, request.idempotency, ChosenAuthor, choose)
        if request.said not in (None, chosen.author):
            raise Conflict(code="idempotency_conflict")
        return chosen

    async def write(self, scope: TenantScope, request: WriteMessage) -> tuple[Message, tuple[MessageId, ...]]:
        stale: tuple[MessageId, ...] = ()
        async with self._database.tenant_tx(scope, lock=turn_ending.LOCK) as tx:

            async def make() -> MessageReply:
                nonlocal stale
                if request.internal:
                    return MessageReply(message=await _note(tx, request))
                stale = await _moved(tx, request.conversation_id, lambda standing: spoken(standing, request.person))
                message = await _write(tx, request, hand_off_sql.WRITE)
                said = MessageCreated(
                    conversation_id=request.conversation_id, message_id=message.id, author=message.author
                )
                await tx.publish(MESSAGE_CREATED, said)
                return MessageReply(message=message)

            reply = await once(tx, request.idempotency, MessageReply, make)
        return reply.message, stale


async def _moved(
    tx: Transaction, conversation_id: ConversationId, change: Move, seen: MessageId | None = None
) -> tuple[MessageId, ...]:
    """Change hands; returns the answers that are being written for nothing now."""
    before, after = await hand_off.move(tx, conversation_id, change, seen=seen)
    if after.epoch == before.epoch or before.is_with_people:
        return ()
    return tuple(row["id"] for row in await tx.fetch_rows(hand_off_sql.RUNNING, conversation_id))


async def _note(tx: Transaction, request: WriteMessage) -> Message:
    if await tx.fetch_row(hand_off_sql.STANDING, request.conversation_id) is None:
        raise NotFound
    return await _write(tx, request, hand_off_sql.NOTE)


async def _write(tx: Transaction, request: WriteMessage, statement: str) -> Message:
    message_id = MessageId(uuid7())
    row = await tx.fetch_row(
        statement, tx.tenant_id, request.conversation_id, message_id, request.content, request.person
    )
    return Message(
        id=message_id,
        conversation_id=request.conversation_id,
        author="person",
        content=request.content,
        created_at=row["created_at"],
        person=request.person,
        internal=request.internal,
    )
