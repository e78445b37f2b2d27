"""A question that leans on the one before (`And for tents?`), as words that a search finds something by.

Without a model: the words of the earlier question that carry its subject are put behind what was asked. It is for the
search alone; whoever answers reads the conversation itself.
"""

import re
from collections.abc import Sequence
from typing import Final

from inference_service.domain.function_words import FUNCTION_WORDS
from inference_service.domain.words import content_terms, language_of, terms

_LONGEST: Final = 4
"""Content words of a question that may lean on another: a longer one says what it is about."""
_CARRIED: Final = 6
"""At most so many words are carried over."""

_OPENINGS: Final = {
    "en": r"(?:and|but|or|also|what about|how about|what if|same for|even|for|on|to|in|by|with)\b",
    "de": r"(?:und|aber|oder|auch|was ist mit|wie ist es (?:mit|bei)|wie sieht es (?:mit|bei)|gilt das auch)\b",
    "es": r"¿?\s*(?:y|pero|o|también|qué tal|qué pasa con)\b",
    "fr": r"(?:et|mais|ou|aussi|qu'en est-il)\b",
    "it": r"(?:e|ma|o|anche|che ne dici)\b",
    "pt": r"(?:e|mas|ou|também|e quanto)\b",
    "nl": r"(?:en|maar|of|ook|hoe zit het met)\b",
}
_BACK: Final = {
    "en": r"\b(?:it|its|they|them|their|that one|those|these|this one)\b",
    "de": r"\b(?:es|sie|ihn|ihm|dafür|davon|damit|dazu|dieses|diese)\b",
    "es": r"\b(?:lo|la|los|las|eso|esto|ese|esa|este|esta)\s*\?",
    "fr": r"\b(?:il|elle|ils|elles|ça|cela|celui-ci|celle-ci)\b",
}
_WORD: Final = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


def standalone_question(question: str, earlier: Sequence[str]) -> str:
    """Return the question, with words of the last earlier one (oldest first) behind it when it leans on that."""
    language = language_of(f"{question} {earlier[-1]}") if earlier else "und"
    if not earlier or not _leans(question, language):
        return question
    said = set(terms(question, language))
    content = set(content_terms(earlier[-1], language)) - said
    carried = [word for word in _WORD.findall(earlier[-1]) if content & set(terms(word, language))]
    return " ".join([question, *dict.fromkeys(carried[:_CARRIED])])


def _leans(question: str, language: str) -> bool:
    """By its opening, by a word that points back, or because it names nothing itself: `how long does it take?`."""
    text = question.strip().lower()
    aside = FUNCTION_WORDS.get(language, "").split()
    said = _WORD.findall(text)
    named = [word for word in said if word not in aside]
    if not said or not aside or len(named) > _LONGEST:
        return False
    opening, back = _OPENINGS.get(language), _BACK.get(language)
    return not named or bool((opening and re.match(opening, text)) or (back and re.search(back, text)))
