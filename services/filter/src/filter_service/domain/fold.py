"""Folding: the form in which texts and terms are compared, character by character.

A character is folded alone, never with its neighbours, so that a stream folds the same however it was cut. The fold
is NFKD, casefold, NFKD again; every decimal digit becomes 0-9, every dash `-`, and what has no width of its own (zero
width joiners, soft hyphens, variation selectors) becomes nothing. NFC and NFD spellings and full-width letters meet.
"""

import unicodedata
from functools import lru_cache

# Default ignorable characters that are not of category Cf: combining grapheme joiner, Hangul fillers,
# variation selectors (Unicode 15, DerivedCoreProperties, Default_Ignorable_Code_Point).
_IGNORABLE = (
    (0x034F, 0x034F),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFA0),
    (0xE0100, 0xE01EF),
)

# Scripts written without spaces between words (Thai, Lao, Myanmar, Khmer, kana, Han and their extensions): there a word
# boundary cannot be seen, so none is asked for.
UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3005, 0x3007),
    (0x3040, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


@lru_cache(maxsize=16_384)
def fold_char(char: str) -> str:
    """The folded form of one character: usually one character, sometimes several, "" for an ignorable one."""
    if unicodedata.category(char) == "Cf" or _within(char, _IGNORABLE):
        return ""
    decomposed = unicodedata.normalize("NFKD", char).casefold()
    return "".join(map(_plain, unicodedata.normalize("NFKD", decomposed)))


def fold(text: str) -> str:
    """The folded form of a text: the folds of its characters, joined."""
    if text.isascii():
        return text.lower()
    return "".join(map(fold_char, text))


@lru_cache(maxsize=16_384)
def joins_words(char: str) -> bool:
    """Whether a folded character belongs to the word beside it: letters, digits, `_` and marks, in spaced scripts."""
    if _within(char, UNSPACED):
        return False
    return char.isalnum() or char == "_" or unicodedata.category(char).startswith("M")


def _plain(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category == "Pd":
        return "-"
    return " " if category == "Zs" else char


def _within(char: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    point = ord(char)
    return any(first <= point <= last for first, last in ranges)
