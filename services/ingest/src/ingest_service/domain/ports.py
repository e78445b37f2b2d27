"""What the desk needs from outside, as plain nouns; each has a memory fake that keeps the same promise."""

from collections.abc import Sequence
from typing import Protocol

from ingest_service.domain.passage_index import DenseVector


class Embedder(Protocol):
    """Turns text into vectors of unit length; never blocks the event loop."""

    model: str
    """Its name, which changes whenever the vectors do."""

    async def embed_query(self, text: str) -> DenseVector:
        """The vector of one query; recently asked ones are remembered."""
        ...

    async def embed(self, texts: Sequence[str], *, is_urgent: bool = False) -> Sequence[DenseVector]:
        """One vector a text, in the order given; what is longer than the model reads is cut.

        Urgent texts (somebody is waiting) do not queue behind the passages of documents.
        """
        ...


class TokenCounter(Protocol):
    """Counts in the embedder's own tokens, so that a passage is never cut by it."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without the model's begin and end marks."""
        ...
