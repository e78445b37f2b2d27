"""Titles that documents say of themselves; many say what the program or file was called."""

import re
from typing import Final

_JUNK: Final = re.compile(
    r"untitled.*|(?:microsoft )?(?:word|excel|powerpoint)\b.*|(?:document|presentation|slide|book|sheet) ?\d*|title"
    r"|.*\.(?:docx?|pdf|rtf|od[tsp]|indd|qxd|tex|dvi|pptx?|xlsx?|html?)",
    re.IGNORECASE,
)


def own_title(title: str | None) -> str | None:
    """The title, None when it is empty, one word, or tells of a program or file."""
    words = " ".join((title or "").split())
    return words if " " in words and not _JUNK.fullmatch(words) else None
