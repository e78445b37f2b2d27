"""Rows of cells as tables: captions, headers, and cells that go on over several columns or rows, in any format."""

import datetime as dt
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import takewhile, zip_longest
from typing import Final

from ingest_service.domain.manuscript import Composer
from ingest_service.outbound.readers.first_row import is_like_those_below

SLAB: Final = 4_000
"""Rows that are held at a time; of a longer table, each part has the header again."""
EXACT: Final = 1e15
"""Whole numbers below it have no rounding in a float."""
NUMBER: Final = re.compile(r"[-+(]?[\d.,\s%\u20ac$\u00a3\u00a5]*\d[\d.,\s%)\u20ac$\u00a3\u00a5]*")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
FEWEST_YEARS: Final = 2
"""Different ones that make a header; one alone may be a value."""
ACROSS: Final = "\x1f"
"""A cell over which the one to its left goes on; like any white space, it says nothing where it is not asked for."""
MOST_HEADER_ROWS: Final = 4
"""Of a table; more are marked so by mistake."""


def compose_grid(composer: Composer, rows: Iterable[list[str]]) -> None:
    """Tables are parted by empty rows; a line above one, with one cell filled, is its caption."""
    header: list[str] | None = None
    for table, goes_on in _slabs(rows):
        body = table
        if goes_on:
            body = [header, *table] if header else table
        else:
            while len(body) > 1 and _is_caption(body[0], body[1]):
                composer.paragraph(" ".join(body[0]))
                body = body[1:]
            whole, is_sure = whole_header(body)
            header = whole[0] if is_sure or has_header(whole) else None
            body = whole if header else body
        composer.table(body, has_header=header is not None)


def shown(value: object) -> str:
    """A cell's value in words: whole numbers without a point, dates as ISO 8601, lengths of time in hours.

    Seconds are said where there are some: hours of opening have none.
    """
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < EXACT else f"{value:.12g}"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else f"{value.date()} {_clock(value.time())}"
    if isinstance(value, dt.time):
        return _clock(value)
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    return "" if value is None else str(value)


def _clock(time: dt.time) -> str:
    return time.isoformat("seconds" if time.second else "minutes")


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


def captions(table: Sequence[Sequence[str]]) -> int:
    """How many rows from the first are one cell above all columns: the header is below them."""
    count = sum(1 for _ in takewhile(_is_one_cell, table))
    return count if count < len(table) else 0


def _is_one_cell(row: Sequence[str]) -> bool:
    return bool(row) and all(cell == ACROSS for cell in row[1:])


def _is_caption(row: Sequence[str], below: Sequence[str]) -> bool:
    """One filled cell above several, but for one that is merged over some columns alone: it is part of a header."""
    place = next((number for number, cell in enumerate(row) if cell.strip()), 0)
    is_part = ACROSS in row and _filled(below[:place]) > 0
    return _filled(row) == 1 < _filled(below) and not is_part


def whole_header(table: list[list[str]], marked: int = 1) -> tuple[list[list[str]], bool]:
    """The table with one row as its header, if it has one, and whether it surely has.

    A header of several rows (`marked` of them, or those below a cell that goes on over several columns) says in each
    column what stands above it: `Price Standard`, `Price Express`.
    """
    depth = marked if 1 < marked <= MOST_HEADER_ROWS and marked < len(table) else 1
    while depth < min(len(table) - 1, MOST_HEADER_ROWS) and _is_parted(table[depth - 1], table[depth]):
        depth += 1
    rows = [_spread(row) for row in table[:depth]]
    names = [
        " ".join(dict.fromkeys(filter(None, map(str.strip, column)))) for column in zip_longest(*rows, fillvalue="")
    ]
    return [names, *table[depth:]] if names else table, depth > 1


def _is_parted(row: Sequence[str], below: Sequence[str]) -> bool:
    """Whether a row names parts of what the one above it names: only below cells that go on over several columns."""
    if ACROSS not in row or any(_is_value(cell) for cell in below):
        return False
    parts = [number for number, cell in enumerate(row) if ACROSS in (cell, *row[number + 1 : number + 2])]
    others = (
        (cell.strip(), below[number].strip()) for number, cell in enumerate(row[: len(below)]) if number not in parts
    )
    return any(below[number].strip() for number in parts if number < len(below)) and all(
        not above or not under or above == under for above, under in others
    )


def _is_value(cell: str) -> bool:
    words = cell.strip()
    return NUMBER.fullmatch(words) is not None and _YEAR.fullmatch(words) is None


def _spread(row: Sequence[str]) -> list[str]:
    spread: list[str] = []
    for cell in row:
        spread.append(spread[-1] if cell == ACROSS and spread else cell)
    return spread


def seen(cells: Sequence[str], hidden: Container[int]) -> list[str]:
    """A row without the hidden columns, from 0; a cell that begins in one and goes on is said in the next."""
    kept: list[str] = []
    words, is_said = "", False
    for column, cell in enumerate(cells):
        if cell != ACROSS:
            words, is_said = cell, False
        if column not in hidden:
            kept.append(ACROSS if is_said else words)
            is_said = True
    return kept


class Hanging:
    """Cells of a table that go on downwards: what they say is said in each of their rows."""

    def __init__(self) -> None:
        self._left: dict[int, tuple[int, str]] = {}

    def hang(self, column: int, rows: int, words: str) -> None:
        """Say it so many more times in the column."""
        if rows > 0:
            self._left[column] = (rows, words)

    def take(self, column: int) -> str | None:
        """What hangs into the next row there."""
        rows, words = self._left.pop(column, (0, None))
        if words is not None:
            self.hang(column, rows - 1, words)
        return words


def _filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def has_header(table: Sequence[Sequence[str]]) -> bool:
    """Whether the first row of a table is one: words in every column that the next row fills, no number but years.

    Nor does it say a value as the rows below do.
    """
    first = [cell.strip() for cell in table[0]]
    numbers = [cell for cell in first if NUMBER.fullmatch(cell)]
    are_years = (
        len(numbers) >= FEWEST_YEARS and all(map(_YEAR.fullmatch, numbers)) and len(set(numbers)) == len(numbers)
    )
    if len(table) <= 1 or (numbers and not are_years):
        return False
    is_filled = _filled(first) * 2 >= max(_filled(row) for row in table[:20])
    return is_filled and not is_like_those_below(table)
