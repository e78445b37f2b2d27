"""Numbers of a sheet as their format shows them: percent, currency, decimals, leading zeros, units."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Final

from openpyxl.styles.numbers import is_timedelta_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from ingest_service.outbound.readers.grid import shown

_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[\$(?P<symbol>[^\]-]*)[^\]]*\]|\[[^\]]*\]|[_*].|(?P<digits>[0#?][0#?,.]*)|(?P<other>.)'
)
_NOT_SHOWN: Final = re.compile(r"[ymdhsEe/@]|General", re.IGNORECASE)
_CONDITION: Final = re.compile(r"\[[<>=]")
MOST_DECIMALS: Final = 30
"""That a spreadsheet's format has."""
LARGEST: Final = 1e300
MOST_DIGITS: Final = 400
"""That are exact: enough for the largest number, and its decimals."""
_LITERALS: Final = frozenset("€$£¥% -+:\u00a0")


@dataclass(frozen=True, slots=True)
class _Format:
    before: str
    after: str
    whole: int
    fewest: int
    most: int
    is_percent: bool


def formatted(value: float, code: str) -> str | None:
    """The number in words, without separators of thousands; None for a format that says nothing of it."""
    found = _format(code)
    if found is None or not abs(value) < LARGEST:
        return None
    # as a spreadsheet does it: of the 15 digits that it keeps, and halves away from 0
    scaled = Decimal(f"{abs(value):.15g}") * (100 if found.is_percent else 1)
    digits = scaled.quantize(Decimal(1).scaleb(-found.most), ROUND_HALF_UP, Context(prec=MOST_DIGITS))
    whole, _, decimals = f"{digits:f}".partition(".")
    kept = decimals.rstrip("0").ljust(found.fewest, "0")
    words = whole.zfill(found.whole) + (f".{kept}" if kept else "")
    sign = "-" if value < 0 and words.strip("0.") else ""
    return f"{sign}{found.before}{words}{found.after}".strip()


def dated(value: float, code: str, *, is_1904: bool) -> str:
    """A number that is a date or a length of time; as it is where it is too large for one."""
    epoch = CALENDAR_MAC_1904 if is_1904 else CALENDAR_WINDOWS_1900
    try:
        return shown(from_excel(value, epoch, timedelta=is_timedelta_format(code)))
    except (ValueError, OverflowError):
        return shown(value)


@lru_cache(maxsize=1_000)
def _format(code: str) -> _Format | None:
    """What a format's section for positive numbers says; None for dates, fractions, exponents, conditions, patterns."""
    if _CONDITION.search(code):
        return None
    parts = ["", ""]
    digits, is_percent = "", False
    for match in _TOKEN.finditer(code.split(";", maxsplit=1)[0]):
        kind = match.lastgroup
        words = match.group(kind) if kind else ""
        if kind == "other" and (_NOT_SHOWN.match(words) or words not in _LITERALS):
            return None
        if kind == "digits":
            if digits:  # a pattern such as 000-00-0000, over which digits are dealt out
                return None
            digits = words
        else:
            is_percent = is_percent or (kind == "other" and words == "%")
            parts[bool(digits)] += words
    whole, _, decimals = digits.partition(".")
    if not digits or digits.endswith(",") or len(decimals) > MOST_DECIMALS:
        return None
    return _Format(parts[0], parts[1], whole.count("0"), decimals.count("0"), len(decimals), is_percent)
