"""WebSocket frames of `/api/chat` (subprotocol `lumora.v1`): the public promise to clients."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from contracts.base import Contract, Personal
from contracts.ids import AgentId, ClientMessageId, ConversationId, DocumentId, MessageId, UserId
from contracts.inference import CONTENT_LIMIT, AnswerOptions, Author, ConversationStatus, FinishReason, Source, Usage
from contracts.ingest import DocumentError, DocumentState, Seconds

PATH = "/api/chat"
SUBPROTOCOL = "lumora.v1"
FRAME_LIMIT_BYTES = 65_536
CLOSE_NOT_AUTHENTICATED = 4401
CLOSE_FORBIDDEN = 4403
CLOSE_TOO_MANY = 4429
CLOSE_BINARY = 1003
CLOSE_RESTART = 1012
CLOSE_SLOW = 1013
CLOSE_TRY_LATER = 1013
"""RFC 6455 registry: \"try again later\"; also said when who you are cannot be checked now."""


class ResumePoint(Contract):
    """What a client has of one answer; `after_seq` -1 means nothing yet."""

    conversation_id: ConversationId
    message_id: MessageId
    attempt: int | None = None
    after_seq: Annotated[int, Field(ge=-1)] = -1


class Hello(Contract):
    """First frame: who am I, and what did I miss?"""

    type: Literal["hello"] = "hello"
    token: Personal[Annotated[str, Field(max_length=4_096)]]
    resume: Annotated[tuple[ResumePoint, ...], Field(max_length=50)] = ()


class MessageSend(Contract):
    """Ask. A repeated client_message_id is the same message, followed from its start."""

    type: Literal["message.send"] = "message.send"
    client_message_id: ClientMessageId
    conversation_id: ConversationId | None = None
    agent_id: AgentId | None = None
    content: Personal[Annotated[str, Field(min_length=1, max_length=CONTENT_LIMIT)]]
    attachments: tuple[str, ...] = ()
    options: AnswerOptions = AnswerOptions()
    replaces: MessageId | None = None


class MessageStop(Contract):
    """Stop generating; what was shown is kept."""

    type: Literal["message.stop"] = "message.stop"
    message_id: MessageId


class ConversationSubscribe(Contract):
    """Follow a conversation live: answered with how it stands."""

    type: Literal["conversation.subscribe"] = "conversation.subscribe"
    conversation_id: ConversationId


class ConversationUnsubscribe(Contract):
    """Follow it no more."""

    type: Literal["conversation.unsubscribe"] = "conversation.unsubscribe"
    conversation_id: ConversationId


class Ping(Contract):
    """Are you there?"""

    type: Literal["ping"] = "ping"
    nonce: Annotated[str | int, Field()] = ""


ClientFrame = Annotated[
    Hello | MessageSend | MessageStop | ConversationSubscribe | ConversationUnsubscribe | Ping,
    Field(discriminator="type"),
]
CLIENT_FRAME: TypeAdapter[
    Hello | MessageSend | MessageStop | ConversationSubscribe | ConversationUnsubscribe | Ping
] = TypeAdapter(ClientFrame)
CLIENT_TYPES = (
    "hello",
    "message.send",
    "message.stop",
    "conversation.subscribe",
    "conversation.unsubscribe",
    "ping",
)


class Limits(Contract):
    """What this connection may send."""

    frame_bytes: int = FRAME_LIMIT_BYTES
    content_chars: int = CONTENT_LIMIT
    requests_per_minute: int


class Disclosure(Contract):
    """What a customer must be told."""

    is_ai: bool = True
    text: str = "You are talking to an AI assistant. Ask for a person at any time."


class FramePrincipal(Contract):
    """Who this socket speaks for."""

    kind: Literal["user", "api_key"]
    id: str
    role: str | None = None
    scopes: tuple[str, ...] = ()


