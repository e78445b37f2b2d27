# ruff: noqa: RUF001 - the words of many languages: letters that look like Latin ones are meant
"""Times of day in a text, by the twelve hours of a clock: `18:00`, `6 p.m.`, `18 Uhr` and `下午6点` are one."""

import re
from typing import Final, NamedTuple

_MORNING: Final = (
    r"a\.\s?m\b\.?|am\b|morgens\b|vormittags\b|de la mañana\b|da manhã\b|du matin\b|del mattino\b|صباحا|"
    r"上午|早上|早晨|凌晨"
)
_LATER: Final = (
    r"p\.\s?m\b\.?|pm\b|nachmittags\b|abends\b|de la (?:tarde|noche)\b|da (?:tarde|noite)\b|de l'après-midi\b|"
    r"du soir\b|di sera\b|مساء|下午|晚上|傍晚|中午"
)
_CLOCK: Final = r"uhr\b|点|點|时(?!间|代|期)|時(?!間|代|期)"
_TIME: Final = re.compile(
    rf"(?:(?P<before>{_MORNING}|{_LATER})\s?)?(?<![\d.,:a-z])"
    r"(?:(?P<from>\d{1,2})(?:[:.](?P<from_minute>[0-5]\d))?\s?(?:[-–—~]|to|until|bis|und|and|à|至|到)\s?)?"
    r"(?P<hour>2[0-4]|[01]?\d)(?!\d)"
    r"(?:(?P<sign>[:.]|\s?h\s?|\s?(?:点|點|时|時))(?P<minute>[0-5]\d)(?!\d|[.,:]\d))?"
    rf"(?:\s?(?P<clock>{_CLOCK}))?(?P<half>半)?"
    rf"(?:\s?(?P<after>{_MORNING}|{_LATER}))?"
)
_IS_MORNING: Final = re.compile(_MORNING)
_NO_BARE: Final = ("am", "pm")
"""Where `am` is a preposition, only `a.m.` is a mark."""
_NOON: Final = 12


class TimeOfDay(NamedTuple):
    """`half` is `am`, `pm`, or empty where the text leaves it open."""

    hour: int
    minute: int
    half: str


def take_times(text: str, language: str) -> tuple[list[TimeOfDay], str]:
    """Return the times of day in a text that is in lower case, and the text without them."""
    found: list[TimeOfDay] = []

    def take(match: re.Match[str]) -> str:
        mark = match["before"] or match["after"] or ""
        if language == "de" and mark in _NO_BARE:
            mark = ""
        is_written_so = bool(match["minute"]) and match["sign"] != "."
        if not (mark or match["clock"] or is_written_so):
            return match.group()
        if match["from"]:
            found.append(_time(int(match["from"]), int(match["from_minute"] or 0), ""))
        half = "" if not mark else "am" if _IS_MORNING.fullmatch(mark) else "pm"
        found.append(_time(int(match["hour"]), int(match["minute"] or (30 if match["half"] else 0)), half))
        return " ; "

    rest = _TIME.sub(take, text)
    return found, rest


def _time(hour: int, minute: int, half: str) -> TimeOfDay:
    if not half and (hour > _NOON or hour == 0):
        half = "am" if hour in (0, 2 * _NOON) else "pm"
    return TimeOfDay(hour % _NOON or _NOON, minute, half)
