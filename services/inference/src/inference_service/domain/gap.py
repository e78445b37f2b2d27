"""Which questions found nothing good: they are what a business should write down next."""

from typing import Final

from contracts.trace import GapReason
from inference_service.domain import marks
from inference_service.domain.claims import is_claim
from inference_service.domain.ground import Ground
from inference_service.domain.grounding import Grounding
from inference_service.domain.small_talk import is_small_talk, subject_of
from inference_service.domain.turn import LeasedTurn, Outcome
from inference_service.domain.words import language_of, terms

NEAR: Final = 0.3
"""Cosine of question and passage below which a passage that no word found does not count as found."""
_FEWEST: Final = 2
"""Words of a question that names nothing itself and leans on the one before: `Why?` is none."""
_BORNE_OUT: Final = 0.5
"""Share of the claims of an answer that nothing speaks against, below which it counts as made up."""


def gap_reason(turn: LeasedTurn, ground: Ground, outcome: Outcome, grounding: Grounding) -> GapReason | None:
    """Tell why a question found nothing good; None when it did, or when nobody could know."""
    if (
        not turn.options.use_knowledge
        or not ground.is_known
        or outcome.finish_reason not in ("stop", "length", "handed_over")
    ):
        return None
    if not _asks(turn):
        return None
    if grounding.supports and 1 - grounding.refused < _BORNE_OUT:
        return "unsupported"
    if not all(one.is_unsupported for one in grounding.supports):
        return None
    is_near = any(hit.bm25 is not None or (hit.dense or 0.0) >= NEAR for hit in ground.hits)
    return "not_answered" if is_near else "nothing_found"


def _asks(turn: LeasedTurn) -> bool:
    question = turn.question.strip()
    if not subject_of(question):
        leans = turn.query != turn.question
        return (
            leans and question.endswith(marks.QUESTION_ENDS) and len(terms(question, language_of(question))) >= _FEWEST
        )
    is_marked = question.endswith(marks.QUESTION_ENDS) or marks.ASKS.match(question)
    return not is_small_talk(question) and (bool(is_marked) or is_claim(question))
