"""What the author of a document says of a picture in it, for those who do not see it."""

import re
from typing import Final

FEWEST_WORDS: Final = 3
"""Fewer name the picture, and say nothing of it."""
_FILE: Final = re.compile(r"\.[a-z]{3,4}$", re.IGNORECASE)
_GUESS: Final = re.compile(r"\n\s*\n")
"""Before the sentence that Office adds to its own guesses: that a program made them, in its own language."""
_WORD: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e01-\u0e4e]|[^\W\d_]+")
"""Or a letter, in scripts without spaces."""


def alt_text(said: str | None) -> str:
    """The words, marked as those of a picture; empty when they are a program's, a file's name, or too few."""
    words = (said or "").strip()
    if _GUESS.search(words) or _FILE.search(words) or len(_WORD.findall(words)) < FEWEST_WORDS:
        return ""
    return f"[Picture: {' '.join(words.split())}]"
