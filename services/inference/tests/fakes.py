"""Memory fakes of inference's ports, for tests of the domain."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from contracts.ids import AgentId, ConversationId, DocumentId, GapId, MessageId, PassageId, TenantId, uuid7
from contracts.inference import AnswerOptions, FinishReason, Source, Turn
from contracts.ingest import PassageHit
from contracts.models import ModelInfo
from inference_service.domain.answer import Desk
from inference_service.domain.clusters import Asked, Group, Sorted
from inference_service.domain.model import End, Pieces, Prompt
from inference_service.domain.ports import Candidate, Shown
from inference_service.domain.turn import Busy, Ended, LeasedTurn, Outcome
from runtime.errors import Unavailable
from runtime.tenancy import TenantScope
from services.inference.tests.memory_embedder import MemoryEmbedder

SCOPE = TenantScope(TenantId(uuid7()), "service:test")
END = End("stop", prompt_tokens=5, completion_tokens=2, estimated=False)


def turn(
    *, attempt: int = 1, models: tuple[str, ...] = ("a/m",), question: str = "why?", **changes: object
) -> LeasedTurn:
    known: dict[str, object] = {
        "message_id": MessageId(uuid7()),
        "conversation_id": ConversationId(uuid7()),
        "agent_id": AgentId(uuid7()),
        "attempt": attempt,
        "epoch": 0,
        "is_stop_asked": False,
        "question": question,
        "history": (),
        "options": AnswerOptions(),
        "persona": "",
        "instructions": "",
        "agent_name": "Ada",
        "models": models,
        "waited_s": 0.0,
    }
    return LeasedTurn(**{**known, **changes})  # type: ignore[arg-type] # names are checked at run time


def stored(leased: LeasedTurn, outcome: Outcome) -> Turn:
    """What the store tells of an answer that it has taken."""
    return Turn(
        conversation_id=leased.conversation_id,
        message_id=leased.message_id,
        customer_message_id=MessageId(uuid7()),
        state="completed",
        attempt=leased.attempt,
        is_leased=False,
        content=outcome.content,
        usage=outcome.usage,
        finish_reason=outcome.finish_reason,
    )


def hit(text: str, dense: float = 0.5) -> PassageHit:
    return PassageHit(
        passage_id=PassageId(uuid7()),
        document_id=DocumentId(uuid7()),
        title="Returns",
        heading="",
        page=None,
        start=0,
        end=len(text),
        text=text,
        language="en",
        score=1.0,
        dense=dense,
        bm25=1.0,
    )


@dataclass
class MemoryTurns:
    """One turn; `away` is how many calls of `complete` find the database away.

    `then` is the turn as the next one to lease it finds it; without one somebody else has taken it.
    """

    leased: LeasedTurn | Ended | Busy
    away: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    """Of each release."""
    is_ours: bool = True
    epoch: int = 0
    """Of the conversation."""
    asks_stop: bool = False
    then: LeasedTurn | Ended | Busy = field(default_factory=Busy)

    async def lease(self, _scope: TenantScope, _message_id: MessageId) -> LeasedTurn | Ended | Busy:
        leased, self.leased = self.leased, self.then
        return leased

    async def extend(self, _scope: TenantScope, _turn: LeasedTurn) -> bool | None:
        return self.asks_stop if self.is_ours else None

    async def release(self, _scope: TenantScope, _turn: LeasedTurn, pause_s: float = 0.0) -> None:
        self.pauses.append(pause_s)

    async def complete(self, _scope: TenantScope, turn: LeasedTurn, outcome: Outcome) -> Turn | None:
        if self.away:
            self.away -= 1
            raise Unavailable
        if not self.is_ours or turn.epoch != self.epoch:
            return None
        self.outcomes.append(outcome)
        return stored(turn, outcome)

    async def fail(self, _scope: TenantScope, _message_id: MessageId, code: str, *, attempt: int | None = None) -> bool:
        self.failures.append(code)
        return True


@dataclass
class MemoryFollowers:
    """Hears which answers were stored."""

    told: list[Turn] = field(default_factory=list)

    async def tell(self, _scope: TenantScope, ended: Turn) -> None:
        self.told.append(ended)


@dataclass
class MemoryQuestions:
    """The questions of one tenant, by id; `gap_ids` tells where they went."""

    questions: dict[MessageId, str]
    groups: dict[GapId, Group] = field(default_factory=dict)
    gap_ids: dict[MessageId, GapId] = field(default_factory=dict)

    async def unsorted(self, _scope: TenantScope, limit: int) -> tuple[tuple[MessageId, str], ...]:
        return tuple(pair for pair in self.questions.items() if pair[0] not in self.gap_ids)[:limit]

    async def sort(
        self, _scope: TenantScope, asked: Sequence[Asked], put: Callable[[Sequence[Asked], Sequence[Group]], Sorted]
    ) -> int:
        done = put(asked, tuple(self.groups.values()))
        self.groups |= {group.id: group for group in done.groups}
        self.gap_ids |= done.gap_ids
        return len(asked)


MOST_PAYLOAD = 1024 * 1024
"""Of the broker's messages."""


