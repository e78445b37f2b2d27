"""What the inference service answers, does and says: agents, conversations, turns."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from contracts.base import Contract, Event, Job, Nothing, Personal, Reply, Request
from contracts.channel import Fact, Rpc, Work
from contracts.ids import AgentId, ClientMessageId, ConversationId, MessageId, UserId
from contracts.paging import Idempotency, Order, PageRequest

CONTENT_LIMIT = 16_000
"""Characters of one message."""

Autonomy = Literal["auto"]
"""`observe` and `draft` are promised by the public interface and refused until drafts exist."""
Unsupported = Literal["mark", "hedge", "remove", "hand_over"]
Author = Literal["customer", "machine", "person"]
ConversationStatus = Literal["active", "waiting_for_person", "with_person", "resolved", "reopened"]
TurnState = Literal["queued", "accepted", "running", "completed", "failed"]
FinishReason = Literal["stop", "length", "stopped", "blocked", "handed_over"]
"""`handed_over`: a person is to answer; the text, if any, ends with the notice of it."""
ModelId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*/\S+$|^extractive$", max_length=200)]
"""`provider/model`; the built-in answerer is `extractive/sentences`, `extractive` for short."""


class Source(Contract):
    """A passage the answer may cite as `[n]`.

    `start` and `end` are characters of the document's text: of the passage in `message.started`, of `quote` once the
    answer is complete and cites it. `quote` is the document's own words that bear out best what cites them; it is empty
    when they bear out none of it. `page` is the one that `start` stands on.
    """

    n: int
    document_id: str
    title: str
    page: int | None = None
    snippet: Personal[str]
    score: float
    start: int | None = None
    end: int | None = None
    quote: Personal[str] = ""


class Usage(Contract):
    """Tokens of one answer; `is_estimated` when the provider did not count them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    is_estimated: bool = False


class Agent(Contract):
    """An AI agent of a business; `unsupported` is what it does with sentences that the documents do not bear out."""

    id: AgentId
    name: str
    persona: str
    instructions: str
    model: str
    fallbacks: tuple[str, ...]
    autonomy: Autonomy
    unsupported: Unsupported = "mark"
    is_default: bool
    created_at: datetime
    updated_at: datetime


class CreateAgent(Request):
    """A new agent; the first of a business becomes its default."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    persona: Annotated[str, Field(max_length=4_000)] = ""
    instructions: Annotated[str, Field(max_length=8_000)] = ""
    model: ModelId | None = None
    """None: the best model that was found at start, else `extractive`."""
    fallbacks: Annotated[tuple[ModelId, ...], Field(max_length=8)] | None = None
    autonomy: Autonomy = "auto"
    unsupported: Unsupported = "mark"
    idempotency: Idempotency | None = None


class UpdateAgent(Request):
    """What is given is changed, what is not stays."""

    agent_id: AgentId
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    persona: Annotated[str, Field(max_length=4_000)] | None = None
    instructions: Annotated[str, Field(max_length=8_000)] | None = None
    model: ModelId | None = None
    fallbacks: Annotated[tuple[ModelId, ...], Field(max_length=8)] | None = None
    autonomy: Autonomy | None = None
    unsupported: Unsupported | None = None


class AgentReply(Reply):
    """One agent."""

    agent: Agent


class GetAgent(Request):
    """One agent by id."""

    agent_id: AgentId


class DeleteAgent(Request):
    """Remove an agent; its conversations stay readable."""

    agent_id: AgentId


class ListAgents(PageRequest):
    """The business's agents, newest first."""


class Agents(Reply):
    """One page of agents."""

    items: tuple[Agent, ...]
    next_cursor: str | None


class AnswerOptions(Contract):
    """What one question may set for itself."""

    use_knowledge: bool = True
    model: ModelId | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=32_768)] | None = None


class AcceptTurn(Request):
    """A customer's message and the answer it asks for; the gateway mints the ids, to listen before it asks."""

    client_message_id: ClientMessageId
    conversation_id: ConversationId
    is_new_conversation: bool
    message_id: MessageId
    customer_message_id: MessageId
    agent_id: AgentId | None = None
    content: Personal[Annotated[str, Field(min_length=1, max_length=CONTENT_LIMIT)]]
    options: AnswerOptions = AnswerOptions()
    customer: Annotated[str, Field(max_length=200)] = ""
    """Who asks, as the principal is written: `user:<id>`, `key:<id>`, `visitor:<id>`."""


class AcceptedTurn(Reply):
    """The ids that stand; a repeated client_message_id answers with the first ones."""

    conversation_id: ConversationId
    message_id: MessageId
    customer_message_id: MessageId
    is_duplicate: bool
    state: TurnState


class StopTurn(Request):
    """Stop generating; what was shown is kept."""

    message_id: MessageId


class GetTurn(Request):
    """How far is this answer?"""

    message_id: MessageId


