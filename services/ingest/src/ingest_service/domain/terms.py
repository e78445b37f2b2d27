"""Text as the terms that the lexical leg matches, and as BM25-weighted sparse vectors over their hashes.

Okapi BM25 (Robertson and Zaragoza 2009) splits into a document side, computed here when a passage is written, and the
inverse document frequency, which the index applies over the tenant's own passages when it is asked.
"""

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

import snowballstemmer

from ingest_service.domain import language, scripts
from ingest_service.domain.function_words import function_words

K1: Final = 1.2
B: Final = 0.6
USUAL_LENGTH: Final = 110
"""Terms of a usual passage. A constant: the true mean changes with every upload, and would re-weigh every vector."""

PART: Final = 5
PART_WEIGHT: Final = 0.3
"""What a shared part of a word weighs beside a shared word: enough to find `Rückgabefrist` by `Rückgabe`."""

PIECE_WEIGHT: Final = 0.5
"""What the letters or the digits of a word of both weigh: as much as the word together, where `500 ml` is `500ml`."""
MOST_PIECES: Final = 4
"""A word that changes between letters and digits more often is a code, of which no piece says anything."""

ASIDE_WEIGHT: Final = 0.05
"""What `how`, `long` or `take` weighs in a question: nothing in prose, where it is common, but much in a small shop."""

_COMPOUNDING: Final = frozenset({"da", "de", "fi", "hu", "nl", "no", "sv"})
_STEMMERS: Final = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
# runs of letters rather than one at a time, because every passage that is written or shown goes through this
_TOKEN: Final = re.compile(
    f"(?P<unspaced>[{scripts.UNSPACED}]+)|(?P<word>(?:[^\\W_{scripts.UNSPACED}]+|[{scripts.MARKS}]+)+)"
)
_WORD: Final = re.compile(f"(?:[^\\W_{scripts.UNSPACED}]+|[{scripts.MARKS}]+)+|[{scripts.UNSPACED}]")
_JOINERS: Final = re.compile("[\u00ad\u200b-\u200d\u2060\u0640]")
_APOSTROPHE: Final = re.compile("['\u2019](?:s\\b)?")
_FOLDED_SCRIPTS: Final = re.compile(f"[{scripts.LATIN}{scripts.GREEK}{scripts.CYRILLIC}]")
_PIECE: Final = re.compile(r"\d+|\D+")
_LATIN_MARKS: Final = re.compile("[\u0300-\u036f]")


@dataclass(frozen=True, slots=True)
class SparseVector:
    """Weights by term hash: `indices` are distinct unsigned 32-bit hashes, `values` has the same length."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


def passage_vector(text: str) -> SparseVector:
    """The document side of BM25: tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / usual length))."""
    text = normalised(text)
    spoken = language.candidates(text)[:1]
    found, inside = list[str](), list[str]()
    for match in _tokens(text):
        found += _terms_of(match, spoken)
        inside += _pieces(match.group(), spoken)
    scale = K1 * (1 - B + B * len(found) / USUAL_LENGTH)
    counts = Counter(found) + Counter(inside) + Counter(parts(found, spoken))
    return _vector((_hash(term), tf * (K1 + 1) / (tf + scale)) for term, tf in counts.items())


def query_vector(text: str) -> SparseVector:
    """Each term of the query once, stemmed by every language the query may be in: a stem of another finds nothing."""
    text = normalised(text)
    spoken = language.candidates(text)
    aside = function_words(spoken[0]) if spoken else frozenset()
    weights: dict[str, float] = {}
    for match in _tokens(text):
        weight = ASIDE_WEIGHT if match.group().lower() in aside else 1.0
        for term in _terms_of(match, tuple(spoken)):
            weights[term] = max(weights.get(term, 0.0), weight)
        for term in _pieces(match.group(), tuple(spoken)):
            weights[term] = max(weights.get(term, 0.0), PIECE_WEIGHT)
    named = [term for term, weight in weights.items() if weight == 1.0]
    whole = [(_hash(term), weight) for term, weight in weights.items()]
    return _vector(whole + [(_hash(part), PART_WEIGHT) for part in dict.fromkeys(parts(named, spoken))])


def parts(found: Iterable[str], spoken: Sequence[str]) -> list[str]:
    """Five-letter parts of the longer terms where a language glues words together; none elsewhere."""
    if _COMPOUNDING.isdisjoint(spoken):
        return []
    long = (term for term in found if len(term) > PART)
    return ["~" + term[start : start + PART] for term in long for start in range(len(term) - PART + 1)]


def normalised(text: str) -> str:
    """Compatibility forms as their usual letters, and without characters that only join or part the others."""
    return _JOINERS.sub("", unicodedata.normalize("NFKC", text))


def words(text: str) -> list[str]:
    """The words in reading order, in lower case, and the letters of scripts without spaces: for comparing texts."""
    return _WORD.findall(text.lower())


def _tokens(text: str) -> Iterator[re.Match[str]]:
    return _TOKEN.finditer(_APOSTROPHE.sub(" ", text))


def _terms_of(match: re.Match[str], spoken: tuple[str, ...]) -> Iterable[str]:
    return _bigrams(match.group()) if match.lastgroup == "unspaced" else _stems(match.group(), spoken)


def _pieces(word: str, spoken: tuple[str, ...]) -> list[str]:
    """Terms of the letters and digits of a word of both, so that `KLF2` and `Klf-2` meet; a letter alone is none."""
    if word.isalpha() or word.isdecimal():
        return []
    found = _PIECE.findall(word)
    if not 1 < len(found) <= MOST_PIECES:
        return []
    return [stem for piece in found if len(piece) > 1 or piece.isdecimal() for stem in _stems(piece, spoken)]


def _bigrams(run: str) -> Iterable[str]:
    return (first + second for first, second in pairwise(run)) if len(run) > 1 else (run,)


@lru_cache(maxsize=30_000)
def _stems(word: str, spoken: tuple[str, ...]) -> tuple[str, ...]:
    if "tr" in spoken:
        word = word.replace("I", "\u0131")
    word = word.lower().replace("i\u0307", "i")
    # a stemmer keeps state while it works and threads share this cache, so each miss makes its own: a few microseconds
    stems = (snowballstemmer.stemmer(_STEMMERS[code]).stemWord(word) for code in spoken if code in _STEMMERS)
    return tuple(dict.fromkeys(_fold(stem, spoken) for stem in stems)) or (_fold(word, spoken),)


def _fold(word: str, spoken: tuple[str, ...]) -> str:
    """Without accents, so that `cancion` finds `canción`; Vietnamese keeps its tones, other scripts their marks."""
    if spoken[:1] == ("vi",) or not _FOLDED_SCRIPTS.match(word):
        return word
    folded = unicodedata.normalize("NFC", _LATIN_MARKS.sub("", unicodedata.normalize("NFD", word)))
    return folded.replace("\u0131", "i").replace("\u00df", "ss")


def _hash(term: str) -> int:
    return zlib.crc32(term.encode())


def _vector(weights: Iterable[tuple[int, float]]) -> SparseVector:
    merged: dict[int, float] = {}
    for index, value in weights:
        merged[index] = merged.get(index, 0.0) + value
    return SparseVector(indices=tuple(merged), values=tuple(merged.values()))
