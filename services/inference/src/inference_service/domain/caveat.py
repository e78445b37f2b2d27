# ruff: noqa: RUF001 - Chinese brackets are meant
"""How a sentence that the documents do not bear out is marked for the customer, where the agent hedges it."""

import re
from typing import Final

_CAVEATS: Final = {
    "en": "(Not confirmed by our documents.)",
    "de": "(Durch unsere Unterlagen nicht bestätigt.)",
    "es": "(No confirmado por nuestros documentos.)",
    "fr": "(Non confirmé par nos documents.)",
    "zh": "（我们的资料未能证实这一点。）",
    "ar": "(لم تؤكد مستنداتنا ذلك.)",
}
CAVEATS: Final = tuple(_CAVEATS.values())
CAVEAT: Final = re.compile("|".join(map(re.escape, CAVEATS)))
"""It belongs to the sentence before it, as citations do."""


def caveat(language: str) -> str:
    """Return the phrase in a language given by its two-letter code, in English where there is no other."""
    return _CAVEATS.get(language, _CAVEATS["en"])
