"""Conversations and messages in Postgres, to read."""

from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, func, tuple_
from sqlmodel import col, select
from sqlmodel.sql.expression import Select

from contracts.ids import ConversationId, MessageId
from contracts.inference import (
    Conversation,
    Conversations,
    ListConversations,
    ListMessages,
    Message,
    Messages,
    Source,
    Usage,
)
from inference_service.domain.title import title
from inference_service.outbound import cursor
from inference_service.outbound.tables import ConversationRow, MessageRow, NoteRow, TurnRow
from runtime.db import Database
from runtime.errors import NotFound
from runtime.tenancy import TenantScope
from runtime.transaction import Transaction

FIRST_WORDS = 400
"""Characters, with room for white space."""


class PostgresConversations:
    """Implements `ConversationStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, scope: TenantScope, conversation_id: ConversationId) -> Conversation:
        async with self._database.tenant_tx(scope) as tx:
            question = select(ConversationRow, _first_words()).where(ConversationRow.id == conversation_id)
            found = (await tx.session.exec(question)).one_or_none()
        if found is None:
            raise NotFound
        return _conversation(*found)

    async def list(self, scope: TenantScope, request: ListConversations) -> Conversations:
        order = tuple_(col(ConversationRow.updated_at), col(ConversationRow.id))
        question = select(ConversationRow, _first_words()).order_by(order.desc()).limit(request.limit + 1)
        if request.status is not None:
            question = question.where(ConversationRow.status == request.status)
        if request.agent_id is not None:
            question = question.where(ConversationRow.agent_id == request.agent_id)
        if request.cursor is not None:
            question = question.where(order < tuple_(*cursor.decode(request.cursor)))
        async with self._database.tenant_tx(scope) as tx:
            rows = (await tx.session.exec(question)).all()
        page = rows[: request.limit]
        last = page[-1][0] if page else None
        following = cursor.encode(last.updated_at, last.id) if last is not None and len(rows) > request.limit else None
        return Conversations(items=tuple(_conversation(row, words) for row, words in page), next_cursor=following)

    async def messages(self, scope: TenantScope, request: ListMessages) -> Messages:
        wanted, place = _part(request, MessageRow)
        question = _with_turns().where(*wanted).order_by(place).limit(request.limit + 1)
        async with self._database.tenant_tx(scope) as tx:
            found = [_message(message, turn) for message, turn in (await tx.session.exec(question)).all()]
            if request.with_notes:
                found += await _notes(tx, request)
            if not found:
                await self.get(scope, request.conversation_id)
        found.sort(key=lambda message: (message.created_at, message.id), reverse=request.order == "desc")
        page = found[: request.limit]
        is_more = len(found) > request.limit
        return Messages(
            items=tuple(page), next_cursor=cursor.encode(page[-1].created_at, page[-1].id) if is_more else None
        )

    async def message(self, scope: TenantScope, conversation_id: ConversationId, message_id: MessageId) -> Message:
        question = _with_turns().where(MessageRow.conversation_id == conversation_id, MessageRow.id == message_id)
        async with self._database.tenant_tx(scope) as tx:
            found = (await tx.session.exec(question)).one_or_none()
        if found is None:
            raise NotFound
        return _message(*found)


def _with_turns() -> Select[MessageRow, TurnRow]:
    """Messages, the answers among them with their turns."""
    return select(MessageRow, TurnRow).outerjoin(
        TurnRow, (col(TurnRow.tenant_id) == MessageRow.tenant_id) & (col(TurnRow.id) == MessageRow.id)
    )


def _part(
    request: ListMessages, row: type[MessageRow | NoteRow]
) -> tuple[list[ColumnElement[bool]], ColumnElement[Any]]:
    """Which rows may be on a page, and how they lie."""
    place = tuple_(col(row.created_at), col(row.id))
    is_newest_first = request.order == "desc"
    wanted = [col(row.conversation_id) == request.conversation_id]
    if request.cursor is not None:
        last = tuple_(*cursor.decode(request.cursor))
        wanted.append(place < last if is_newest_first else place > last)
    return wanted, place.desc() if is_newest_first else place.asc()


async def _notes(tx: Transaction, request: ListMessages) -> list[Message]:
    """As many as a page may need."""
    wanted, place = _part(request, NoteRow)
    rows = (await tx.session.exec(select(NoteRow).where(*wanted).order_by(place).limit(request.limit + 1))).all()
    return [
        Message.model_validate({**row.model_dump(exclude={"tenant_id"}), "author": "person", "internal": True})
        for row in rows
    ]


def _first_words() -> ScalarSelect[str]:
    """What the customer asked first; more of it than a title takes."""
    return (
        select(func.left(MessageRow.content, FIRST_WORDS))
        .where(
            col(MessageRow.tenant_id) == col(ConversationRow.tenant_id),
            col(MessageRow.conversation_id) == col(ConversationRow.id),
            col(MessageRow.author) == "customer",
        )
        .order_by(col(MessageRow.created_at), col(MessageRow.id))
        .limit(1)
        .scalar_subquery()
    )


def _conversation(row: ConversationRow, first_words: str | None) -> Conversation:
    values = row.model_dump(exclude={"tenant_id", "epoch", "is_told"})
    return Conversation.model_validate({**values, "title": title(first_words or "")})


def _message(row: MessageRow, turn: TurnRow | None) -> Message:
    usage = None
    if turn is not None:
        usage = Usage(
            prompt_tokens=turn.prompt_tokens,
            completion_tokens=turn.completion_tokens,
            is_estimated=turn.is_usage_estimated,
        )
    return Message.model_validate(
        {
            "id": row.id,
            "conversation_id": row.conversation_id,
            "author": row.author,
            "content": row.content,
            "sources": tuple(Source.model_validate(source) for source in row.sources),
            "finish_reason": turn.finish_reason if turn else None,
            "model": turn.model if turn else None,
            "usage": usage,
            "created_at": row.created_at,
            "person": row.person,
        }
    )
