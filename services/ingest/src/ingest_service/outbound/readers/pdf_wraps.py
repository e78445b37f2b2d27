"""Rows of a table whose cells are wrapped, where no ruling lines part them: told by how far their lines lie apart."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from ingest_service.outbound.readers.grid import NUMBER
from ingest_service.outbound.readers.pdf_cells import GAP, LEVEL, Columns, Word, has_room, nearest

FURTHER: Final = 1.12
"""Of the distance of two rows to that of two lines of one, at least."""
PITCH: Final = 0.9
"""Of the size: lines of one cell are no nearer; what is nearer stands in the middle of a cell of several lines."""
Rows = list[list[Word]]


def rivers(rows: Sequence[Sequence[Word]]) -> Columns:
    """The columns between which nothing stands in any row; none when there is one."""
    columns: list[tuple[float, float]] = []
    for word in sorted((word for row in rows for word in row), key=lambda word: word.left):
        if columns and word.left - columns[-1][1] < GAP * word.size:
            columns[-1] = (columns[-1][0], max(columns[-1][1], word.right))
        else:
            columns.append((word.left, word.right))
    return columns if len(columns) > 1 else []


def unwrapped(rows: Rows, columns: Columns) -> Rows:
    """The lines of each row as one; all as they are unless everything says that they are wrapped.

    No cell's line had room for the next one's first word, most rows of several lines have cells that are shorter than
    others, and lines of one row lie nearer to each other than rows do. Where all lie equally far apart, each cell that
    goes on has to do so with a small letter.
    """
    rights = [max(map(_right, _of(rows, columns, number)), default=0.0) for number in range(len(columns))]

    def is_row(part: Rows) -> bool:
        cells = [_of(part, columns, number) for number in range(len(columns))]
        # cells of one line stand on the same, whether that is the first, the middle or the last
        short = [cell[0].base for cell in cells if len(cell) == 1]
        is_level = not short or max(short) - min(short) < LEVEL * part[0][0].size
        return is_level and all(map(_is_full, cells, rights))

    parts = _by_distance(rows)
    if len(parts) == len(rows):
        parts = _by_letters(rows, lambda part: _is_uneven(part, columns) and is_row(part))
    several = [part for part in parts if len(part) > 1]
    uneven = sum(_is_uneven(part, columns) for part in several)
    if uneven * 2 < len(several) or not all(map(is_row, several)):
        return rows
    return [[word for row in part for word in row] for part in parts]


def _by_letters(rows: Rows, may_be_row: Callable[[Rows], bool]) -> list[Rows]:
    parts: list[Rows] = []
    for row in rows:
        if parts and all(word.text[:1].islower() for word in row) and may_be_row([*parts[-1], row]):
            parts[-1].append(row)
        else:
            parts.append([row])
    return parts


def _by_distance(rows: Rows) -> list[Rows]:
    """Rows with those that follow more closely than others do; none does where all lie about equally apart."""
    steps = [above[0].base - below[0].base for above, below in pairwise(rows)]
    size = median(word.size for row in rows for word in row)
    usual = sorted(step for step in steps if step > PITCH * size)
    ratio, near = max(((far / near, near) for near, far in pairwise(usual)), default=(1.0, 0.0))
    parts = [[rows[0]]]
    for row, step in zip(rows[1:], steps, strict=True):
        if step > (near if ratio >= FURTHER else PITCH * size):
            parts.append([])
        parts[-1].append(row)
    return parts


def _is_uneven(part: Rows, columns: Columns) -> bool:
    filled = [{nearest(word, columns) for word in row} for row in part]
    return any(some != set().union(*filled) for some in filled)


def _of(rows: Rows, columns: Columns, number: int) -> list[Word]:
    return [word for row in rows for word in row if nearest(word, columns) == number]


def _right(word: Word) -> float:
    return word.right


def _is_full(lines: Sequence[Word], right: float) -> bool:
    """Whether each line but a cell's last one ends where the next one's first word has no room any more."""
    for above, below in pairwise(lines):
        are_numbers = NUMBER.fullmatch(above.text) and NUMBER.fullmatch(below.text)
        if above.base > below.base and (are_numbers or has_room(above, below, right)):
            return False
    return True
