"""Whether a text is surely in another language than another one: where in doubt, it is not."""

import re
from typing import Final

from inference_service.domain.words import IS_FUNCTION_WORD, LATIN_LANGUAGES, language_of

_CERTAIN: Final = 2
"""Different function words that tell a passage's language; an answer may be as short as its first sentence."""
_LEAST: Final = 0.1
"""Share of a text's words that are function words of its language: in what only resembles it there are fewer."""
_MOST: Final = 0.25
"""Part of these that another language may have before the text may be in both."""
_SOME: Final = 0.2
"""Share of the letters of another script from which on a text is in both."""
_WIDE: Final = 3
"""Letters that a Chinese character or a syllable of Hangul counts for."""
_SHARED: Final = 0.5
"""Share of a sentence's words from which on it is in the language of the text that has them, whatever that is."""
_SHORT: Final = 4
"""Letters of a word below which it says nothing."""
_WORD: Final = re.compile(r"[^\W\d_]+")
_WIDE_LETTER: Final = re.compile("[\u3400-\u9fff\uac00-\ud7a3]")
_LATIN_LETTER: Final = re.compile("[a-zA-Z\u00c0-\u024f\u1e00-\u1eff]")


def other_language(text: str, language: str, *, certain: int = _CERTAIN) -> str:
    """Return the language of a text when it is surely another than that one; empty when it may be the same.

    `certain` is how many different function words tell it, where both are written in Latin letters. With one the text
    is an answer, which has names in other letters than its own.
    """
    own = language_of(text)
    if "und" in (own, language) or own == language:
        return ""
    if own in LATIN_LANGUAGES and language in LATIN_LANGUAGES:
        return own if _is_told(text, own, language, certain) else ""
    if certain < _CERTAIN:
        return own
    letters = "".join(_WORD.findall(text))
    latin = len(_LATIN_LETTER.findall(letters))
    others = len(letters) - latin + (_WIDE - 1) * len(_WIDE_LETTER.findall(letters))
    if own in LATIN_LANGUAGES:
        return own if others < _SOME * latin else ""
    return own if language not in LATIN_LANGUAGES or latin < _SOME * others else ""


def shares_words(sentence: str, text: str) -> bool:
    """Whether most words of a sentence stand in a text as they are: a language that is not known was taken for two.

    Names are left out, for they stand in any language.
    """
    words = (word for word in _WORD.findall(sentence) if len(word) >= _SHORT and word.islower())
    said = {word for word in words if _LATIN_LETTER.match(word)}
    return len(said) > 1 and len(said & {*_WORD.findall(text)}) > _SHARED * len(said)


def _is_told(text: str, own: str, language: str, certain: int) -> bool:
    words = [word.casefold() for word in _WORD.findall(text)]
    mine, other = IS_FUNCTION_WORD[own], IS_FUNCTION_WORD[language]
    own_words = [word for word in words if word in mine]
    told = [word for word in own_words if word not in other]
    against = sum(word in other and word not in mine for word in words)
    return len(set(told)) >= certain and len(own_words) >= _LEAST * len(words) and against <= _MOST * len(told)
