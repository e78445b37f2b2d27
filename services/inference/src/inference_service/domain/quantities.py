# ruff: noqa: RUF001 - the words of many languages: letters that look like Latin ones are meant
"""The numbers, sums of money, measures, times of day and calendar names in a text, made comparable.

They are what a wrong answer does most harm with, and what similarity sees least: `45 days` is as near to `30 days` as
one sentence can be to another. They are also what stays when a text is said in another language.
"""

import re
import unicodedata
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Final, NamedTuple

from inference_service.domain.quantity_words import (
    CALENDAR,
    SCALES,
    SPELLED,
    UNITS,
    UNITS_IN_ONE,
    UNSPACED_DIGITS,
    UNSPACED_SCALES,
    UNSPACED_UNITS,
    UNSPACED_WEEKDAY,
    VERBS_TOO,
)
from inference_service.domain.times_of_day import take_times

_SIGNS: Final = {sign: UNITS[sign] for sign in "€$£¥￥"}
_SIGNS_PLAIN: Final = str.maketrans({"٪": "%", "٫": ".", "٬": ",", "ـ": None, "’": "'"})
_NUMBER: Final = re.compile(
    r"(?<![a-zà-ÿ])[a-zà-ÿ]+\d[a-zà-ÿ\d/]*(?:\.\d+)?|"  # a name: of `OCT3/4` and `USB3.1` no part is a number
    r"(?P<sign>[€$£¥￥]\s?)?(?<![a-zà-ÿ])"
    r"(?P<number>(?<![\d.,])\d{1,3}(?: \d{3})+(?![\d.,]*\d)|\d+(?:[.,']\d+)*)"
)
_AFTER: Final = re.compile(r"[\s-]?(?P<sign>[%€$£¥])|[\s-]?(?P<words>[^\W\d_]+\.?(?:\s[^\W\d_]+)*)")
_WORD: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_UNSPACED_NUMBER: Final = re.compile(
    f"(?P<percent>百分之)?(?P<number>[{''.join((*UNSPACED_DIGITS, *UNSPACED_SCALES))}]{{1,16}})"
)
_ROMAN: Final = re.compile(r"\b(?:siglos?|secolo|século) (?P<of>[ivxl]{1,8})\b|\b(?P<french>[ivxl]{1,8})e (?:siècle)")
_DECADE: Final = re.compile(
    r"(?P<century>\d{1,2})世纪(?P<of>\d0)年代|(?P<year>\d{1,3}0)(?:s|er|年代)(?![a-z])|"
    r"\b(?:años|années|anni|anos) (?P<named>\d0)\b"
)
_SPELLED_DECADE: Final = re.compile(r"\b(?:años|années|anni|anos) (?P<of>[^\W\d_]+)")
_SHORT_YEAR: Final = re.compile(r"(?<!\d)(\d\d)(\d\d)[-–/](\d\d)(?![\d-])")
_UNIT_NAME: Final = re.compile(r"[^\W\d_]+|[%€$£¥]")
_GROUPED: Final = re.compile(r"\d{1,3}(?:([., '])\d{3})(?:\1\d{3})*")
_NO_UNIT: Final = re.compile("元[组素旦首件年]|日[本常]|月亮|周[边围长]|米[饭粉]|升级|年[级轻]")
"""Words that only begin like a unit."""
_ARABIC_PREFIX: Final = re.compile("^(?:[وفبلك]?ال|لل|[وفبلك])(?=..)")
_NEAR: Final = 8
"""Characters around a month's name in which a number makes it one."""
_SHORT: Final = 2
"""Digits of a decade without its century."""
_UNSURE: Final = ("zh", "ja", "ar")
"""Languages in which the word of a number is often part of another word, or stands without counting."""
_AHEAD: Final = 40
"""Characters behind a number in which its unit stands."""


class Quantity(NamedTuple):
    """A value in canonical digits (`1000`, `9.9`; `6:30` of twelve hours), and its unit; an unknown unit is empty."""

    value: str
    unit: str


_LOOSE: Final = (Quantity("10", "year"),)
"""`十年` is a decade as often as ten years."""


class _Found(NamedTuple):
    quantity: Quantity
    is_spelled: bool = False


