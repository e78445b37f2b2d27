"""What inference needs from the outside."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from contracts.gaps import CloseGap, Gap, Gaps, ListGaps
from contracts.hand_off import ChooseAuthor, ChosenAuthor, WriteMessage
from contracts.ids import AgentId, ConversationId, GapId, MessageId
from contracts.inference import (
    AcceptedTurn,
    AcceptTurn,
    Agent,
    Agents,
    Conversation,
    Conversations,
    CreateAgent,
    FinishReason,
    ListAgents,
    ListConversations,
    ListMessages,
    Message,
    Messages,
    Source,
    Turn,
    UpdateAgent,
)
from contracts.ingest import PassageHit
from contracts.models import ModelInfo
from contracts.trace import AnswerTrace
from inference_service.domain.clusters import Asked, Group, Sorted
from inference_service.domain.model import Model, Pieces
from inference_service.domain.standing import Move
from inference_service.domain.turn import Busy, Ended, LeasedTurn, Outcome
from runtime.tenancy import TenantScope


class Turns(Protocol):
    """Turns and what belongs to one commit with them."""

    async def accept(self, scope: TenantScope, request: AcceptTurn) -> AcceptedTurn:
        """Store message, turn and job in one commit; a repeated client_message_id gives the first ids.

        Raises:
            NotFound: conversation or agent is not there.
            Overloaded: as many turns run and wait as the business may have.
        """
        ...

    async def lease(self, scope: TenantScope, message_id: MessageId) -> LeasedTurn | Ended | Busy:
        """Take the turn: the next attempt begins."""
        ...

    async def extend(self, scope: TenantScope, turn: LeasedTurn) -> bool | None:
        """Keep the lease; returns whether a stop was asked, None when the turn is no longer ours."""
        ...

    async def release(self, scope: TenantScope, turn: LeasedTurn, pause_s: float = 0.0) -> None:
        """Give the lease back, so that the next attempt need not wait for it to run out.

        Its job comes again after `pause_s` at the earliest: nobody takes it for lost before.
        """
        ...

    async def complete(self, scope: TenantScope, turn: LeasedTurn, outcome: Outcome) -> Turn | None:
        """Store the answer exactly as shown, fenced by attempt and epoch; None when fenced: nothing was stored."""
        ...

    async def fail(self, scope: TenantScope, message_id: MessageId, code: str, *, attempt: int | None = None) -> bool:
        """End the turn without an answer; with `attempt` only if that one is still current."""
        ...

    async def stop(self, scope: TenantScope, message_id: MessageId) -> bool:
        """Mark the turn as stopped; True when a worker has it and must be told. Raises NotFound."""
        ...

    async def get(self, scope: TenantScope, message_id: MessageId) -> Turn:
        """Raises NotFound."""
        ...


class Followers(Protocol):
    """Whoever follows an answer, wherever that is."""

    async def tell(self, scope: TenantScope, ended: Turn) -> None:
        """Say that the answer is stored. It may be lost, and raises nothing: they ask when they do not hear it."""
        ...


class AgentStore(Protocol):
    """The business's agents."""

    async def create(
        self, scope: TenantScope, request: CreateAgent, model: str, fallbacks: tuple[str, ...]
    ) -> Agent: ...

    async def update(self, scope: TenantScope, request: UpdateAgent) -> Agent:
        """Raises NotFound."""
        ...

    async def get(self, scope: TenantScope, agent_id: AgentId) -> Agent:
        """Raises NotFound."""
        ...

    async def delete(self, scope: TenantScope, agent_id: AgentId) -> None:
        """Raises NotFound."""
        ...

    async def list(self, scope: TenantScope, request: ListAgents) -> Agents: ...


class ConversationStore(Protocol):
    """Conversations and their messages, to read."""

    async def get(self, scope: TenantScope, conversation_id: ConversationId) -> Conversation:
        """Raises NotFound."""
        ...

    async def list(self, scope: TenantScope, request: ListConversations) -> Conversations: ...

    async def messages(self, scope: TenantScope, request: ListMessages) -> Messages:
        """Raises NotFound."""
        ...

    async def message(self, scope: TenantScope, conversation_id: ConversationId, message_id: MessageId) -> Message:
        """One that is no note. Raises NotFound."""
        ...


@dataclass(frozen=True, slots=True)
class Moved:
    """A conversation that changed hands, and the answers that are still being written for nothing."""

    conversation: Conversation
    stale: tuple[MessageId, ...]


