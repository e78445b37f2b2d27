"""An embedder that remembers the vectors of recent questions: customers ask the same things."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from ingest_service.domain.passage_index import DenseVector
from ingest_service.domain.ports import Embedder

REMEMBERED: Final = 1_000
"""Some 3 MiB at 384 numbers."""


class RememberedQueries:
    """Implements `Embedder` over any other; a failure is not remembered, what was not asked for longest goes first."""

    def __init__(self, embedder: Embedder, most: int = REMEMBERED) -> None:
        self._embedder = embedder
        self._most = most
        self._vectors: OrderedDict[str, DenseVector] = OrderedDict()
        self.model = embedder.model
        self.dimension = embedder.dimension

    async def embed_query(self, text: str) -> DenseVector:
        known = self._vectors.get(text)
        if known is not None:
            self._vectors.move_to_end(text)
            return known
        vector = await self._embedder.embed_query(text)
        self._vectors[text] = vector
        if len(self._vectors) > self._most:
            self._vectors.popitem(last=False)
        return vector

    async def embed(self, texts: Sequence[str], *, is_urgent: bool = False) -> Sequence[DenseVector]:
        return await self._embedder.embed(texts, is_urgent=is_urgent)

    def check(self) -> None:
        self._embedder.check()
