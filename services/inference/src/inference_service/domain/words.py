"""Words of a question and of sentences, made comparable: language, function words, stems, bigrams.

Enough to match a question with the sentences of a few passages. Finding the passages is the search's work.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import Final

import snowballstemmer

from inference_service.domain.function_words import FUNCTION_WORDS, UNSPACED_FUNCTION_WORDS

_STEMMERS: Final = {
    "ar": "arabic",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "hi": "hindi",
    "it": "italian",
    "nl": "dutch",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "tr": "turkish",
}

_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
)
_SCRIPTS: Final = (
    ("ja", re.compile("[\u3041-\u30ff]")),
    ("zh", re.compile("[\u3400-\u9fff]")),
    ("ko", re.compile("[\uac00-\ud7a3]")),
    ("th", re.compile("[\u0e01-\u0e5b]")),
    ("ar", re.compile("[\u0620-\u06ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("el", re.compile("[\u0370-\u03ff\u1f00-\u1fff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("he", re.compile("[\u05d0-\u05ea]")),
)
_MARKS: Final = "".join(chr(code) for code in range(0x300, 0x1000) if unicodedata.category(chr(code))[0] == "M")
_TOKEN: Final = re.compile(f"(?P<unspaced>[{_UNSPACED}]+)|(?:(?![{_UNSPACED}])[^\\W_]|[{re.escape(_MARKS)}])+")
_LATIN: Final = re.compile("[a-z\u00df-\u024f\u1e00-\u1eff]")
_VIETNAMESE: Final = re.compile("[ăơưđạ-ỹ]")
_POSSESSIVE: Final = re.compile("['\u2019]s\\b")
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200d\u2060\u0640\u064b-\u0652]")
"""Soft hyphens, joiners, and the Arabic vowel signs and stretching mark that some writers set and most leave out."""
_ACCENTED: Final = re.compile("[\u00df-\u024f]")
_ACCENTS: Final = {
    "de": frozenset("äöüß"),
    "es": frozenset("áéíóúüñ"),
    "fr": frozenset("àâæçèéêëîïôœùûüÿ"),
    "it": frozenset("àèéìòù"),
    "pt": frozenset("àáâãçéêíóôõú"),
    "nl": frozenset("éëïóöü"),
    "ro": frozenset("ăâîșțşţ"),
    "tr": frozenset("âçğıîöşü"),
    "pl": frozenset("ąćęłńóśźż"),
}
_ASKING: Final = {
    "de": frozenset({"kostet", "kosten"}),
    "es": frozenset({"cuesta", "cuestan"}),
    "fr": frozenset({"coûte", "coûtent"}),
    "it": frozenset({"costano"}),
    "pt": frozenset({"custa", "custam"}),
}
"""Words that tell the language of a short question, and are no function words: they are asked about."""
_SPANISH: Final = re.compile("[¿¡]")
_UKRAINIAN: Final = re.compile("[іїєґ]", re.IGNORECASE)
_NOT_RUSSIAN: Final = re.compile("[ўђјљњћџѓќѕ]|ъ(?![еёюя])", re.IGNORECASE)
_FOLDED: Final = re.compile("[\u0300-\u036f]")

IS_FUNCTION_WORD: Final = {code: frozenset(words.split()) for code, words in FUNCTION_WORDS.items()}
_UNSPACED_CUTS: Final = {
    code: re.compile("|".join(sorted(words.split(), key=len, reverse=True)))
    for code, words in UNSPACED_FUNCTION_WORDS.items()
}
_PART_OF_WORD: Final = 0.6
"""What a term counts that is part of a longer word, or has one as its part: compounds, mostly German ones."""
_PART: Final = 5
LATIN_LANGUAGES: Final = ("en", "de", "es", "fr", "it", "pt", "nl", "ro", "tr", "vi", "pl")


def language_of(text: str) -> str:
    """Return the two-letter code of the language a text is in, `und` when nothing speaks for one.

    By the script, and among those in Latin letters by their function words; a question of a few words is enough.
    """
    counts = {code: len(script.findall(text)) for code, script in _SCRIPTS}
    latin = len(_LATIN.findall(text.lower()))
    if counts["ja"] and counts["ja"] * 10 >= counts["zh"] and counts["ja"] + counts["zh"] > latin // 3:
        return "ja"
    code = max(counts, key=counts.__getitem__)
    weight = 3 if code in ("zh", "ko") else 1  # one of these characters says as much as three letters
    if counts[code] * weight > latin:
        return code
    return _latin_language(text.lower()) if latin else "und"


def told_in(text: str) -> str:
    """Return the language to tell its writer something in.

    As `language_of`, but nobody is answered in Russian whose letters are not: `uk`, or `und` for further languages.
    """
    language = language_of(text)
    if language != "ru":
        return language
    return "uk" if _UKRAINIAN.search(text) else "und" if _NOT_RUSSIAN.search(text) else language


def terms(text: str, language: str) -> list[str]:
    """Return a text's terms in reading order: stems of words, bigrams of what is written without spaces."""
    found: list[str] = []
    for match in _TOKEN.finditer(_normal(text)):
        if match.lastgroup == "unspaced":
            found += _bigrams(match.group())
        else:
            found.append(_stem(match.group(), language))
    return found


def content_terms(question: str, language: str) -> tuple[str, ...]:
    """Return the distinct terms of a question without its function words, or all of them when no others are left."""
    return subject_terms(question, language) or tuple(dict.fromkeys(terms(question, language)))


def subject_terms(text: str, language: str) -> tuple[str, ...]:
    """Return the distinct terms of a text without its function words: none when it holds no others."""
    text = _normal(text)
    if cuts := _UNSPACED_CUTS.get(language):
        text = cuts.sub(" ", text)
    dropped = IS_FUNCTION_WORD.get(language, frozenset())
    words = (match.group() for match in _TOKEN.finditer(text))
    return tuple(dict.fromkeys(terms(" ".join(word for word in words if word not in dropped), language)))


def named(term: str, there: frozenset[str]) -> float:
    """Return how well a set of terms names one: 1, less when only as part of a word, or 0."""
    if term in there:
        return 1.0
    if len(term) < _PART:
        return 0.0
    is_part = any(len(other) >= _PART and (term in other or other in term) for other in there)
    return _PART_OF_WORD if is_part else 0.0


def _normal(text: str) -> str:
    return _POSSESSIVE.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))).lower()


def _bigrams(run: str) -> list[str]:
    return [first + second for first, second in pairwise(run)] if len(run) > 1 else [run]


@lru_cache(maxsize=30_000)
def _stem(word: str, language: str) -> str:
    if name := _STEMMERS.get(language):
        word = snowballstemmer.stemmer(name).stemWord(word)
    if language == "vi" or not _LATIN.match(word):
        return word
    return _FOLDED.sub("", unicodedata.normalize("NFD", word)).replace("ß", "ss").replace("\u0131", "i")


def _latin_language(text: str) -> str:
    if len(_VIETNAMESE.findall(text)) * 12 > len(text):
        return "vi"
    words = re.findall(r"[^\W\d_]+", text)
    scores = {
        code: sum(word in IS_FUNCTION_WORD[code] or word in _ASKING.get(code, ()) for word in words)
        for code in LATIN_LANGUAGES
    }
    accents = {letter for letter in text if _ACCENTED.match(letter)}
    # of equals the one that writes all these letters: `was` is an English word too
    best = max(scores, key=lambda code: (scores[code], -len(accents - _ACCENTS.get(code, frozenset()))))
    # no other language opens a question with a mark
    return best if scores[best] else "es" if _SPANISH.search(text) else "und"
