"""Whether the first row of a table that nothing marks as its header is one, or says values as the rows below it do.

Lists of names and values (`Weight | 17.8 kg`), hours of opening and lists of contacts have no header. Taken for one,
the first row would be said of every other: `Width: 3.40 m 0.92 m`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

Table = Sequence[Sequence[str]]

_KINDS: Final = (
    ("mail", re.compile(r".*\S@\S+\.\S.*", re.DOTALL)),
    ("web", re.compile(r"(?:https?://|www\.).*", re.DOTALL)),
    ("phone", re.compile(r"(?=(?:\D*\d){7})[+(0][\d\s()/.-]+")),
    ("date", re.compile(r"\d{4}-\d{2}-\d{2}.*|\d{1,2}([./])\d{1,2}\1(?:\d{4}|\d{2})\b.*", re.DOTALL)),
    (
        "time",
        re.compile(
            r".*\b\d{1,2}[:h]\d{2}\b.*|.*\d\s?(?:uhr|[ap]\.?m)\b.*|\d{1,2}(?:\.\d{2})?\s?[-\u2013\u2014]\s?\d{1,2}(?:\.\d{2})?",
            re.IGNORECASE | re.DOTALL,
        ),
    ),
    (
        "sum",
        re.compile(r"(?=.*\d).*(?:[\u20ac$\u00a3\u00a5]|\b(?:EUR|USD|GBP|CHF|euros?)\b).*", re.IGNORECASE | re.DOTALL),
    ),
    ("number", re.compile(r"[-+(]?\d[\d.,\s]*[)%]?")),
)
_MEASURE: Final = re.compile(r"[<>\u2264\u2265\u00b1~]?\s?\d[\d.,\s/x\u00d7]*\s?([^\W\d_]+|\u00b0\s?[CF]|[\"\u2033])")
_DAYS: Final = re.compile(
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|(?:mon|diens|donners|frei|sams|sonn)tags?|mittwochs?|sonnabends?"
    r"|lunes|martes|mi[e\u00e9]rcoles|jueves|viernes|s[a\u00e1]bados?|domingos?|lundi|mardi|mercredi|jeudi|vendredi|samedi"
    r"|dimanche|luned[i\u00ec]|marted[i\u00ec]|mercoled[i\u00ec]|gioved[i\u00ec]|venerd[i\u00ec]|sabato|domenica"
    r"|(?:segunda|ter\u00e7a|quarta|quinta|sexta)(?:-feira)?|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag"
    r"|poniedzia\u0142ek|wtorek|\u015broda|czwartek|pi\u0105tek|sobota|niedziela"
    r"|\u043f\u043e\u043d\u0435\u0434\u0435\u043b\u044c\u043d\u0438\u043a|\u0432\u0442\u043e\u0440\u043d\u0438\u043a"
    r"|\u0441\u0440\u0435\u0434\u0430|\u0447\u0435\u0442\u0432\u0435\u0440\u0433|\u043f\u044f\u0442\u043d\u0438\u0446\u0430"
    r"|\u0441\u0443\u0431\u0431\u043e\u0442\u0430|\u0432\u043e\u0441\u043a\u0440\u0435\u0441\u0435\u043d\u044c\u0435"
    r"|(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so)(?=[\s.\u2013-]|$))\b|(?:\u661f\u671f|\u5468|\u9031)[\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u65e5\u5929]",
    re.IGNORECASE,
)
_CONTACTS: Final = frozenset({"mail", "web", "phone"})
_LONGEST: Final = 80
"""Characters of a value; what is longer is text, and would take long to be looked through."""
_PAIR: Final = 2
_LOOKED_AT: Final = 50
"""Rows below the first: a table of a hundred thousand rows tells itself by its first ones."""


def is_pairs(table: Table) -> bool:
    """Whether it may be a list of names and values, which has no header."""
    return max(map(len, table), default=0) == _PAIR


def is_over_one_kind(table: Table) -> bool:
    """Whether a column has words above and, mostly, values of one kind below (sums, times, numbers)."""
    first, *below = table[: _LOOKED_AT + 1]
    return any(not kind_of(words) and _common(_column(below, place)) for place, words in enumerate(first) if words)


def is_like_those_below(table: Table) -> bool:
    """Whether the first row surely says values, as those below it do."""
    first, *below = [[cell.strip() for cell in row] for row in table[: _LOOKED_AT + 1]]
    below = [row for row in below if row != first]
    if not below or not first or not first[0]:
        return False
    if _is_label(first[0]) and sum(_is_label(row[0]) for row in below if row) * 2 >= len(below):
        return True
    if _DAYS.match(first[0]) and below[0] and _DAYS.match(below[0][0]):
        return True
    if _is_said_again(first, below):
        return True
    return _is_first_pair(first, below) if is_pairs(table) else _has_kinds_of(first, below)


def kind_of(cell: str) -> str:
    """What kind of value a cell says; empty for words. A measure is of the kind of its unit."""
    words = cell.strip()
    if len(words) > _LONGEST:
        return ""
    for kind, form in _KINDS:
        if form.fullmatch(words):
            return kind
    measure = _MEASURE.match(words)
    return f"in {measure.group(1).casefold()}" if measure else ""


def _is_label(cell: str) -> bool:
    return cell.rstrip().endswith((":", "\uff1a"))


def _is_said_again(first: Sequence[str], below: Table) -> bool:
    """Whether a column says below what its first cell says (`closed`): names of columns are no values."""
    return any(words and words in _column(below, place) for place, words in enumerate(first) if place)


def _is_first_pair(first: Sequence[str], below: Table) -> bool:
    """A value above anything but values of one other kind; or contacts and measures that no one name would fit."""
    values = _column(below, 1)
    common = _common(values)
    own = kind_of(first[1]) if len(first) > 1 else ""
    if own:
        return common in ("", own)
    kinds = Counter(filter(None, map(kind_of, values)))
    units = sum(kind.startswith("in ") for kind in kinds)
    return not common and (units > 1 or not kinds.keys().isdisjoint(_CONTACTS))


def _has_kinds_of(first: Sequence[str], below: Table) -> bool:
    """Whether a cell is of the kind that its column has, and none has words above values; numbers may name columns."""
    kinds = [(kind_of(words), _common(_column(below, place))) for place, words in enumerate(first) if place]
    is_alike = any(own == common and own not in ("", "number") for own, common in kinds)
    return is_alike and not any(common and not own for own, common in kinds)


def _column(rows: Iterable[Sequence[str]], place: int) -> list[str]:
    return [row[place] for row in rows if len(row) > place and row[place].strip()]


def _common(cells: Sequence[str]) -> str:
    """The kind of value that more than half of the cells have."""
    kinds = Counter(map(kind_of, cells))
    kind, count = kinds.most_common(1)[0] if kinds else ("", 0)
    return kind if count * 2 > len(cells) else ""
