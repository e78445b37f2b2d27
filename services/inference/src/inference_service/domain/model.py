"""The port of every model provider: one prompt in, pieces of text and one end out."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from contracts.ids import DocumentId

Role = Literal["user", "assistant"]
FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the conversation: `user` is the customer, `assistant` the business."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """One found piece of the business's documents, cited in answers as `[n]`.

    Attributes:
        n: number of the source, from 1.
        page: page of the document, from 1; None where it has none.
        score: the search's own score, comparable within one search only.
        heading: the headings above the text, when they are not part of it.
        above: those of them that stand directly before the text, word for word.
    """

    n: int
    document_id: DocumentId
    title: str
    page: int | None
    text: str
    score: float
    heading: str = ""
    above: str = ""


@dataclass(slots=True)
class Fitting:
    """What became of a prompt when its provider fitted it; a provider that fits nothing leaves it as it is.

    Attributes:
        budget_tokens: what the prompt might have, by the provider's count.
        passages: the numbers of the passages that were kept.
        history_messages: how many earlier messages were kept.
    """

    budget_tokens: int | None = None
    passages: tuple[int, ...] = ()
    history_messages: int = 0


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that a provider is told. `passages` come best first.

    Attributes:
        model: the provider's own name of the model, without the leading `provider/`.
        temperature: None leaves it to the provider.
        max_tokens: of the answer; None leaves it to the provider.
        fitting: filled in by `domain.prompt.fit`, for whoever wants to know.
    """

    system: str
    history: tuple[Turn, ...]
    question: str
    passages: tuple[Passage, ...]
    model: str
    temperature: float | None = None
    max_tokens: int | None = None
    fitting: Fitting = field(default_factory=Fitting, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces of text that arrived together: what one read of the socket gave, in order, none empty."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class End:
    """The provider's own word that the answer is whole, and what it cost.

    Attributes:
        finish_reason: `length` when the answer met its token limit.
        estimated: True when the provider did not count tokens itself.
        confidence: how sure the provider is, 0 to 1, that this answers the question; None when it does not say.
    """

    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    estimated: bool
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a provider may be silent, in seconds; reliability.md section 10. The whole is bound by the deadline."""

    connect_s: float = 5.0
    first_token_s: float = 10.0
    stall_s: float = 20.0


class Model(Protocol):
    """A provider of answers."""

    def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[Pieces | End, None]:
        """Answer piece by piece; the last item, and only the last, is the End.

        A stream that breaks off raises and never gives an End. Closing the generator (`aclose`, or cancelling the task
        that reads it) stops the model at once; read it inside `contextlib.aclosing`.

        Args:
            prompt: what to answer; see `domain.prompt` for how it is fitted and rendered.
            deadline: loop time (`asyncio.get_running_loop().time()`) by which the End must have come.

        Raises:
            ModelFailed: one of its kinds, see `domain.errors`.
        """
        ...

    async def names(self) -> tuple[str, ...]:
        """Return the models that can be asked for now, under the provider's own names.

        Raises:
            ModelFailed: the provider cannot be asked.
        """
        ...
