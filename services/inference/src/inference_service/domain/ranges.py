# ruff: noqa: RUF001 - dashes of ranges are meant
"""Numbers of a question that lie in a range which a text gives: ten days in `between 20 and 8 days`."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from inference_service.domain.words import terms

_VALUE: Final = r"(\d{1,6}(?:[.,]\d{1,2})?)"
_UNIT: Final = r"[\s-]?([^\W\d_]+)"
_AMOUNT: Final = re.compile(rf"(?<![\w.,]){_VALUE}{_UNIT}")
_RANGE: Final = re.compile(
    rf"(?<![\w.,]){_VALUE}\s?(?:[-–—]|\b(?:to|and|bis|und|a|y|hasta|à|et)\b)\s?{_VALUE}{_UNIT}", re.IGNORECASE
)


class Amount(NamedTuple):
    """A number of something in a question, and the terms that it is written with."""

    value: float
    unit: str
    written: frozenset[str]


def amounts_in(question: str, language: str) -> list[Amount]:
    """Return how much of what a question names."""
    return [
        Amount(_value(one[1]), _unit(one[2], language), frozenset(terms(one[1], language)))
        for one in _AMOUNT.finditer(question)
    ]


def enclosed(amounts: Sequence[Amount], text: str, language: str) -> frozenset[str]:
    """Return the terms of those amounts that lie in a range of the text, which names them as well as their number."""
    if not amounts:
        return frozenset()
    ranges = [(_value(one[1]), _value(one[2]), _unit(one[3], language)) for one in _RANGE.finditer(text)]
    return frozenset().union(
        *(amount.written for amount in amounts for first, last, unit in ranges if _is_in(amount, first, last, unit))
    )


def _is_in(amount: Amount, first: float, last: float, unit: str) -> bool:
    return amount.unit == unit and min(first, last) <= amount.value <= max(first, last)


def _value(number: str) -> float:
    return float(number.replace(",", "."))


def _unit(word: str, language: str) -> str:
    return "".join(terms(word, language))
