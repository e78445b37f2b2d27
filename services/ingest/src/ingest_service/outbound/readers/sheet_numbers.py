"""Numbers of a sheet as their format shows them: percent, currency, decimals, leading zeros, units."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[\$(?P<symbol>[^\]-]*)[^\]]*\]|\[[^\]]*\]|[_*].|(?P<digits>[0#?][0#?,.]*)|(?P<other>.)'
)
_NOT_SHOWN: Final = re.compile(r"[ymdhsEe/@]|General", re.IGNORECASE)
_CONDITION: Final = re.compile(r"\[[<>=]")
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
    if found is None:
        return None
    scaled = abs(value) * 100 if found.is_percent else abs(value)
    digits = f"{scaled:.{found.most}f}"
    whole, _, decimals = digits.partition(".")
    kept = decimals.rstrip("0").ljust(found.fewest, "0")
    shown = whole.zfill(found.whole) + (f".{kept}" if kept else "")
    sign = "-" if value < 0 and shown.strip("0.") else ""
    return f"{sign}{found.before}{shown}{found.after}".strip()


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
    if not digits or digits.endswith(","):
        return None
    return _Format(parts[0], parts[1], whole.count("0"), decimals.count("0"), len(decimals), is_percent)
