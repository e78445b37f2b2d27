"""Unicode ranges of the writing systems that decide how text is cut into terms."""

import re
import unicodedata
from typing import Final

HAN: Final = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
KANA: Final = "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
HANGUL: Final = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3"
THAI: Final = "\u0e01-\u0e3a\u0e40-\u0e4e"
LAO: Final = "\u0e81-\u0ebd\u0ec0-\u0ecd"
MYANMAR: Final = "\u1000-\u103f\u1050-\u109d"
KHMER: Final = "\u1780-\u17d3"
ARABIC: Final = "\u0620-\u065f\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f"
HEBREW: Final = "\u05d0-\u05ea"
DEVANAGARI: Final = "\u0900-\u0963\u0970-\u097f"
TAMIL: Final = "\u0b80-\u0bff"
ARMENIAN: Final = "\u0531-\u0587"
GREEK: Final = "\u0370-\u03ff\u1f00-\u1fff"
CYRILLIC: Final = "\u0400-\u052f"
LATIN: Final = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"

# scripts that are written without spaces between words, and Hangul, whose particles are glued to the word
UNSPACED: Final = HAN + KANA + HANGUL + THAI + LAO + MYANMAR + KHMER


def _mark_class() -> str:
    """Combining marks below U+2100: vowel signs belong to their word, but a word character of `re` they are not."""
    return "".join(chr(code) for code in range(0x300, 0x2100) if unicodedata.category(chr(code))[0] == "M")


MARKS: Final = re.escape(_mark_class())
