"""Who answers a conversation, the machine or a person, and how that changes hands: pure moves, safe to repeat."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from contracts.ids import UserId
from contracts.inference import ConversationStatus
from runtime.errors import Conflict

UNSUPPORTED = "unsupported"
"""The reason of a conversation that the machine handed over, because the documents did not bear its answer out."""


CUSTOMER_ASKED = "customer_asked"
"""The reason of one whose customer asked for a person."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a conversation stands.

    Attributes:
        epoch: fences the machine: what it began under a lower one is not stored.
        is_told: the customer knows that a person is to answer; only while people have it.
    """

    status: ConversationStatus = "active"
    epoch: int = 0
    reason: str = ""
    assignee: UserId | None = None
    is_told: bool = False

    @property
    def is_with_people(self) -> bool:
        """Whether the machine is to be silent."""
        return is_with_people(self.status)


Move = Callable[[Standing], Standing]


def is_with_people(status: ConversationStatus) -> bool:
    """Tell whether the machine is to be silent in such a conversation."""
    return status in ("waiting_for_person", "with_person")


def escalated(standing: Standing, reason: str) -> Standing:
    """A person is asked for."""
    if standing.is_with_people:
        return standing
    return _handed(standing, "waiting_for_person", reason)


def handed_over(standing: Standing, reason: str | None, *, is_told: bool) -> Standing:
    """The machine ended an answer by handing over; with a reason it did so by itself."""
    if reason is not None and not standing.is_with_people:
        standing = _handed(standing, "waiting_for_person", reason)
    return replace(standing, is_told=standing.is_with_people and (standing.is_told or is_told))


def assigned(standing: Standing, person: UserId, *, is_take_over: bool = False) -> Standing:
    """A person takes it.

    Raises:
        Conflict: another person has it, and nobody said that it is to be taken from them.
    """
    if standing.assignee == person:
        return standing
    if standing.assignee is not None and not is_take_over:
        raise Conflict("another person has taken this conversation")
    reason = standing.reason if standing.is_with_people else ""
    return replace(_handed(standing, "with_person", reason), assignee=person, is_told=standing.is_told)


def spoken(standing: Standing, person: UserId) -> Standing:
    """A person writes to the customer: they take what no person has, and what the machine is writing is stale."""
    if standing.assignee is None:
        standing = assigned(standing, person)
    return replace(standing, epoch=standing.epoch + 1, is_told=True)


def reopened(standing: Standing) -> Standing:
    """The customer writes again."""
    return replace(standing, status="reopened", reason="customer_wrote") if standing.status == "resolved" else standing


def handed_back(standing: Standing) -> Standing:
    """The machine answers again."""
    return _handed(standing, "active", "handed_back") if standing.is_with_people else standing


def resolved(standing: Standing) -> Standing:
    """Nothing is left to say: what was begun before is too late, and its question opens the conversation again."""
    if standing.status == "resolved":
        return standing
    return _handed(standing, "resolved", "resolved")


def _handed(standing: Standing, status: ConversationStatus, reason: str) -> Standing:
    """Into other hands: whoever answered before is too late now."""
    return Standing(status, standing.epoch + 1, reason)
