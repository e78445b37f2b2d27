# ruff: noqa: RUF001 - Chinese marks are meant
"""How a customer is told that a person will answer."""

from typing import Final

_NOTICES: Final = {
    "en": "I am passing this on to a colleague, who will answer you here.",
    "de": "Ich gebe das an eine Kollegin oder einen Kollegen weiter; die Antwort kommt hier.",
    "es": "Paso esto a una persona de nuestro equipo, que le responderá aquí.",
    "fr": "Je transmets cela à une personne de notre équipe, qui vous répondra ici.",
    "zh": "我已将此转交给同事，同事会在这里回复您。",
    "ar": "سأحيل هذا إلى أحد الزملاء وسيجيبك هنا.",
}
NOTICES: Final = frozenset(_NOTICES.values())


def notice(language: str) -> str:
    """Return the sentence in a language given by its two-letter code, in English where there is no other."""
    return _NOTICES.get(language, _NOTICES["en"])
