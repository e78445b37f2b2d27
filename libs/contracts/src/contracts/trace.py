"""Why this answer: what inference keeps of the way one answer came about."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from contracts.base import Contract, Personal, Reply, Request
from contracts.channel import Rpc
from contracts.ids import AgentId, ConversationId, MessageId
from contracts.inference import FinishReason, Unsupported

SupportReason = Literal["quoted", "alike", "number", "denial", "name", "unlike", "no_passage", "language"]
"""Why a claim stands (quoted, alike) or not: a number or date that the passage has not, a denial on one side only, a
name, code or address that it has not, words too far from the passage's, or nothing to hold it against. Or why nobody
can tell: the passage is in another `language`."""
Action = Literal["shown", "hedged", "removed", "handed_over"]
"""What was done with a sentence: `hedged` was shown with a caveat, `handed_over` was not shown and ended the answer."""
GapReason = Literal["nothing_found", "not_answered", "unsupported"]

TEXT_LIMIT = 600
"""Characters of one text in a trace; longer ones are cut."""
SENTENCE_LIMIT = 60


class TracedHit(Contract):
    """A passage that was found, and how: `dense` is the cosine, `bm25` the raw score, `score` what both come to."""

    n: int
    document_id: str
    passage_id: str
    title: str
    page: int | None = None
    start: int
    end: int
    score: float
    dense: float | None = None
    bm25: float | None = None
    is_in_prompt: bool
    is_cited: bool


class TracedPrompt(Contract):
    """What the model that answered was given. `budget_tokens` is None where nothing had to be fitted."""

    history_messages: int
    passages: tuple[int, ...]
    budget_tokens: int | None = None


class TracedModel(Contract):
    """A model that was considered; `code` tells why it did not answer."""

    model: str
    outcome: Literal["answered", "failed", "passed_over"]
    code: str | None = None


class TracedSentence(Contract):
    """One sentence of the answer; `score` goes from 0 to 1.

    `unverified` is a claim whose passage is in another language, which has all of its numbers, codes and addresses.

    `start` and `end` are characters of the answer, `quote_start` and `quote_end` of the document that source `n` is a
    part of. A sentence that was not shown has no length and no text: it begins and ends where it would have stood, and
    the filter never saw its words.
    """

    start: int
    end: int
    text: Personal[Annotated[str, Field(max_length=TEXT_LIMIT)]]
    cited: tuple[int, ...] = ()
    verdict: Literal["no_claim", "supported", "unsupported", "unverified", "unchecked"]
    action: Action = "shown"
    reason: SupportReason | None = None
    score: float | None = None
    n: int | None = None
    quote_start: int | None = None
    quote_end: int | None = None
    quote: Personal[Annotated[str, Field(max_length=TEXT_LIMIT)]] = ""


class TracedTimings(Contract):
    """Milliseconds from the moment the worker began with the turn; None for what was not reached."""

    found: float | None = None
    first_token: float | None = None
    """The model's: what an agent has checked first is let out later."""
    first_shown: float | None = None
    shown: float | None = None
    checked: float | None = None


class AnswerTrace(Contract):
    """All that is kept of one answer's way, for its business's people."""

    conversation_id: ConversationId
    message_id: MessageId
    agent_id: AgentId
    agent_updated_at: datetime | None = None
    """Which version of the agent answered: when it was last changed before."""
    attempt: int
    query: Personal[Annotated[str, Field(max_length=TEXT_LIMIT)]]
    is_knowledge_used: bool
    is_search_away: bool = False
    hits: tuple[TracedHit, ...] = ()
    prompt: TracedPrompt | None = None
    models: tuple[TracedModel, ...] = ()
    finish_reason: FinishReason
    filter_categories: tuple[str, ...] = ()
    sentences: Annotated[tuple[TracedSentence, ...], Field(max_length=SENTENCE_LIMIT)] = ()
    unsupported: Unsupported = "mark"
    """What the agent does with unsupported sentences; an answer without knowledge, or of quotations, is only marked."""
    is_checked_by_words_alone: bool = False
    supported_share: float | None = None
    """Share of the claims that are supported, not those unverified; None when the answer claims nothing."""
    confidence: float
    gap: GapReason | None = None
    timings_ms: TracedTimings = TracedTimings()


class GetTrace(Request):
    """Why this answer?"""

    conversation_id: ConversationId
    message_id: MessageId


class TraceReply(Reply):
    """The trace; kept for as long as the operator says, 30 days if nothing else."""

    trace: AnswerTrace


GET_TRACE = Rpc("inference", "get_trace", GetTrace, TraceReply, callers=("gateway",))