def quantities(text: str, language: str) -> frozenset[Quantity]:
    """Return what a text counts, measures and dates, whatever way it is written."""
    if language in _UNSURE:
        return firm(text, language)
    return readings(text, language)


def firm(text: str, language: str) -> frozenset[Quantity]:
    """Return those that a translation keeps: `both` may become `two`, but not `a few weeks` two weeks."""
    return frozenset(
        one
        for one, is_spelled in _found(text, language)
        if not is_spelled or (one.unit and one.value != "1" and one not in _LOOSE)
    )


def readings(text: str, language: str) -> frozenset[Quantity]:
    """Return all that a text may be saying: `一` alone is a number in few places."""
    return frozenset(one for one, _ in _found(text, language))


def missing(claimed: frozenset[Quantity], there: frozenset[Quantity]) -> frozenset[Quantity]:
    """Return those claimed that are not there; a unit that either side does not name is taken to be the same."""
    return frozenset(one for one in claimed if not any(_is_same(one, other) for other in there))


def names_unit(text: str, units: AbstractSet[str], language: str) -> bool:
    """Whether a text has a word or sign for one of the units, with a number or without one: `an hour`."""
    plain = unicodedata.normalize("NFKC", text).lower()
    if any(UNITS[word] in units for word in UNSPACED_UNITS if word in plain):
        return True
    words = (word for word in _UNIT_NAME.findall(plain) if UNITS_IN_ONE.get(word, language) == language)
    return any(UNITS.get(word) in units for word in words)


def _is_same(one: Quantity, other: Quantity) -> bool:
    if one.unit == other.unit == "decade" and _SHORT in (len(one.value), len(other.value)):
        return one.value[-_SHORT:] == other.value[-_SHORT:]
    if one.value == other.value:
        return one.unit == other.unit or not one.unit or not other.unit
    return _is_hour(one, other) or _is_hour(other, one)


def _is_hour(time: Quantity, bare: Quantity) -> bool:
    """Whether a time of day is the full hour that a bare number says: `6 p.m.` and `de 9 a 18`."""
    hour, _, minute = time.value.partition(":")
    if minute != "00" or bare.unit not in ("", "hour"):
        return False
    return bare.value in ({hour} if time.unit == "am" else {hour, str(int(hour) % 12 + 12)})


def _found(text: str, language: str) -> Iterator[_Found]:
    plain = unicodedata.normalize("NFKC", text.translate(_SIGNS_PLAIN)).lower()
    plain = "".join(str(unicodedata.digit(sign, sign)) if sign.isdigit() else sign for sign in plain)
    times, plain = take_times(plain, language)
    yield from (_Found(Quantity(f"{one.hour}:{one.minute:02}", one.half)) for one in times)
    plain = _SHORT_YEAR.sub(r"\1\2 - \1\3", plain)
    for match in _DECADE.finditer(plain):
        century = str(int(match["century"]) - 1) if match["century"] else ""
        yield _Found(Quantity(century + (match["of"] or match["year"] or match["named"]), "decade"))
    for match in _SPELLED_DECADE.finditer(plain):
        if tens := SPELLED.get(language, {}).get(match["of"], ""):
            yield _Found(Quantity(tens, "decade"), is_spelled=True)
    plain = _DECADE.sub(" ", plain)
    yield from (_Found(Quantity(_roman(match["of"] or match["french"]), "")) for match in _ROMAN.finditer(plain))
    yield from _in_digits(plain, language)
    yield from _in_words(plain, language)
    if language in ("zh", "ja"):
        yield from _in_unspaced(plain)


def _roman(number: str) -> str:
    values = [{"i": 1, "v": 5, "x": 10, "l": 50}[sign] for sign in number]
    return str(sum(-one if one < after else one for one, after in zip(values, [*values[1:], 0], strict=True)))


def _in_digits(text: str, language: str) -> Iterator[_Found]:
    for match in _NUMBER.finditer(text):
        if match["number"] is None:
            continue
        sign = _SIGNS.get((match["sign"] or "").strip(), "")
        for value in _values(match["number"]):
            yield _Found(_measured(value, sign, text[match.end() : match.end() + _AHEAD], language))


