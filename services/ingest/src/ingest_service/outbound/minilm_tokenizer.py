"""all-MiniLM-L6-v2's own tokens: for the model, and for whoever cuts texts that it shall read whole."""

from collections.abc import Sequence

from tokenizers import Encoding, Tokenizer

from ingest_service.outbound.minilm_model import model_file


class MiniLmTokenizer:
    """Implements `TokenCounter`."""

    def __init__(self) -> None:
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(model_file("tokenizer.json")))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._begin, self._end = self._tokenizer.encode("").ids

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(encoding) for encoding in self._encode(texts)]

    def ids(self, texts: Sequence[str], most: int) -> list[list[int]]:
        """Token ids of each text between the model's marks, at most `most` with these; the rest is cut."""
        return [[self._begin, *encoding.ids[: most - 2], self._end] for encoding in self._encode(texts)]

    def _encode(self, texts: Sequence[str]) -> list[Encoding]:
        return self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