class Welcome(Contract):
    """Authenticated."""

    type: Literal["welcome"] = "welcome"
    session_id: str
    principal: FramePrincipal
    heartbeat_s: int
    limits: Limits
    disclosure: Disclosure = Disclosure()


class MessageAccepted(Contract):
    """The request is durable: exactly one of completed, blocked, failed will follow."""

    type: Literal["message.accepted"] = "message.accepted"
    client_message_id: ClientMessageId
    conversation_id: ConversationId
    message_id: MessageId
    customer_message_id: MessageId
    duplicate: bool


class MessageStarted(Contract):
    """An attempt begins; an older attempt's text is to be dropped."""

    type: Literal["message.started"] = "message.started"
    conversation_id: ConversationId
    message_id: MessageId
    attempt: int
    model: str
    sources: tuple[Source, ...]


class Token(Contract):
    """Text of the answer. A merged frame covers `from_seq`..`seq`."""

    type: Literal["token"] = "token"
    message_id: MessageId
    attempt: int
    from_seq: int | None = None
    seq: int
    text: Personal[str]


class MessageCompletedFrame(Contract):
    """The stored answer; `content` is exactly the tokens joined."""

    type: Literal["message.completed"] = "message.completed"
    conversation_id: ConversationId
    message_id: MessageId
    content: Personal[str]
    usage: Usage
    confidence: Annotated[float, Field(ge=0, le=1)]
    sources: tuple[Source, ...]
    cached: bool = False
    finish_reason: FinishReason


class MessageBlocked(Contract):
    """Nothing was shown, and nothing will be; `text` is what to show instead."""

    type: Literal["message.blocked"] = "message.blocked"
    message_id: MessageId
    categories: tuple[str, ...]
    text: str


class MessageFailedFrame(Contract):
    """No answer will come."""

    type: Literal["message.failed"] = "message.failed"
    message_id: MessageId
    code: str
    retryable: bool


class MessageView(Contract):
    """A message by another party or device."""

    id: MessageId
    author: Author
    name: str | None = None
    content: Personal[str]
    created_at: datetime


class MessageCreatedFrame(Contract):
    """Somebody else wrote in a conversation that this socket holds or follows."""

    type: Literal["message.created"] = "message.created"
    conversation_id: ConversationId
    message: MessageView


class ConversationUpdatedFrame(Contract):
    """Who answers now, and why."""

    type: Literal["conversation.updated"] = "conversation.updated"
    conversation_id: ConversationId
    status: ConversationStatus
    reason: Personal[str]
    assignee: UserId | None = None


class DocumentProgress(Contract):
    """A document moved on (people only)."""

    type: Literal["document.progress"] = "document.progress"
    document_id: DocumentId
    state: DocumentState
    progress: float
    error: DocumentError | None = None
    eta_s: Seconds | None = None
    """Until it is ready; None when that is not known."""


class ErrorFrame(Contract):
    """A bad frame is answered, never fatal, until 20 in a minute."""

    type: Literal["error"] = "error"
    code: str
    detail: str
    retry_after: float | None = None
    in_reply_to: str | int | None = None


class Pong(Contract):
    """Yes."""

    type: Literal["pong"] = "pong"
    nonce: str | int


ServerFrame = Annotated[
    Welcome
    | MessageAccepted
    | MessageStarted
    | Token
    | MessageCompletedFrame
    | MessageBlocked
    | MessageFailedFrame
    | ConversationUpdatedFrame
    | MessageCreatedFrame
    | DocumentProgress
    | ErrorFrame
    | Pong,
    Field(discriminator="type"),
]
SERVER_FRAME: TypeAdapter[
    Welcome
    | MessageAccepted
    | MessageStarted
    | Token
    | MessageCompletedFrame
    | MessageBlocked
    | MessageFailedFrame
    | ConversationUpdatedFrame
    | MessageCreatedFrame
    | DocumentProgress
    | ErrorFrame
    | Pong
] = TypeAdapter(ServerFrame)
