"""Citations in an answer: `[n]` names source n."""

import re
from typing import Final

CITATION: Final = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")


def cited(text: str) -> tuple[int, ...]:
    """Return the numbers that a text cites, each once, in the order of their first use; `[1, 3]` cites two."""
    found = (int(n) for group in CITATION.findall(text) for n in re.split(r"\D+", group))
    return tuple(dict.fromkeys(found))
