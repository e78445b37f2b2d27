"""An embedder whose model runs on a server, which may be away, slow or wrong."""

import asyncio
import math
from collections.abc import Sequence
from typing import Final

from contracts.ingest import EMBED_CHARACTERS
from ingest_service.domain.batches import batches
from ingest_service.domain.embedding import EmbedderAway, Traits
from ingest_service.domain.passage_index import DenseVector
from ingest_service.domain.ports import EmbedderWatch, TokenCounter, VectorSource
from runtime.clock import Clock
from runtime.errors import LumoraError, Rejected

TOKENS_A_REQUEST: Final = 8_192
TEXTS_A_REQUEST: Final = 64
QUERY_S: Final = 1.5
"""A search as a whole has 3 s, and its other leg is good enough not to wait for this one."""
QUERIES_REST_S: Final = 5.0
"""After a question that was too slow the next ones are not asked at all for so long."""
URGENT_S: Final = 4.0
PASSAGES_S: Final = 120.0
"""A server may have to load its model first."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
LONGEST_ASKED_S: Final = 300.0
"""A server that asks for more patience is asked again after so long."""
_SHORTEST: Final = 1e-12


class ServedEmbedder:
    """Implements `Embedder`: every vector has its dimension, finite numbers and unit length, or none is given.

    A server that fails is left alone until `keep_in_touch` has seen it answer: whoever asks meanwhile is told at once.
    """

    def __init__(
        self, source: VectorSource, traits: Traits, *, counter: TokenCounter, watch: EmbedderWatch, clock: Clock
    ) -> None:
        self._source = source
        self._traits = traits
        self._counter = counter
        self._watch = watch
        self._clock = clock
        self._away = asyncio.Event()
        self._has_answered = False
        self._pause_s = FIRST_PAUSE_S
        self._queries_rest_until_s = -math.inf
        self.model = traits.index_name.model
        self.dimension = traits.dimension

    async def embed_query(self, text: str) -> DenseVector:
        if self._clock.monotonic_s() < self._queries_rest_until_s:
            self._watch.refused(self.model)
            raise EmbedderAway("the embedding model was too slow a moment ago")
        try:
            (vector,) = await self._vectors([self._traits.query_prefix + text], QUERY_S)
        except TimeoutError as error:
            # busy with passages, perhaps: no reason to keep those from it
            self._queries_rest_until_s = self._clock.monotonic_s() + QUERIES_REST_S
            raise self._slow(is_urgent=True) from error
        return vector

    async def embed(self, texts: Sequence[str], *, is_urgent: bool = False) -> Sequence[DenseVector]:
        marked = [self._traits.passage_prefix + text[:EMBED_CHARACTERS] for text in texts]
        vectors: list[DenseVector] = [()] * len(texts)
        sizes = await asyncio.to_thread(self._counter.count_tokens, marked)
        for batch in batches(sizes, TOKENS_A_REQUEST, TEXTS_A_REQUEST):
            try:
                found = await self._vectors([marked[place] for place in batch], URGENT_S if is_urgent else PASSAGES_S)
            except TimeoutError as error:
                raise self._slow(is_urgent=is_urgent) from error
            for place, vector in zip(batch, found, strict=True):
                vectors[place] = vector
        return vectors

    def check(self) -> None:
        if self._away.is_set():
            raise EmbedderAway("the embedding model is away", retry_after_s=self._pause_s)

    async def keep_in_touch(self) -> None:
        """Ask once at the start, and then whenever the server is away until it answers; runs until cancelled."""
        while True:
            await self._try()
            await self._away.wait()
            await asyncio.sleep(self._pause_s)

    async def _try(self) -> None:
        try:
            async with asyncio.timeout(PASSAGES_S):
                _checked(await self._source.vectors(["One word."]), 1, self.dimension)
        except (LumoraError, TimeoutError) as error:
            self._gone(error)
            return
        self._came()

    async def _vectors(self, texts: list[str], timeout_s: float) -> list[DenseVector]:
        if self._away.is_set():
            self._watch.refused(self.model)
        self.check()
        try:
            async with asyncio.timeout(timeout_s):
                found = _checked(await self._source.vectors(texts), len(texts), self.dimension)
        except EmbedderAway as error:
            raise self._gone(error) from error
        except Rejected as error:
            if self._has_answered:
                raise
            # a server that never answered does not refuse this text, but how it is asked
            raise self._gone(EmbedderAway(error.detail)) from error
        self._came()
        return found

    def _slow(self, *, is_urgent: bool) -> EmbedderAway:
        if not is_urgent:
            return self._gone(EmbedderAway("the embedding model does not answer"))
        self._watch.slow(self.model)
        return EmbedderAway("the embedding model is too slow for somebody who waits")

    def _gone(self, error: LumoraError | TimeoutError) -> EmbedderAway:
        asked_s = (error.retry_after_s if isinstance(error, LumoraError) else None) or 0.0
        doubled_s = min(2 * self._pause_s, LONGEST_PAUSE_S) if self._away.is_set() else FIRST_PAUSE_S
        self._pause_s = max(doubled_s, min(asked_s, LONGEST_ASKED_S))
        reason = error.detail if isinstance(error, LumoraError) else "the embedding model does not answer"
        self._watch.away(self.model, reason)
        self._away.set()
        return EmbedderAway(reason, retry_after_s=self._pause_s)

    def _came(self) -> None:
        self._has_answered = True
        self._away.clear()
        self._watch.back(self.model)


def _checked(raw: Sequence[Sequence[float]], count: int, dimension: int) -> list[DenseVector]:
    """The vectors at unit length.

    Raises:
        EmbedderAway: They are too few or many, too short or long, or hold what is no number.
    """
    if len(raw) != count:
        raise EmbedderAway(f"the embedding model gave {len(raw)} vectors for {count} texts")
    return [_unit(vector, dimension) for vector in raw]


def _unit(vector: Sequence[float], dimension: int) -> DenseVector:
    if len(vector) != dimension:
        raise EmbedderAway(f"the embedding model gives {len(vector)} numbers a vector, not {dimension}")
    length = math.sqrt(math.fsum(number * number for number in vector))
    if not math.isfinite(length) or length < _SHORTEST:
        raise EmbedderAway("the embedding model gave a vector without a direction")
    return [number / length for number in vector]
