"""Whether an amount that a claim tells of a row stands in the column that it names, or in another one.

`A double kayak costs £48 for a full day` has row and number, but the number is that of half a day.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from inference_service.domain.quantities import Quantity, missing, quantities
from inference_service.domain.words import terms

_CELL_END: Final = re.compile(r"(?<!\\)\|")
_FEWEST: Final = 3
"""Columns from which on a row has a value of two of them."""


class Cell(NamedTuple):
    """The terms of a column's name, and the amounts that a row has there."""

    column: frozenset[str]
    amounts: frozenset[Quantity]


def cells_of(row: str, names: str, language: str) -> tuple[Cell, ...]:
    """Return the cells of a row behind its first one; none where it has not as many as there are names."""
    columns, values = _split(names), _split(row)
    if len(columns) != len(values) or len(values) < _FEWEST:
        return ()
    pairs = zip(columns[1:], values[1:], strict=True)
    return tuple(Cell(frozenset(terms(name, language)), quantities(value, language)) for name, value in pairs)


def is_of_another_column(said: Collection[str], claimed: Collection[Quantity], cells: Sequence[Cell]) -> bool:
    """Whether an amount stands in the row, but where no column stands that the claim names, and those have another.

    `said` are the claim's terms. A column is named by all of its words, and not where one of a longer name is (`day`
    beside `full day`).
    """
    named = [cell for cell in cells if cell.column and cell.column <= set(said)]
    named = [cell for cell in named if not any(cell.column < other.column for other in named)]
    there = frozenset[Quantity]().union(*(cell.amounts for cell in named))
    row = frozenset[Quantity]().union(*(cell.amounts for cell in cells))
    return any(
        not missing(frozenset({one}), row)
        and bool(missing(frozenset({one}), there))
        and any(_kind(one) == _kind(other) and other not in claimed for other in there)
        for one in claimed
        if _kind(one)
    )


def _kind(one: Quantity) -> str:
    """What the amount is of; empty for a bare number, which may count anything."""
    return "time" if ":" in one.value else one.unit


def _split(line: str) -> list[str]:
    return [cell.strip() for cell in _CELL_END.split(line.strip().removeprefix("|").removesuffix("|"))]
