"""Texts in an encoding of one country or region, which do not say which: told by the letters and words of languages.

What each encoding makes of the bytes is compared with what a language looks like. Latin languages share most letters,
so that the letters beyond ASCII must all be of one language; in other scripts the commonest letters must be common.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from ingest_service.domain.language import COMMON_WORDS

LOOKED_AT: Final = 16_384
"""Bytes, of lines that are not ASCII, from which it is guessed."""
LIKELY: Final = 0.9
"""Likeness from which a text may be in a language."""
MOST_BY_WORDS: Final = 0.4
"""What common words add at most: the letters decide, words between those that fit alike."""
MOST_BY_FREQUENCY: Final = 0.5
"""The same by common letters of another script, which are half of them or more; capitals make it less likely."""
_CENTRAL: Final = {
    "cs": "áčďéěíňóřšťúůýž", "pl": "ąćęłńóśźż", "hu": "áéíóöőúüű", "ro": "ăâîşţ", "sk": "áäčďéíĺľňóôŕšťúýž",
    "hr": "čćđšž", "sl": "čšž",
}  # fmt: skip
_LATIN: Final = {
    "cp1252": {
        "en": "éèêëïôöüçñáíóà", "de": "äöüß", "fr": "àâæçéèêëîïôœùûüÿ", "es": "áéíñóúü¿¡ªº", "it": "àèéìíòóùú",
        "pt": "ãáâàçéêíóôõúüªº", "nl": "éëïóöüèêç", "sv": "åäöé", "da": "æøåé", "no": "æøåéòô", "fi": "äöåšž",
        "is": "áéíóúýðþæö", "ca": "àçèéíïòóúü·",
    },
    "cp1250": _CENTRAL,
    "iso8859-2": _CENTRAL,
    "cp1254": {"tr": "çğıöşüâîû\u0307"},
    "cp1257": {"lt": "ąčęėįšųūž", "lv": "āčēģīķļņšūž", "et": "äõöüšž"},
}  # fmt: skip
_OTHER: Final = {
    "cp1251": ("\u0400-\u045f\u0490\u0491", "оеаинтсрвліъ"),
    "koi8-u": ("\u0400-\u045f\u0490\u0491", "оеаинтсрвліъ"),
    "cp866": ("\u0400-\u045f", "оеаинтсрвліъ"),
    "iso8859-5": ("\u0400-\u045f", "оеаинтсрвліъ"),
    "cp1253": ("\u0384-\u03ce", "αοιετσνηρςκπ"),
    "cp1255": ("\u05d0-\u05ea", "יוהלאתמרבש"),
    "cp1256": ("\u060c-\u0652\u067e\u0686\u0698\u06af", "اليمنوترهب"),
    "cp874": ("\u0e01-\u0e5b", "านรกเงมยลวดท่"),
    "shift_jis": ("\u3001-\u30ff\u3400-\u9fff\uff01-\uff60", "\u3041-\u3093"),
    "euc_jp": ("\u3001-\u30ff\u3400-\u9fff\uff01-\uff60", "\u3041-\u3093"),
    "gb18030": (
        "\u3001-\u3011\u3400-\u9fff\uff01-\uff60",
        (
            "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多"
            "经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日货退回请内"
        ),
    ),
    "big5": (
        "\u3001-\u3011\u3400-\u9fff\uff01-\uff60",
        (
            "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多"
            "經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日貨退回請內"
        ),
    ),
    "euc_kr": (
        "\uac00-\ud7a3\u3001-\u3011",
        "이다는을가에의고하지은를로한서도기사자어리나시아인해일대수있제정으전보스부주니요",
    ),
}
"""Of a script: its letters, and those of them that are a third of a text or more."""
_FEWEST_COMMON: Final = 0.2
_SHORTEST: Final = 3
"""Letters of the longest word: an accented letter alone is a word of French."""
_MOST_TURNS: Final = 10
"""Of so many letters one may be a capital behind a small one, as where words were joined."""
_NEUTRAL: Final = re.compile(
    "[\u2010-\u2026\u20ac\u2122\u00a0\u00a7\u00a9\u00ab\u00ad\u00ae\u00b0\u00b4\u00bb\u2030\u2039\u203a]"
)
_BEYOND: Final = re.compile("[^\x00-\x7f]")
_WORD: Final = re.compile(r"\w+")


class Guess(NamedTuple):
    """An encoding, and how alike the text in it is to one of a language: above 0, and `LIKELY` or more if it may be."""

    encoding: str
    likeness: float


def guess(data: bytes) -> Guess | None:
    """The likeliest encoding of a text that is neither UTF-8 nor UTF-16; None when it is like no language."""
    sample = b"\n".join(line for line in data.splitlines() if not line.isascii())[:LOOKED_AT]
    found = max(_guesses(sample), key=lambda each: each.likeness, default=None)
    return found if found is not None and found.likeness >= LIKELY else None


def _guesses(sample: bytes) -> Iterator[Guess]:
    """The first of equals is the commonest."""
    for encoding, languages in _LATIN.items():
        text = _decoded(sample, encoding)
        if text is not None:
            yield Guess(encoding, _latin(text.lower(), languages))
    for encoding, (letters, common) in _OTHER.items():
        text = _decoded(sample, encoding)
        if text is not None:
            yield Guess(encoding, _other(text, letters, common))


def _decoded(sample: bytes, encoding: str) -> str | None:
    """None when these bytes are not of that encoding; the last character may be cut."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return None


def _latin(text: str, languages: Mapping[str, str]) -> float:
    """How alike a text in small letters is to that language which it is most alike to."""
    beyond, words = Counter(_BEYOND.findall(_NEUTRAL.sub("", text))), Counter(_WORD.findall(text))
    letters_in_all, words_in_all = max(beyond.total(), 1), max(words.total(), 1)

    def likeness(language: str, letters: str) -> float:
        share = sum(beyond[letter] for letter in letters) / letters_in_all if beyond else 1.0
        common = sum(words[word] for word in _common_words(language)) / words_in_all
        return share + min(common, MOST_BY_WORDS)

    return max(likeness(language, letters) for language, letters in languages.items())


def _other(text: str, letters: str, common: str) -> float:
    """Letters count in words of their own script: one within a Latin word is a Latin letter that was read wrongly."""
    beyond = _BEYOND.findall(_NEUTRAL.sub("", text))
    of_script = re.compile(f"(?<![A-Za-z])[{letters}]+(?![A-Za-z])")
    runs = of_script.findall(text)
    own = "".join(runs)
    frequent = len(re.findall(f"[{common}]", own, re.IGNORECASE)) / max(len(own), 1)
    if max(map(len, runs), default=0) < _SHORTEST or frequent < _FEWEST_COMMON:
        return 0.0
    if sum(before.islower() and after.isupper() for run in runs for before, after in pairwise(run)) * _MOST_TURNS > len(
        own
    ):
        return 0.0
    small = sum(letter.islower() or letter.lower() == letter.upper() for letter in own) / max(len(own), 1)
    return min(len(own) / len(beyond), 1.0) + frequent * MOST_BY_FREQUENCY * (1 + small) / 2


@lru_cache(maxsize=32)
def _common_words(language: str) -> frozenset[str]:
    return frozenset(COMMON_WORDS.get(language, "").split())