class Turn(Reply):
    """An answer and its state. `content`, `usage` and the rest are final once `state` is completed or failed."""

    conversation_id: ConversationId
    message_id: MessageId
    customer_message_id: MessageId
    state: TurnState
    attempt: int
    is_leased: bool
    content: Personal[str] = ""
    usage: Usage = Usage()
    confidence: float = 0.0
    sources: tuple[Source, ...] = ()
    finish_reason: FinishReason | None = None
    categories: tuple[str, ...] = ()
    error_code: str | None = None
    is_retryable: bool = False
    model: str | None = None
    ended_at: datetime | None = None


class Message(Contract):
    """One message of a conversation, as stored."""

    id: MessageId
    conversation_id: ConversationId
    author: Author
    content: Personal[str]
    sources: tuple[Source, ...] = ()
    finish_reason: FinishReason | None = None
    model: str | None = None
    usage: Usage | None = None
    created_at: datetime
    person: UserId | None = None
    """Who wrote it, when the author is a person."""
    internal: bool = False
    """A note among people."""


class Conversation(Contract):
    """A conversation with a customer."""

    id: ConversationId
    agent_id: AgentId
    status: ConversationStatus
    channel: str
    customer: str
    message_count: int
    created_at: datetime
    updated_at: datetime
    title: Personal[str | None] = None
    """The beginning of its first question."""
    reason: Personal[str] = ""
    """Why it has its status: `unsupported`, `customer_asked`, `handed_back`, `resolved`, `customer_wrote`, or what was
    said when a person was asked for."""
    assignee: UserId | None = None
    """The person who has it."""


class ListConversations(PageRequest):
    """Newest activity first."""

    status: ConversationStatus | None = None
    agent_id: AgentId | None = None


class Conversations(Reply):
    """One page of conversations."""

    items: tuple[Conversation, ...]
    next_cursor: str | None


class GetConversation(Request):
    """One conversation by id."""

    conversation_id: ConversationId


class ConversationReply(Reply):
    """One conversation."""

    conversation: Conversation


class ListMessages(PageRequest):
    """The messages of a conversation, oldest first unless `order` is `desc`; notes for people alone."""

    conversation_id: ConversationId
    with_notes: bool = False
    order: Order = "asc"


class Messages(Reply):
    """One page of messages."""

    items: tuple[Message, ...]
    next_cursor: str | None


class AnswerTurn(Job):
    """Answer one turn."""

    message_id: MessageId


class TurnAccepted(Event):
    """A customer's message is durable, and an answer will come."""

    conversation_id: ConversationId
    message_id: MessageId
    customer_message_id: MessageId
    agent_id: AgentId
    is_new_conversation: bool


class MessageCompleted(Event):
    """The answer is stored exactly as the customer saw it. Who needs the text asks inference."""

    conversation_id: ConversationId
    message_id: MessageId
    agent_id: AgentId
    attempt: int
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int


class MessageFailed(Event):
    """No answer will come."""

    conversation_id: ConversationId
    message_id: MessageId
    agent_id: AgentId
    code: str


class StopAsked(Contract):
    """Control: the turn is marked as stopped; its worker, wherever it is, ends it now."""

    message_id: MessageId


ANSWER = Work("answer", AnswerTurn, owner="inference", stream="ANSWER")

TURN_ACCEPTED = Fact(
    "inference",
    "turn_accepted",
    TurnAccepted,
    key="conversation_id",
    consumers=("learning",),
    listeners=("gateway",),
)
MESSAGE_COMPLETED = Fact(
    "inference",
    "message_completed",
    MessageCompleted,
    key="conversation_id",
    consumers=("learning",),
    listeners=("gateway",),
)
MESSAGE_FAILED = Fact(
    "inference", "message_failed", MessageFailed, key="conversation_id", consumers=("learning",), listeners=("gateway",)
)

_EDGE = ("gateway",)
ACCEPT_TURN = Rpc("inference", "accept_turn", AcceptTurn, AcceptedTurn, callers=_EDGE)
STOP_TURN = Rpc("inference", "stop_turn", StopTurn, Nothing, callers=_EDGE)
GET_TURN = Rpc("inference", "get_turn", GetTurn, Turn, callers=_EDGE)
CREATE_AGENT = Rpc("inference", "create_agent", CreateAgent, AgentReply, callers=_EDGE)
UPDATE_AGENT = Rpc("inference", "update_agent", UpdateAgent, AgentReply, callers=_EDGE)
GET_AGENT = Rpc("inference", "get_agent", GetAgent, AgentReply, callers=_EDGE)
DELETE_AGENT = Rpc("inference", "delete_agent", DeleteAgent, Nothing, callers=_EDGE)
LIST_AGENTS = Rpc("inference", "list_agents", ListAgents, Agents, callers=_EDGE)
LIST_CONVERSATIONS = Rpc("inference", "list_conversations", ListConversations, Conversations, callers=_EDGE)
GET_CONVERSATION = Rpc("inference", "get_conversation", GetConversation, ConversationReply, callers=_EDGE)
LIST_MESSAGES = Rpc("inference", "list_messages", ListMessages, Messages, callers=_EDGE)
