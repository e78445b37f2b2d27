"""After the last token: the check of what was shown, and what is told and kept of it."""

from dataclasses import replace

from inference_service.domain.gap import gap_reason
from inference_service.domain.ground import Ground
from inference_service.domain.grounding import Checking, quoted_sources
from inference_service.domain.notes import Notes
from inference_service.domain.turn import LeasedTurn, Outcome


async def checked(outcome: Outcome, turn: LeasedTurn, *, ground: Ground, notes: Notes, checking: Checking) -> Outcome:
    """Return the outcome with quotes, a confidence that counts what is unsupported, and the trace.

    The text stays as it was shown: an unsupported sentence is marked in the trace, never taken back.
    """
    grounding = await checking.answer(outcome.content)
    notes.reached("checked")
    outcome = replace(
        outcome,
        sources=quoted_sources(outcome.sources, grounding),
        confidence=round(outcome.confidence * grounding.credit, 4),
    )
    gap = gap_reason(turn, ground, outcome, grounding)
    return replace(outcome, trace=notes.trace(ground, outcome, grounding, gap))
