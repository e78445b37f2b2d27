"""A turn: one customer message and the work of answering it."""

from dataclasses import dataclass, field
from datetime import datetime

from contracts.ids import AgentId, ConversationId, MessageId
from contracts.inference import AnswerOptions, FinishReason, Source, Unsupported, Usage
from contracts.trace import AnswerTrace
from inference_service.domain.standalone_question import standalone_question
from inference_service.domain.standing import Standing, handed_over

MAX_ATTEMPT = 5
"""Beyond this many attempts a turn is failed, whoever took it."""
LEASE_S = 8.0
"""Shorter than the job's ack_wait, so that a redelivered job finds the lease of a dead worker expired."""
LEASE_EVERY_S = 2.5


@dataclass(frozen=True, slots=True)
class Said:
    """An earlier message of the conversation."""

    is_customer: bool
    text: str


@dataclass(frozen=True, slots=True)
class LeasedTurn:
    """A turn this worker alone may answer while it keeps the lease. `attempt` and `epoch` fence its completion."""

    message_id: MessageId
    conversation_id: ConversationId
    agent_id: AgentId
    attempt: int
    epoch: int
    is_stop_asked: bool
    question: str
    history: tuple[Said, ...]
    options: AnswerOptions
    persona: str
    instructions: str
    agent_name: str
    models: tuple[str, ...]
    """`provider/model`, the first choice first."""
    waited_s: float
    """How long ago the customer asked, in seconds, when this attempt began."""
    is_with_people: bool = False
    """The conversation waits for a person, or has one: the machine is silent."""
    is_told: bool = False
    """The customer knows that."""
    unsupported: Unsupported = "mark"
    """What the agent does with sentences that the documents do not bear out."""
    agent_updated_at: datetime | None = None
    """When the agent was last changed: which version of it answers."""

    @property
    def query(self) -> str:
        """What the documents are searched for: the question, with the subject of the one before if it leans on that."""
        return standalone_question(self.question, [said.text for said in self.history if said.is_customer])


@dataclass(frozen=True, slots=True)
class Ended:
    """The turn is completed or failed already."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Another worker holds the lease."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was shown to the customer, and what it cost."""

    content: str
    finish_reason: FinishReason
    model: str
    sources: tuple[Source, ...] = ()
    usage: Usage = field(default_factory=Usage)
    confidence: float = 0.0
    categories: tuple[str, ...] = ()
    trace: AnswerTrace | None = None
    hand_over_reason: str | None = None
    """Why the machine handed the conversation over by itself, when it did: `finish_reason` is `blocked` if the filter
    then withheld the notice."""

    @property
    def is_for_people(self) -> bool:
        """Whether a person is to answer."""
        return self.finish_reason == "handed_over" or self.hand_over_reason is not None

    def hand_over(self, standing: Standing) -> Standing:
        """How the conversation stands after an answer that ended so."""
        is_told = self.finish_reason == "handed_over" and bool(self.content)
        return handed_over(standing, self.hand_over_reason, is_told=is_told)
