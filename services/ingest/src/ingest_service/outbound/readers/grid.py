"""Rows of cells as tables: what spreadsheets and tables in text form have in common."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from typing import Final

from ingest_service.domain.manuscript import Composer

SLAB: Final = 4_000
"""Rows that are held at a time; of a longer table, each part has the header again."""
EXACT: Final = 1e15
"""Whole numbers below it have no rounding in a float."""
NUMBER: Final = re.compile(r"[-+(]?[\d.,\s%\u20ac$\u00a3\u00a5]*\d[\d.,\s%)\u20ac$\u00a3\u00a5]*")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
FEWEST_YEARS: Final = 2
"""Different ones that make a header; one alone may be a value."""


def compose_grid(composer: Composer, rows: Iterable[list[str]]) -> None:
    """Tables are parted by empty rows; a line above one, with one cell filled, is its caption."""
    header: list[str] | None = None
    for table, goes_on in _slabs(rows):
        body = table
        if goes_on:
            body = [header, *table] if header else table
        else:
            while len(body) > 1 and _filled(body[0]) == 1 and _filled(body[1]) > 1:
                composer.paragraph(" ".join(body[0]))
                body = body[1:]
            header = body[0] if has_header(body) else None
        composer.table(body, has_header=header is not None)


def shown(value: object) -> str:
    """A cell's value in words: whole numbers without a point, dates as ISO 8601, lengths of time in hours."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < EXACT else f"{value:.12g}"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "seconds")
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return "" if value is None else str(value)


def _slabs(rows: Iterable[list[str]]) -> Iterator[tuple[list[list[str]], bool]]:
    """Tables, long ones in parts; with each whether it goes on with the one before."""
    table: list[list[str]] = []
    goes_on = False
    for row in rows:
        is_empty = not any(map(str.strip, row))
        if not is_empty:
            table.append(row)
        if table and (is_empty or len(table) == SLAB):
            yield table, goes_on
            table = []
            goes_on = not is_empty
        elif is_empty:
            goes_on = False
    if table:
        yield table, goes_on


def _filled(row: list[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def has_header(table: list[list[str]]) -> bool:
    """Whether the first row of a table is one: words in every column that the next row fills, no number but years."""
    first = [cell.strip() for cell in table[0]]
    numbers = [cell for cell in first if NUMBER.fullmatch(cell)]
    are_years = (
        len(numbers) >= FEWEST_YEARS and all(map(_YEAR.fullmatch, numbers)) and len(set(numbers)) == len(numbers)
    )
    if len(table) <= 1 or (numbers and not are_years):
        return False
    return _filled(first) * 2 >= max(_filled(row) for row in table[:20])
