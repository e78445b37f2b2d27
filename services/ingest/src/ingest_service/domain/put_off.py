"""What failed for now: how long it waits, what its owner is told meanwhile, and when it has been tried often enough.

The wait is in the document's row and not in the queue, where each business has a few places only: fifty pages of a
site that fails would leave none for anything else of it.
"""

from datetime import timedelta
from typing import Final

from ingest_service.domain.document import Cause, Document, Failure, State
from ingest_service.domain.embedding import EmbedderAway
from ingest_service.domain.places import NoPlace
from ingest_service.domain.web_page import LeftAlone, SiteAway
from runtime.errors import Retryable

PAUSES_S: Final = (5.0, 30.0, 120.0, 600.0)
"""Between tries; the last one is repeated."""
FEW_TRIES: Final = 5
"""Of a page whose site fails, or of what no try mends: about 13 minutes."""
MOST_TRIES: Final = 16
"""Of what a part of ours keeps from being read: about two hours."""
_TRIES: Final = {Cause.SITE: FEW_TRIES, Cause.OURS: MOST_TRIES, Cause.FAULT: FEW_TRIES}
AWAY_S: Final = 5.0
"""A document waits so long for an embedding model that does not say when it is back."""
LONGEST_ASKED_S, LONGEST_ASKED_BY_SITE_S = 300.0, 3_600.0
"""A `Retry-After` is believed so far."""


def cause_of(error: Exception) -> Cause | None:
    """None where it was no try: the embedding model, a place, and a site that wants to be left alone are waited for."""
    if isinstance(error, EmbedderAway | NoPlace | LeftAlone):
        return None
    if isinstance(error, SiteAway):
        return Cause.SITE
    return Cause.OURS if isinstance(error, Retryable) else Cause.FAULT


def pause_after(document: Document, error: Exception) -> timedelta | None:
    """Until it is tried again; None when it was tried often enough. What is being deleted is tried for ever."""
    if isinstance(error, NoPlace):
        return timedelta(seconds=error.pause_s)
    most_s = LONGEST_ASKED_BY_SITE_S if isinstance(error, SiteAway) else LONGEST_ASKED_S
    asked_s = min((error.retry_after_s if isinstance(error, Retryable) else None) or 0.0, most_s)
    cause = cause_of(error)
    if cause is None:
        return timedelta(seconds=asked_s or AWAY_S)
    times = document.put_off.get(cause, 0)
    if times + 1 >= _TRIES[cause] and document.state is not State.DELETING:
        return None
    return timedelta(seconds=max(asked_s, PAUSES_S[min(times, len(PAUSES_S) - 1)]))


def why(error: Exception) -> Failure | None:
    """What its owner is told while it waits; None: nothing is wrong, others come first."""
    if isinstance(error, NoPlace):
        return None
    failure = _reason(error)
    return Failure(failure.code, f"{failure.detail} It is tried again without your doing.")


def in_the_end(error: Exception) -> Failure:
    """What its owner is told when it is not tried again."""
    failure = _reason(error)
    advice = "Have it read again later."
    if isinstance(error, SiteAway):
        advice = "See whether the address opens in a browser, and have it read again when it does."
    cause = cause_of(error)
    tried = "" if cause is None else f" It was tried {_TRIES[cause]} times."
    return Failure(failure.code, f"{failure.detail}{tried} {advice}")


def _reason(error: Exception) -> Failure:
    if isinstance(error, SiteAway):
        return Failure(error.code, error.detail)
    if isinstance(error, EmbedderAway):
        return Failure("unavailable", "The embedding model does not answer.")
    if isinstance(error, Retryable):
        return Failure("unavailable", "A part of the service that it needs is away.")
    return Failure("internal", "Reading it failed through a fault of ours.")
