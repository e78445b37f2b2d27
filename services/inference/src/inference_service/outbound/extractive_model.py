"""The built-in answerer: no model, but the best matching sentences of the business's own documents."""

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import Final

from inference_service.domain.errors import ModelLate
from inference_service.domain.extract import Embedder, Extraction, extract
from inference_service.domain.model import End, Pieces, Prompt

NAME: Final = "sentences"
"""Its one model: `extractive/sentences`."""

_UNSPACED: Final = "\u0e00-\u0eff\u3005-\u30ff\u3400-\u9fff"
_PIECE: Final = re.compile(f"\\s*(?:[{_UNSPACED}]|[^\\s{_UNSPACED}]+)|\\s+$")
"""A word with the white space before it; where words are written together, a character."""

_CITED: Final = re.compile(r".+?(?:\[\d+\](?=\s|$)|$)", re.DOTALL)


class ExtractiveModel:
    """The provider `extractive`. It needs the embedder only to rank better, and answers without it too."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    async def names(self) -> tuple[str, ...]:
        """Return its one name: it is always there."""
        return (NAME,)

    async def extract(self, prompt: Prompt) -> Extraction:
        """Return the whole answer with the sources it cites and how sure it is; the prompt's passages are searched."""
        return await extract(prompt.question, prompt.passages, self._embedder)

    async def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[Pieces | End, None]:
        """Answer sentence by sentence, in words; see `domain.model.Model`. One word counts as one token.

        `system`, `history`, `model` and `temperature` mean nothing to it; `max_tokens` cuts the answer.

        Raises:
            ModelLate: the deadline passed before the embeddings came.
        """
        try:
            async with asyncio.timeout_at(deadline):
                answer = await self.extract(prompt)
        except TimeoutError as error:
            raise ModelLate("the deadline passed before the documents were read") from error
        sentences = [pieces(sentence) for sentence in _CITED.findall(answer.text)]
        whole = sum(map(len, sentences))
        limit = whole if prompt.max_tokens is None else min(whole, prompt.max_tokens)
        told = 0
        for words in sentences:
            if texts := words[: limit - told]:
                told += len(texts)
                yield Pieces(texts)
        read = len(prompt.question.split()) + sum(len(passage.text.split()) for passage in prompt.passages)
        yield End(
            "length" if told < whole else "stop",
            prompt_tokens=read,
            completion_tokens=told,
            estimated=True,
            confidence=answer.confidence,
        )


def pieces(text: str) -> tuple[str, ...]:
    """Cut a text into words; joined they are the text."""
    return tuple(_PIECE.findall(text))