class HandOffs(Protocol):
    """Conversations that change hands."""

    async def move(
        self, scope: TenantScope, conversation_id: ConversationId, change: Move, *, seen: MessageId | None = None
    ) -> Moved:
        """Change how a conversation stands; what began under a lower epoch is not stored any more.

        Raises:
            NotFound: there is no such conversation.
            Conflict: what `change` raises; or the customer wrote after the message `seen` (`unseen_message`).
            Rejected: `seen` is no message of it.
        """
        ...

    async def choose_author(self, scope: TenantScope, request: ChooseAuthor) -> ChosenAuthor:
        """Tell whose message it is. Raises NotFound; Conflict: the key came with other words, or another author."""
        ...

    async def write(self, scope: TenantScope, request: WriteMessage) -> tuple[Message, tuple[MessageId, ...]]:
        """Store what a person wrote; returns it, and the answers that are stale now. Raises NotFound, Conflict."""
        ...


class Traces(Protocol):
    """Why answers were given; written in one commit with them."""

    async def get(self, scope: TenantScope, conversation_id: ConversationId, message_id: MessageId) -> AnswerTrace:
        """Raises NotFound: there is no such answer in this conversation, or its trace is too old."""
        ...


class VainQuestions(Protocol):
    """Questions that found nothing good; each is written in one commit with its answer."""

    async def unsorted(self, scope: TenantScope, limit: int) -> tuple[tuple[MessageId, str], ...]:
        """Return questions that belong to no gap yet, the first asked first."""
        ...

    async def sort(
        self, scope: TenantScope, asked: Sequence[Asked], put: Callable[[Sequence[Asked], Sequence[Group]], Sorted]
    ) -> int:
        """Store where `put` puts those that still belong to none, given the tenant's groups; returns how many.

        Their text becomes what it is in `asked`.

        Nobody else sorts this tenant's questions meanwhile.
        """
        ...


class Redaction(Protocol):
    """Takes personal data and secrets out of what customers wrote."""

    async def redacted(self, scope: TenantScope, texts: Sequence[str]) -> tuple[str, ...]:
        """Return the texts in order, without them. Raises Unavailable."""
        ...


class GapStore(Protocol):
    """Gaps, to read and to close."""

    async def list(self, scope: TenantScope, request: ListGaps) -> Gaps: ...

    async def get(self, scope: TenantScope, gap_id: GapId) -> Gap:
        """Raises NotFound."""
        ...

    async def close(self, scope: TenantScope, request: CloseGap) -> Gap:
        """Raises NotFound."""
        ...

    async def reopen(self, scope: TenantScope, gap_id: GapId) -> Gap:
        """Raises NotFound."""
        ...


class TenantsWaiting(Protocol):
    """Whose questions wait to be gathered."""

    async def with_unsorted_questions(self) -> Sequence[TenantScope]: ...


class Knowledge(Protocol):
    """The business's documents."""

    async def search(self, scope: TenantScope, question: str, k: int) -> tuple[PassageHit, ...]:
        """Best first. Raises Unavailable."""
        ...


class InputCheck(Protocol):
    """May this be answered? Asked where the stream's opening did not tell."""

    async def blocked_categories(self, scope: TenantScope, text: str) -> tuple[str, ...]:
        """Empty when it may. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """What the customer saw of a stream and how it ended, from the filter's receipts."""

    content: str
    finish_reason: FinishReason
    categories: tuple[str, ...] = ()


class Stream(Protocol):
    """One attempt's way through the filter to the customer."""

    @property
    def is_cut(self) -> bool:
        """The filter has ended it (a block): more pieces are pointless."""
        ...

    async def start(self, model: str, sources: tuple[Source, ...]) -> None:
        """Before the first piece: who answers, and from what."""
        ...

    async def send(self, pieces: Pieces) -> None:
        """Raises Unavailable when no replica of the filter takes the tokens."""
        ...

    async def end(self, finish_reason: FinishReason) -> Shown:
        """Say that this was all; returns when the receipt for all of it is there. Raises Unavailable."""
        ...


class OpenedStream(Stream, Protocol):
    """As a sink opens it."""

    @property
    def blocked_categories(self) -> tuple[str, ...] | None:
        """Why the question is not to be answered, as the filter said when it opened; empty when it may be.

        None when the replica that opened was not able to tell: `InputCheck` is.
        """
        ...


class Sink(Protocol):
    """Opens streams."""

    def open(self, scope: TenantScope, turn: LeasedTurn) -> AbstractAsyncContextManager[OpenedStream]:
        """Raises Unavailable when no replica of the filter answers."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider, and its own name of the model that was asked for."""

    model: Model
    name: str
    needs_knowledge: bool
    """True when it can only answer from passages: without a search it must not say that there are none."""


class Providers(Protocol):
    """The models, by provider."""

    def find(self, model_id: str) -> Candidate | None:
        """None when there is no such provider here."""
        ...

    def default(self) -> str:
        """The `provider/model` that an agent gets which names none."""
        ...

    async def list(self) -> tuple[ModelInfo, ...]:
        """Every model that was found when somebody last looked; nobody is asked for this."""
        ...


class StopSignals(Protocol):
    """Stops that were asked while a worker runs."""

    def watch(self, message_id: MessageId) -> asyncio.Event: ...

    def forget(self, message_id: MessageId) -> None: ...