def _values(number: str) -> Iterator[str]:
    """Read `1,000`, `1.000` and `1 000` as a thousand, `9.90` and `9,9` as 9.9, `2024.05.01` as three numbers."""
    if _GROUPED.fullmatch(number):
        yield re.sub(r"\D", "", number).lstrip("0") or "0"
        return
    parts = re.split(r"[^\d]", number)
    if len(parts) == 1:
        yield parts[0].lstrip("0") or "0"
        return
    whole, fraction = "".join(parts[:-1]), parts[-1].rstrip("0")
    if len(parts) == 2 or all(len(part) == 3 for part in parts[1:-1]):  # noqa: PLR2004 - thousands come in threes
        yield (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")
        return
    yield from (part.lstrip("0") or "0" for part in parts)


def _measured(value: str, unit: str, after: str, language: str) -> Quantity:
    """Return a number with the scale and the unit that stand behind it: `3 million euros`, `5 working days`, `30天`."""
    scales = SCALES.get(language, {})
    while after[:1] in UNSPACED_SCALES:
        value, after = _times(value, UNSPACED_SCALES[after[0]]), after[1:]
    for sign in UNSPACED_UNITS:
        if after.removeprefix(" ").startswith(sign) and not _NO_UNIT.match(after.lstrip()):
            is_month = UNITS[sign] == "month" and sign == "月"
            return Quantity(value, unit or ("month name" if is_month else UNITS[sign]))
    match = _AFTER.match(after)
    if match is None:
        return Quantity(value, unit)
    if match["sign"]:
        return Quantity(value, unit or UNITS[match["sign"]])
    words = [word.rstrip(".") for word in match["words"].split()]
    while words and words[0] in scales:
        value = _times(value, scales[words.pop(0)])
    # `5 working days`, `3 millones de euros`: the unit may be the second word
    return Quantity(value, unit or next((UNITS[word] for word in words[:2] if word in UNITS), ""))


def _times(value: str, scale: int) -> str:
    return format((Decimal(value) * scale).normalize(), "f")


def _in_words(text: str, language: str) -> Iterator[_Found]:
    spelled, calendar = SPELLED.get(language, {}), CALENDAR.get(language, {})
    for match in _WORD.finditer(text):
        word = match.group()
        if "-" in word and word not in spelled:
            word, _, behind = word.partition("-")  # `a two-year warranty`
            if word in spelled:
                yield _Found(_measured(spelled[word], "", f" {behind}", language), is_spelled=True)
            continue
        if language == "ar" and word not in spelled and word not in calendar:
            word = _ARABIC_PREFIX.sub("", word)
        if word in spelled:
            yield _Found(
                _measured(spelled[word], "", text[match.end() : match.end() + _AHEAD], language), is_spelled=True
            )
            continue
        named = calendar.get(word, calendar.get(word.removesuffix("s"), ("", "")))
        if word in calendar or named[1] == "weekday":  # `montags`; but `mais` is no month
            beside = text[max(0, match.start() - _NEAR) : match.end() + _NEAR]
            if word not in VERBS_TOO or any(map(str.isdigit, beside)):
                yield _Found(Quantity(*named))


def _in_unspaced(text: str) -> Iterator[_Found]:
    """Read Chinese numbers (`三十天`) and names of weekdays."""
    for match in UNSPACED_WEEKDAY.finditer(text):
        yield _Found(Quantity(str(min("一二三四五六日天".index(match[1]) + 1, 7)), "weekday"))
    for match in _UNSPACED_NUMBER.finditer(UNSPACED_WEEKDAY.sub(" ", text)):
        if text[match.start() - 1 : match.start()].isdigit():
            continue  # `3万`
        unit = "%" if match["percent"] else ""
        value = str(_unspaced_value(match["number"]))
        yield _Found(_measured(value, unit, text[match.end() : match.end() + _AHEAD], "zh"), is_spelled=True)


def _unspaced_value(number: str) -> int:
    if not any(sign in UNSPACED_SCALES for sign in number):
        return int("".join(str(UNSPACED_DIGITS[sign]) for sign in number))
    total = section = digit = 0
    for sign in number:
        scale = UNSPACED_SCALES.get(sign, 0)
        if not scale:
            digit = UNSPACED_DIGITS[sign]
        elif scale < UNSPACED_SCALES["万"]:
            section, digit = section + (digit or 1) * scale, 0
        else:
            total, section, digit = total + ((section + digit) or 1) * scale, 0, 0
    return total + section + digit
