# ruff: noqa: RUF001 - Chinese marks are meant
"""How a customer is told that an answer could be checked in part only, where the agent hedges."""

from typing import Final

_NOTES: Final = {
    "en": "(Our documents on this are in another language: only numbers and names were compared with them.)",
    "de": "(Unsere Unterlagen dazu sind in einer anderen Sprache: nur Zahlen und Namen wurden damit verglichen.)",
    "es": "(Nuestros documentos sobre esto están en otro idioma: solo se han comparado números y nombres.)",
    "fr": "(Nos documents à ce sujet sont dans une autre langue, et seuls les nombres et les noms ont été comparés.)",
    "zh": "（我们关于此问题的资料是另一种语言：仅核对了数字和名称。）",
    "ar": "(مستنداتنا عن ذلك بلغة أخرى: قورنت الأرقام والأسماء فقط.)",
}
NOTES: Final = frozenset(_NOTES.values())


def note(language: str) -> str:
    """Return the phrase in a language given by its two-letter code, in English where there is no other."""
    return _NOTES.get(language, _NOTES["en"])
