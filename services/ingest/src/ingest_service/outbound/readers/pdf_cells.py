"""Words of a PDF page, with their places, as rows of cells in columns."""

from collections.abc import Callable, Sequence
from itertools import groupby, pairwise
from statistics import median
from typing import Final, NamedTuple

GAP: Final = 0.75
"""Of the size, from which on two words are not of one cell."""
SPACE: Final = 0.25
"""Of the size, between two words."""
LEVEL: Final = 0.5
"""Of the size: words of a row between rules stand on one level but for that."""
ALIGNED: Final = 0.5
"""Of the size, by which the sides of a column's cells differ."""
FEWEST_FULL: Final = 2
"""Rows with something in every column, where no rules part them."""
FURTHEST: Final = 2.6
"""Of the size: rows further below begin another table, where there are no ruling lines."""
LONG_CELL: Final = 200
"""Characters: what has longer cells between rules is a page in frames."""
Cells = list[list[str]]
Columns = Sequence[tuple[float, float]]
"""From where to where each goes, in points."""


class Word(NamedTuple):
    """A word or more without a gap; `line` is the place of its line on the page."""

    text: str
    left: float
    right: float
    base: float
    size: float
    line: int


class Found(NamedTuple):
    """A table on a page, and which lines it takes the place of."""

    cells: Cells
    columns: Columns
    lines: frozenset[int]


def pieces(words: Sequence[Word]) -> list[Word]:
    """The words of a line, those without a gap between them as one."""
    joined = list(words[:1])
    for word in words[1:]:
        before = joined[-1]
        if abs(word.base - before.base) < LEVEL * word.size and word.left - before.right < GAP * word.size:
            joined[-1] = before._replace(text=f"{before.text} {word.text}", right=word.right)
        else:
            joined.append(word)
    return joined


def pieces_of_lines(words: Sequence[Word]) -> list[Word]:
    """The words of several lines, those of each as pieces."""
    return [piece for _, some in groupby(words, key=lambda word: word.line) for piece in pieces(list(some))]


def text_rows(words: Sequence[Word]) -> list[list[Word]]:
    """Words of one height as a row, from above and from the left."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: -word.base):
        if rows and rows[-1][0].base - word.base < word.size * LEVEL:
            rows[-1].append(word)
        else:
            rows.append([word])
    return [sorted(row, key=lambda word: word.left) for row in rows]


def columns_of(rows: Sequence[Sequence[Word]]) -> Columns:
    """The columns by the rows that have most cells; none when they are not aligned."""
    several = [row for row in rows if len(row) > 1]
    for count in sorted(set(map(len, several)), reverse=True):
        full = [row for row in several if len(row) == count]
        if len(full) < FEWEST_FULL or len(full) * 3 < len(several):
            continue
        columns = list(zip(*full, strict=True))
        reach = [(min(word.left for word in column), max(word.right for word in column)) for column in columns]
        if all(right < left for (_, right), (left, _) in pairwise(reach)) and all(map(_is_aligned, columns)):
            return reach
    return []


def _is_aligned(column: Sequence[Word]) -> bool:
    """By the left, the right or the middle; what stands above may be aligned otherwise."""
    below = column[1:]
    ways = ([word.left for word in below], [word.right for word in below], [word.left + word.right for word in below])
    return any(max(way) - min(way) < ALIGNED * below[0].size for way in ways)


def nearest(word: Word, columns: Columns) -> int:
    """The first column that it reaches into, or the nearest."""
    reached = _reached(word, columns)
    if reached:
        return reached[0]
    return min(
        range(len(columns)),
        key=lambda number: min(abs(word.left - columns[number][1]), abs(columns[number][0] - word.right)),
    )


def fits(row: Sequence[Word], columns: Columns) -> bool:
    """Whether each piece of a row stands in a column of its own."""
    reached = [_reached(word, columns) for word in row]
    return all(len(some) == 1 for some in reached) and len({some[0] for some in reached}) == len(row)


def _reached(word: Word, columns: Columns) -> list[int]:
    return [number for number, (left, right) in enumerate(columns) if word.left < right and word.right > left]


def has_room(above: Word, below: Word, right: float) -> bool:
    """Whether the first word of a line would have had a place on the line above, in a column that ends at `right`."""
    first = below.text.partition(" ")[0]
    needed = SPACE * below.size + (below.right - below.left) * len(first) / len(below.text)
    return above.right + needed <= right


def row_of(words: Sequence[Word], column: Callable[[Word], int], count: int) -> list[str]:
    """The cells of a row of so many columns."""
    cells: list[list[str]] = [[] for _ in range(count)]
    for word in words:
        cells[column(word)].append(word.text)
    return [" ".join(cell) for cell in cells]


def with_rest(cells: Cells) -> Cells:
    """Join what goes on below a cell to it: a row without its first cell that fills half of the columns at most."""
    rows: Cells = []
    for row in cells:
        is_rest = rows and not row[0] and sum(map(bool, row)) * 2 <= len(row)
        if is_rest:
            rows[-1] = [f"{above} {below}".strip() for above, below in zip(rows[-1], row, strict=True)]
        else:
            rows.append(row)
    return rows


def is_table(cells: Cells) -> bool:
    """At least two rows and columns with words in them, and no prose."""
    several = [row for row in cells if sum(map(bool, row)) > 1]
    filled = [len(cell) for row in cells for cell in row if cell]
    return len(several) > 1 and len(several) * 2 > len(cells) and median(filled) <= LONG_CELL
