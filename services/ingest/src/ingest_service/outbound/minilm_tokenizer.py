"""all-MiniLM-L6-v2's own tokens: for the model, and for whoever cuts texts that it shall read whole."""

from collections.abc import Iterator, Sequence
from typing import Final

from tokenizers import Encoding, Tokenizer

from ingest_service.outbound.minilm_model import model_file

AT_A_TIME: Final = 65_536
"""Characters that are encoded at a time: an encoding is a hundred times as large as its text."""
A_TEXT: Final = 64
"""Characters that a text counts at least: a word has an encoding of its own."""


class MiniLmTokenizer:
    """Implements `TokenCounter`."""

    def __init__(self) -> None:
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(model_file("tokenizer.json")))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._begin, self._end = self._tokenizer.encode("").ids

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        counts = [0] * len(texts)
        for places, parts in _batches(texts):
            for place, encoding in zip(places, self._encode(parts), strict=True):
                counts[place] += len(encoding)
        return counts

    def ids(self, texts: Sequence[str], most: int) -> list[list[int]]:
        """Token ids of each text between the model's marks, at most `most` with these; the rest is cut."""
        return [[self._begin, *encoding.ids[: most - 2], self._end] for encoding in self._encode(texts)]

    def _encode(self, texts: Sequence[str]) -> list[Encoding]:
        return self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)


def _batches(texts: Sequence[str]) -> Iterator[tuple[list[int], list[str]]]:
    """Texts or parts of long ones, with the places of the texts that they are of."""
    places: list[int] = []
    parts: list[str] = []
    filled = 0
    for place, text in enumerate(texts):
        for part in _parts(text):
            size = max(len(part), A_TEXT)
            if parts and filled + size > AT_A_TIME:
                yield places, parts
                places, parts, filled = [], [], 0
            places.append(place)
            parts.append(part)
            filled += size
    if parts:
        yield places, parts


def _parts(text: str) -> Iterator[str]:
    """A long text parted at spaces, where tokens end anyway."""
    start = 0
    while len(text) - start > AT_A_TIME:
        end = text.rfind(" ", start + 1, start + AT_A_TIME)
        end = end if end > 0 else start + AT_A_TIME
        yield text[start:end]
        start = end
    yield text[start:]
