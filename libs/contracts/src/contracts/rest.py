"""Shapes of the REST interface that are not already those of an RPC: what clients send and get, field by field."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from contracts.auth import ApiKey, Name
from contracts.base import Contract, Personal
from contracts.filter import ModerationPolicy
from contracts.ids import AgentId, ClientMessageId, MessageId, TenantId
from contracts.inference import CONTENT_LIMIT, AnswerOptions
from contracts.models import ModelInfo

EmbeddedText = Annotated[str, Field(min_length=1, max_length=32_000)]


class RefreshTokenBody(Contract):
    """A refresh token, to be renewed or ended."""

    refresh_token: Personal[Annotated[str, Field(max_length=200)]]


class NewApiKey(ApiKey):
    """An API key, with the key itself: shown this once."""

    key: Personal[str]


class Profile(Contract):
    """The business's own profile."""

    id: TenantId
    name: str
    industry: str
    created_at: datetime
    moderation: ModerationPolicy


class ProfileChange(Contract):
    """What is given is changed, what is not stays; so too within `moderation`, whose version counts by itself."""

    name: Name | None = None
    industry: Annotated[str, Field(max_length=100)] | None = None
    moderation: ModerationPolicy | None = None


class AgentStatus(Contract):
    """How an agent stands."""

    agent_id: AgentId
    status: Literal["active"]


class NewMessage(Contract):
    """A message of a customer, or of a person; without a `client_message_id` each one is a new message."""

    client_message_id: ClientMessageId | None = None
    agent_id: AgentId | None = None
    content: Personal[Annotated[str, Field(min_length=1, max_length=CONTENT_LIMIT)]]
    options: AnswerOptions = AnswerOptions()
    author: Literal["customer", "person"] | None = None
    """As whom a person writes; without it as a person where people have the conversation, else as the customer."""
    internal: bool = False
    """A person's note, never shown to the customer."""


class EscalateBody(Contract):
    """Why a person is asked for; people read it."""

    reason: Personal[Annotated[str, Field(max_length=500)]] = ""


class AssignBody(Contract):
    """`take_over`: from the person who has it already."""

    take_over: bool = False


class SeenBody(Contract):
    """`seen`: the newest message that the person has read; when the customer wrote after it nothing is done."""

    seen: MessageId | None = None


class ModelPage(Contract):
    """The models that can be used now, all on one page."""

    items: tuple[ModelInfo, ...]
    next_cursor: None = None


class GapResolution(Contract):
    """With an `answer` it becomes a document, under `title` or else the question; without one the gap is dismissed."""

    answer: Personal[Annotated[str, Field(min_length=1, max_length=20_000)]] | None = None
    title: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class EmbeddingsBody(Contract):
    """OpenAI's request for embeddings: one text or several; what is longer than the model reads is cut."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    input: Personal[EmbeddedText | Annotated[tuple[EmbeddedText, ...], Field(min_length=1, max_length=256)]]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


class Embedding(Contract):
    """One vector of unit length: its numbers, or these as little-endian float32 in base64."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: tuple[float, ...] | str


class EmbeddingUsage(Contract):
    """Tokens of all texts."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(Contract):
    """OpenAI's answer."""

    object: Literal["list"] = "list"
    data: tuple[Embedding, ...]
    model: str
    usage: EmbeddingUsage
