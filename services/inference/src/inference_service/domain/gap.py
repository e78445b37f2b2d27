"""Which questions found nothing good: they are what a business should write down next."""

from typing import Final

from contracts.trace import GapReason
from inference_service.domain import marks
from inference_service.domain.claims import is_claim
from inference_service.domain.ground import Ground
from inference_service.domain.grounding import Grounding
from inference_service.domain.turn import LeasedTurn, Outcome
from inference_service.domain.words import content_terms, language_of

NEAR: Final = 0.3
"""Cosine of question and passage below which a passage that no word found does not count as found."""
_FEWEST: Final = 2
"""Content words of what can be a question: `Hi!` is none."""
_BORNE_OUT: Final = 0.5
"""Share of the claims of an answer below which it counts as made up."""


def gap_reason(turn: LeasedTurn, ground: Ground, outcome: Outcome, grounding: Grounding) -> GapReason | None:
    """Tell why a question found nothing good; None when it did, or when nobody could know."""
    if (
        not turn.options.use_knowledge
        or not ground.is_known
        or outcome.finish_reason not in ("stop", "length", "handed_over")
    ):
        return None
    if not _asks(turn.question):
        return None
    if grounding.supports and grounding.share < _BORNE_OUT:
        return "unsupported"
    if any(one.is_supported for one in grounding.supports):
        return None
    is_near = any(hit.bm25 is not None or (hit.dense or 0.0) >= NEAR for hit in ground.hits)
    return "not_answered" if is_near else "nothing_found"


def _asks(question: str) -> bool:
    is_worded = len(content_terms(question, language_of(question))) >= _FEWEST
    return is_worded and (question.rstrip().endswith(marks.QUESTION_ENDS) or is_claim(question))
