"""What one attempt notes on its way, for the trace: noting costs nothing that a customer could wait for."""

from collections.abc import Callable
from typing import Literal

from contracts.inference import Source, Unsupported
from contracts.trace import (
    SENTENCE_LIMIT,
    TEXT_LIMIT,
    AnswerTrace,
    GapReason,
    TracedHit,
    TracedModel,
    TracedPrompt,
    TracedSentence,
    TracedTimings,
)
from inference_service.domain.ground import Ground
from inference_service.domain.grounding import UNSHOWN, Grounding, SentenceCheck
from inference_service.domain.model import Prompt
from inference_service.domain.turn import LeasedTurn, Outcome

Moment = Literal["found", "first_token", "first_shown", "shown", "checked"]


class Notes:
    """Of one attempt. `clock` gives seconds that never go back."""

    def __init__(self, turn: LeasedTurn, clock: Callable[[], float]) -> None:
        self._turn = turn
        self._clock = clock
        self._began = clock()
        self._moments: dict[Moment, float] = {}
        self._models: list[TracedModel] = []
        self._prompt: Prompt | None = None
        self.unsupported: Unsupported = "mark"
        """What was done with unsupported sentences."""

    def reached(self, moment: Moment) -> None:
        """Note the time; the first time counts."""
        self._moments.setdefault(moment, round((self._clock() - self._began) * 1000, 1))

    def asks(self, prompt: Prompt) -> None:
        """Note what the next model is given."""
        self._prompt = prompt

    def considered(self, model: str, outcome: Literal["answered", "failed", "passed_over"], code: str = "") -> None:
        """Note what became of a model."""
        self._models.append(TracedModel(model=model, outcome=outcome, code=code or None))

    def trace(self, ground: Ground, outcome: Outcome, grounding: Grounding, gap: GapReason | None) -> AnswerTrace:
        """Write it all down, bounded in size."""
        turn, prompt = self._turn, self._traced_prompt()
        return AnswerTrace(
            conversation_id=turn.conversation_id,
            message_id=turn.message_id,
            agent_id=turn.agent_id,
            agent_updated_at=turn.agent_updated_at,
            attempt=turn.attempt,
            query=turn.query[:TEXT_LIMIT],
            is_knowledge_used=turn.options.use_knowledge,
            is_search_away=not ground.is_known,
            hits=_hits(ground, prompt.passages if prompt else (), outcome.sources),
            prompt=prompt,
            models=tuple(self._models),
            finish_reason=outcome.finish_reason,
            filter_categories=outcome.categories,
            sentences=tuple(_sentence(check) for check in grounding.checks[:SENTENCE_LIMIT]),
            unsupported=self.unsupported,
            is_checked_by_words_alone=grounding.is_lexical,
            supported_share=round(grounding.share, 4) if grounding.supports else None,
            confidence=outcome.confidence,
            gap=gap,
            timings_ms=TracedTimings(**self._moments),
        )

    def _traced_prompt(self) -> TracedPrompt | None:
        if self._prompt is None:
            return None
        fitting = self._prompt.fitting
        if fitting.budget_tokens is None:
            offered = tuple(passage.n for passage in self._prompt.passages)
            return TracedPrompt(history_messages=len(self._prompt.history), passages=offered)
        return TracedPrompt(
            history_messages=fitting.history_messages, passages=fitting.passages, budget_tokens=fitting.budget_tokens
        )


def _hits(ground: Ground, in_prompt: tuple[int, ...], sources: tuple[Source, ...]) -> tuple[TracedHit, ...]:
    cited = {source.n for source in sources}
    return tuple(
        TracedHit(
            n=n,
            document_id=str(hit.document_id),
            passage_id=str(hit.passage_id),
            title=hit.title[:TEXT_LIMIT],
            page=hit.page,
            start=hit.start,
            end=hit.end,
            score=hit.score,
            dense=hit.dense,
            bm25=hit.bm25,
            is_in_prompt=n in in_prompt,
            is_cited=n in cited,
        )
        for n, hit in enumerate(ground.hits, 1)
    )


def _sentence(check: SentenceCheck) -> TracedSentence:
    sentence, support = check.sentence, check.support
    bare = TracedSentence(
        start=sentence.start,
        end=sentence.end,
        # The filter saw only what was let out: the words of the rest are not kept, whatever stands in them.
        text="" if check.action in UNSHOWN else sentence.text[:TEXT_LIMIT],
        cited=sentence.cited,
        verdict="unchecked" if sentence.is_claim else "no_claim",
        action=check.action,
    )
    if support is None:
        return bare
    found: dict[str, object] = {"verdict": support.verdict, "reason": support.reason, "score": round(support.score, 4)}
    if support.match is not None:
        passage, span = support.match.passage_read, support.match.span
        start, end = passage.place(span)
        quote = passage.quote(span)[:TEXT_LIMIT]
        found |= {"n": passage.n, "quote_start": start, "quote_end": end, "quote": quote}
    return bare.model_copy(update=found)
