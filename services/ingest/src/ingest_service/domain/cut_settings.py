"""How long a business's passages are, and how much of one is repeated in the next; each business may choose."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class CutSettings:
    """What documents are cut by.

    Attributes:
        passage_tokens: The most of a passage with its headings and lead.
        overlap: Where a paragraph had to be cut, the last sentence of a passage begins the next one too if it is at
            most this share of a passage.
    """

    passage_tokens: int
    overlap: float


DEFAULT: Final = CutSettings(passage_tokens=220, overlap=0.167)
"""Of a business that chose nothing: the embedder reads 256 tokens, and its marks and a reserve are taken off."""
