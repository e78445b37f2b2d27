"""A second look at the best passages, by a model that reads question and passage together."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

from runtime.errors import Unavailable

CONSIDERED: Final = 30
"""Passages that are looked at again: a cross-encoder's time grows with them, and the right one is rarely deeper."""
T = TypeVar("T")


class Reranker(Protocol):
    """A cross-encoder."""

    async def scores(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """How well each text answers, in order; only their order among each other means something.

        Raises:
            Unavailable: It is away, too slow, or says something else.
        """
        ...


async def reranked(query: str, ranked: Sequence[T], text_of: Callable[[T], str], reranker: Reranker) -> list[T]:
    """The first `CONSIDERED` by the reranker's scores, the others behind; as they were when it is away."""
    first = ranked[:CONSIDERED]
    if len(first) <= 1:
        return list(ranked)
    try:
        scores = await reranker.scores(query, [text_of(one) for one in first])
    except Unavailable:
        return list(ranked)
    order = sorted(range(len(first)), key=lambda n: scores[n], reverse=True)
    return [*(first[n] for n in order), *ranked[CONSIDERED:]]
