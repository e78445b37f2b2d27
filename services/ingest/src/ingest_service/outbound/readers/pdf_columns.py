"""Tables of a PDF without ruling lines: short cells that stand below each other in columns."""

from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median
from typing import Final

from ingest_service.outbound.readers.pdf_cells import (
    FURTHEST,
    Columns,
    Found,
    Word,
    columns_of,
    fits,
    is_table,
    nearest,
    row_of,
    with_rest,
)
from ingest_service.outbound.readers.pdf_layout import MARK

FEWEST_ROWS: Final = 3
MOST_SIZES: Final = 2
"""Of the letters in a table: its header's and its body's."""
SHORT_CELL: Final = 25
"""Characters: columns of prose have longer ones."""
MOST_LONG: Final = 1
"""Columns of longer cells."""


def aligned(lines: Sequence[Sequence[Word]], goes_on: Columns) -> Iterator[Found]:
    """Tables among the pieces of each line; `goes_on`: the columns of a table that may go on above all others."""
    for number, rows in enumerate(_runs(lines)):
        rest = _rest(rows, goes_on) if goes_on and number == 0 else None
        found = rest or _table(rows)
        if found:
            yield found


def _rest(rows: Sequence[Sequence[Word]], columns: Columns) -> Found | None:
    """What is left of the table of the page before: a row is enough when its cells stand in that one's columns."""
    if not rows or not all(fits(row, columns) for row in rows):
        return None
    return _found(rows, columns)


def _table(rows: Sequence[Sequence[Word]]) -> Found | None:
    columns = columns_of(rows)
    if not columns or len(rows) < FEWEST_ROWS or len({word.size for row in rows for word in row}) > MOST_SIZES:
        return None
    found = _found(rows, columns)
    marks = sum(MARK.match(f"{row[0]} x") is not None for row in found.cells)
    long = sum(median(len(row[column]) for row in found.cells) > SHORT_CELL for column in range(len(columns)))
    is_whole = is_table(found.cells) and len(found.cells) >= FEWEST_ROWS
    return found if is_whole and marks * 2 < len(found.cells) and long <= MOST_LONG else None


def _found(rows: Sequence[Sequence[Word]], columns: Columns) -> Found:
    cells = with_rest([row_of(row, partial(nearest, columns=columns), len(columns)) for row in rows])
    return Found(cells, columns, frozenset(word.line for row in rows for word in row))


def _runs(lines: Sequence[Sequence[Word]]) -> Iterator[list[list[Word]]]:
    """Rows that follow each other, in the order in which they are written, each of two pieces or the rest of one."""
    run: list[list[Word]] = []
    for row in _written_rows(lines):
        if run and run[-1][0].base - row[0].base > FURTHEST * row[0].size:
            yield _trimmed(run)
            run = []
        if len(row) > 1 or (run and _is_part(run, row[0])):
            run.append(row)
        elif run:
            yield _trimmed(run)
            run = []
    yield _trimmed(run)


def _is_part(run: Sequence[Sequence[Word]], word: Word) -> bool:
    """Whether a piece alone in its row goes on with a cell above; in letters of another size it is a caption."""
    is_beside = word.left > run[-1][0].right or word.right < run[0][1].left
    return is_beside and word.size == run[-1][-1].size


def _trimmed(run: list[list[Word]]) -> list[list[Word]]:
    """Without what stands alone in the first column at the end: it belongs to what follows."""
    while run and len(run[-1]) == 1 and run[-1][0].left < run[0][1].left:
        run = run[:-1]
    return run


def _written_rows(lines: Sequence[Sequence[Word]]) -> Iterator[list[Word]]:
    row: list[Word] = []
    for words in lines:
        if not words or (row and not _goes_on(row, words[0])):
            if row:
                yield row
            row = []
        row.extend(words)
    if row:
        yield row


def _goes_on(row: Sequence[Word], word: Word) -> bool:
    return abs(row[-1].base - word.base) < word.size / 3 and word.left > row[-1].right
