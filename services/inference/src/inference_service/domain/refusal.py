"""How the built-in answerer says that the documents do not hold the answer."""

from typing import Final

_SENTENCES: Final = {
    "en": "I could not find an answer to that in our documents.",
    "de": "Dazu habe ich in unseren Unterlagen keine Antwort gefunden.",
    "es": "No he encontrado una respuesta a eso en nuestros documentos.",
    "fr": "Je n'ai pas trouvé de réponse à cela dans nos documents.",
    "zh": "我在我们的资料中没有找到这个问题的答案。",
    "ar": "لم أجد إجابة عن هذا السؤال في مستنداتنا.",
}


def refusal(language: str) -> str:
    """Return the sentence in a language given by its two-letter code, in English where there is no other."""
    return _SENTENCES.get(language, _SENTENCES["en"])
