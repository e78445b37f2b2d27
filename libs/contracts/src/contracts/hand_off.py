"""Conversations that people take over from the machine and give back, and what people write in them."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.base import Event, Personal, Reply, Request
from contracts.channel import Fact, Rpc
from contracts.ids import ConversationId, MessageId, UserId
from contracts.inference import CONTENT_LIMIT, Author, ConversationReply, ConversationStatus, Message
from contracts.paging import Idempotency


class Escalate(Request):
    """Ask for a person; a conversation that waits for one, or has one, stays as it is."""

    conversation_id: ConversationId
    reason: Personal[Annotated[str, Field(max_length=500)]] = ""


class Assign(Request):
    """A person takes the conversation; from another person only when they say so."""

    conversation_id: ConversationId
    person: UserId
    is_take_over: bool = False


class HandBack(Request):
    """The machine answers again; `seen`: unless the customer wrote after that message."""

    conversation_id: ConversationId
    seen: MessageId | None = None


class Resolve(Request):
    """Nothing is left to say; the customer's next message reopens it. `seen`: unless they wrote after that one."""

    conversation_id: ConversationId
    seen: MessageId | None = None


class ChooseAuthor(Request):
    """Whose message is it that a member of the business writes? Theirs where people have the conversation.

    With a key it is chosen once: what is sent again keeps its author, whoever has the conversation by then.
    """

    conversation_id: ConversationId
    said: Literal["customer", "person"] | None = None
    """As whom they say that they write."""
    idempotency: Idempotency | None = None


class ChosenAuthor(Reply):
    """The customer, or a person."""

    author: Literal["customer", "person"]


class WriteMessage(Request):
    """A person writes to the customer, and so takes a conversation that no person has; or writes a note."""

    conversation_id: ConversationId
    person: UserId
    content: Personal[Annotated[str, Field(min_length=1, max_length=CONTENT_LIMIT)]]
    internal: bool = False
    """A note: shown to people, never to the customer or a model; it changes nothing else."""
    idempotency: Idempotency | None = None


class GetMessage(Request):
    """One message of a conversation; notes are not told here."""

    conversation_id: ConversationId
    message_id: MessageId


class MessageReply(Reply):
    """One message."""

    message: Message


class ConversationUpdated(Event):
    """A conversation changed hands. Who needs the reason asks inference."""

    conversation_id: ConversationId
    status: ConversationStatus
    assignee: UserId | None = None


class MessageCreated(Event):
    """A person wrote to the customer. Who needs the text asks inference."""

    conversation_id: ConversationId
    message_id: MessageId
    author: Author


_EDGE = ("gateway",)
CONVERSATION_UPDATED = Fact(
    "inference", "conversation_updated", ConversationUpdated, key="conversation_id", consumers=(), listeners=_EDGE
)
MESSAGE_CREATED = Fact(
    "inference", "message_created", MessageCreated, key="conversation_id", consumers=(), listeners=_EDGE
)
ESCALATE = Rpc("inference", "escalate", Escalate, ConversationReply, callers=_EDGE)
ASSIGN = Rpc("inference", "assign", Assign, ConversationReply, callers=_EDGE)
HAND_BACK = Rpc("inference", "hand_back", HandBack, ConversationReply, callers=_EDGE)
RESOLVE = Rpc("inference", "resolve", Resolve, ConversationReply, callers=_EDGE)
CHOOSE_AUTHOR = Rpc("inference", "choose_author", ChooseAuthor, ChosenAuthor, callers=_EDGE)
WRITE_MESSAGE = Rpc("inference", "write_message", WriteMessage, MessageReply, callers=_EDGE)
GET_MESSAGE = Rpc("inference", "get_message", GetMessage, MessageReply, callers=_EDGE)
