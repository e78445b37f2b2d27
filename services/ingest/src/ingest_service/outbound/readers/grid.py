"""Rows of cells as tables: what spreadsheets and tables in text form have in common."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from typing import Final

from ingest_service.domain.manuscript import Composer

EXACT: Final = 1e15
"""Whole numbers below it have no rounding in a float."""
_NUMBER: Final = re.compile(r"[-+(]?[\d.,\s%\u20ac$\u00a3\u00a5]*\d[\d.,\s%)\u20ac$\u00a3\u00a5]*")


def compose_grid(composer: Composer, rows: Iterable[list[str]]) -> None:
    """Tables are parted by empty rows; a line above one, with one cell filled, is its caption."""
    for table in _tables(rows):
        body = table
        while len(body) > 1 and _filled(body[0]) == 1 and _filled(body[1]) > 1:
            composer.paragraph(" ".join(body[0]))
            body = body[1:]
        composer.table(body, has_header=_has_header(body))


def shown(value: object) -> str:
    """A cell's value in words: whole numbers without a point, dates as ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < EXACT else f"{value:.12g}"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "seconds")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


def _tables(rows: Iterable[list[str]]) -> Iterator[list[list[str]]]:
    table: list[list[str]] = []
    for row in rows:
        if _filled(row):
            table.append(row)
        elif table:
            yield table
            table = []
    if table:
        yield table


def _filled(row: list[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def _has_header(table: list[list[str]]) -> bool:
    """Words in every column that the next row fills, and no number."""
    first = [cell.strip() for cell in table[0]]
    if len(table) < 2 or any(_NUMBER.fullmatch(cell) for cell in first):  # noqa: PLR2004 - a header and a row
        return False
    return _filled(first) * 2 >= max(_filled(row) for row in table[:20])
