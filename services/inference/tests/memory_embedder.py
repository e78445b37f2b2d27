"""Embeddings without a model: words are directions, and words said to mean the same share one."""

import math
from collections.abc import Sequence

from inference_service.domain.errors import EmbedderFailed
from inference_service.domain.words import content_terms


class MemoryEmbedder:
    """Implements `Embedder`; `alike` are groups of words with one meaning, `is_away` makes it fail."""

    def __init__(self, *alike: str, is_away: bool = False) -> None:
        self._meaning = {word: group.split()[0] for group in alike for word in group.split()}
        self._directions: dict[str, int] = {}
        self.is_away = is_away
        self.asked: list[int] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return unit vectors of 512 numbers."""
        self.asked.append(len(texts))
        if self.is_away:
            raise EmbedderFailed
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * 512
        for word in content_terms(text, "en"):
            meant = self._meaning.get(word, word)
            vector[self._directions.setdefault(meant, len(self._directions)) % 512] += 1.0
        length = math.hypot(*vector) or 1.0
        return [number / length for number in vector]
