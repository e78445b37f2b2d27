"""A question that leans on the one before (`And for tents?`), as words that a search finds something by.

Without a model: the words of the earlier question that carry its subject are put behind what was asked, and so on from
question to question. It is for the search alone; whoever answers reads the conversation itself.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from inference_service.domain.function_words import FUNCTION_WORDS
from inference_service.domain.small_talk import is_small_talk
from inference_service.domain.words import language_of, subject_terms, terms

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
_PLACES: Final = {
    "en": ("on for of", "to", "in", "by", "with", "from"),
    "de": ("auf für von", "nach in", "mit", "bei", "am"),
    "es": ("de para", "a", "en", "con", "por"),
    "fr": ("de pour sur", "à en", "avec", "par"),
}
"""Prepositions; what stands behind one makes room for what stands behind another of the same place."""
_WORD: Final = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


class _Asked(NamedTuple):
    """A question of a conversation.

    Attributes:
        carried: the words of earlier ones that it goes on about.
        names_another: whether it puts something else in the place of what was named before (`And for tents?`).
    """

    text: str
    carried: tuple[str, ...] = ()
    names_another: bool = False


def standalone_question(question: str, earlier: Sequence[str]) -> str:
    """Return the question, with words of the earlier ones (oldest first) behind it when it leans on them.

    Small talk between them is passed over.
    """
    before: _Asked | None = None
    for said in earlier:
        if not is_small_talk(said):
            before = _following(said, before)
    return " ".join([question, *_following(question, before).carried])


def _following(question: str, before: _Asked | None) -> _Asked:
    """Put the question behind the one before it: what another like it had named makes room."""
    if before is None:
        return _Asked(question)
    own = _WORD.findall(before.text)
    language = language_of(" ".join([question, before.text, *before.carried]))
    if not _leans(question, language):
        return _Asked(question)
    names_another = _names_another(question, language)
    if names_another:
        own = [] if before.names_another else _without_place_of(question, own, language)
    words = (*own, *before.carried)
    said = set(terms(question, language))
    content = set(subject_terms(" ".join(words), language)) - said
    carried = dict.fromkeys(word for word in words if content & set(terms(word, language)))
    return _Asked(question, tuple(carried)[:_CARRIED], names_another)


def _without_place_of(question: str, before: list[str], language: str) -> list[str]:
    """Leave out what the question replaces: `jackets` of `the warranty on jackets` for `And for tents?`."""
    words = (_place(word, language) for word in _WORD.findall(question.lower()))
    place = next((place for place in words if place), ())
    at = next((n for n, word in enumerate(before) if word.lower() in place), len(before))
    aside = FUNCTION_WORDS.get(language, "").split()
    end = at
    while end < len(before) and before[end].lower() in aside:
        end += 1
    while end < len(before) and _goes_on(before[end], language, aside):
        end += 1
    left = before[:at] + before[end:]
    return left if any(word.lower() not in aside for word in left) else before


def _goes_on(word: str, language: str, aside: list[str]) -> bool:
    """In German up to the next word without a capital: that is the verb, more often than not."""
    return word.lower() not in aside and (language != "de" or word[0].isupper())


def _place(word: str, language: str) -> Sequence[str]:
    return next((place.split() for place in _PLACES.get(language, ()) if word in place.split()), ())


def _leans(question: str, language: str) -> bool:
    """By its opening, by a word that points back, or because it names nothing itself: `how long does it take?`."""
    text = question.strip().lower()
    aside = FUNCTION_WORDS.get(language, "").split()
    said = _WORD.findall(text)
    named = [word for word in said if word not in aside]
    if not said or not aside or len(named) > _LONGEST:
        return False
    return not named or _opens(text, language) or _points_back(text, language)


def _names_another(question: str, language: str) -> bool:
    text = question.strip().lower()
    return _opens(text, language) and not _points_back(text, language)


def _opens(text: str, language: str) -> bool:
    opening = _OPENINGS.get(language)
    return bool(opening and re.match(opening, text))


def _points_back(text: str, language: str) -> bool:
    back = _BACK.get(language)
    return bool(back and re.search(back, text))