@dataclass
class MemoryRedaction:
    """Takes out what holds an @; `is_away` makes it fail, as does a tenant of `refused`, and what no message holds."""

    is_away: bool = False
    refused: frozenset[TenantScope] = frozenset()

    async def redacted(self, scope: TenantScope, texts: Sequence[str]) -> tuple[str, ...]:
        if self.is_away or scope in self.refused or len(json.dumps(texts)) > MOST_PAYLOAD:
            raise Unavailable
        return tuple(" ".join("[redacted]" if "@" in word else word for word in text.split()) for text in texts)


@dataclass
class MemoryKnowledge:
    """Finds `hits`; None when it is away. `is_slow`: until it is cancelled."""

    hits: tuple[PassageHit, ...] | None = ()
    is_slow: bool = False
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    is_cancelled: bool = False

    async def search(self, _scope: TenantScope, _question: str, _k: int) -> tuple[PassageHit, ...]:
        self.asked.set()
        if self.is_slow:
            try:
                await asyncio.Event().wait()
            finally:
                self.is_cancelled = True
        if self.hits is None:
            raise Unavailable
        return self.hits


@dataclass
class MemoryCheck:
    categories: tuple[str, ...] = ()

    async def blocked_categories(self, _scope: TenantScope, _text: str) -> tuple[str, ...]:
        return self.categories


@dataclass
class MemoryStream:
    """Shows what it gets; `cuts_at` ends it as the filter does, before the word that contains that text."""

    cuts_at: str | None = None
    model: str = ""
    sources: tuple[Source, ...] = ()
    text: str = ""
    is_cut: bool = False
    blocked_categories: tuple[str, ...] | None = None

    async def start(self, model: str, sources: tuple[Source, ...]) -> None:
        self.model, self.sources = model, sources

    async def send(self, pieces: Pieces) -> None:
        for piece in pieces.texts:
            if self.cuts_at is not None and self.cuts_at in piece:
                self.is_cut = True
            if not self.is_cut:
                self.text += piece

    async def end(self, finish_reason: FinishReason) -> Shown:
        return Shown(self.text, "blocked" if self.is_cut else finish_reason, ("terms",) if self.is_cut else ())


@dataclass
class MemorySink:
    """Opens when `opens` is set, if there is one."""

    stream: MemoryStream = field(default_factory=MemoryStream)
    is_away: bool = False
    opens: asyncio.Event | None = None

    @asynccontextmanager
    async def open(self, _scope: TenantScope, _turn: LeasedTurn) -> AsyncIterator[MemoryStream]:
        if self.opens is not None:
            await self.opens.wait()
        if self.is_away:
            raise Unavailable(code="filter_unavailable")
        self.stream.text = ""
        yield self.stream


class ScriptedModel:
    """Says its items in order: text, an End, an error to raise, or a pause in seconds."""

    def __init__(self, *items: str | End | Exception | float) -> None:
        self._items = items
        self.prompts: list[Prompt] = []
        self.is_closed = False
        self.is_pausing = False

    async def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[Pieces | End, None]:
        self.prompts.append(prompt)
        try:
            for item in self._items:
                if isinstance(item, Exception):
                    raise item
                if isinstance(item, float):
                    self.is_pausing = True
                    await asyncio.sleep(item)
                    continue
                yield Pieces((item,)) if isinstance(item, str) else item
        finally:
            self.is_closed = True

    async def names(self) -> tuple[str, ...]:
        return ("m",)


@dataclass
class MemoryProviders:
    models: dict[str, ScriptedModel]
    needs_knowledge: Sequence[str] = ()

    def find(self, model_id: str) -> Candidate | None:
        provider, _, name = model_id.partition("/")
        model = self.models.get(provider)
        return Candidate(model, name, provider in self.needs_knowledge) if model else None

    def default(self) -> str:
        return "a/m"

    async def list(self) -> tuple[ModelInfo, ...]:
        return ()


class MemoryStops:
    def __init__(self) -> None:
        self.event = asyncio.Event()

    def watch(self, _message_id: MessageId) -> asyncio.Event:
        return self.event

    def forget(self, _message_id: MessageId) -> None:
        return None


def desk(turns: MemoryTurns, models: dict[str, ScriptedModel], **changes: object) -> Desk:
    known: dict[str, object] = {
        "turns": turns,
        "knowledge": MemoryKnowledge(),
        "check": MemoryCheck(),
        "sink": MemorySink(),
        "followers": MemoryFollowers(),
        "providers": MemoryProviders(models, needs_knowledge=("extractive",)),
        "stops": MemoryStops(),
        "embedder": MemoryEmbedder(),
        "deadline_s": 30.0,
    }
    return Desk(**{**known, **changes})  # type: ignore[arg-type] # the same here
