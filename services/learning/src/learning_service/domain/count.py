"""Which counters a fact raises: the names are those of the `Stats` answer."""

from functools import singledispatch

from contracts.auth import BusinessRegistered
from contracts.base import Event
from contracts.inference import MessageCompleted, MessageFailed, TurnAccepted
from contracts.ingest import DocumentDeleted


@singledispatch
def count(fact: Event) -> dict[str, int]:
    """Amounts by counter name.

    Raises:
        TypeError: nobody decided what this fact counts as.
    """
    msg = f"{type(fact).__name__} is not counted"
    raise TypeError(msg)


@count.register
def _registered(_fact: BusinessRegistered) -> dict[str, int]:
    # A business that did nothing yet still has its figures: zeros, not absence.
    return {"conversations": 0}


@count.register
def _accepted(fact: TurnAccepted) -> dict[str, int]:
    return {"turns_accepted": 1, "conversations": int(fact.is_new_conversation)}


@count.register
def _completed(fact: MessageCompleted) -> dict[str, int]:
    ended = "messages_blocked" if fact.finish_reason == "blocked" else "messages_completed"
    return {ended: 1, "prompt_tokens": fact.prompt_tokens, "completion_tokens": fact.completion_tokens}


@count.register
def _failed(_fact: MessageFailed) -> dict[str, int]:
    return {"messages_failed": 1}


@count.register
def _deleted(_fact: DocumentDeleted) -> dict[str, int]:
    return {"documents_deleted": 1}
