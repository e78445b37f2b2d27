"""Tables on a page of a PDF, told by its ruling lines, or by short cells that stand below each other in columns.

A table is put together from the words of the lines it takes the place of, each word once, so that no text is lost; what
is not surely a table stays lines. One that is written from right to left stays so too.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from ingest_service.outbound.readers.grid import NUMBER, has_header
from ingest_service.outbound.readers.pdf_cells import Columns, Found, Word, pieces
from ingest_service.outbound.readers.pdf_columns import aligned
from ingest_service.outbound.readers.pdf_frames import frames, ruled
from ingest_service.outbound.readers.pdf_gutters import parted
from ingest_service.outbound.readers.pdf_layout import Line, Table
from ingest_service.outbound.readers.pdf_rules import Rules

SPARSE: Final = 0.62
"""Of the size, what each letter of a line takes on average when there are gaps in it; prose has about a half."""
FEWEST_ROWS: Final = 2
"""Below a cell that is above all columns."""
FEWEST_GAPS: Final = 2
"""Lines with gaps in them on a page that is looked at more closely, where no frames are drawn."""


def with_tables(
    lines: Sequence[Line],
    words_of: Callable[[int], Sequence[Word]],
    rules: Callable[[], Rules],
    goes_on: Columns = (),
) -> list[Line]:
    """The lines, those of each table as one, those across two columns one after the other.

    What is asked for costs time, and seldom is.

    `goes_on`: the columns of a table that the page before ends with.
    """
    tables = _tables(lines, words_of, rules, goes_on)
    first = {min(table.lines): table for table in tables}
    taken = frozenset[int]().union(*(table.lines for table in tables))
    shown = dict(enumerate([line] for line in lines)) | {number: [] for number in taken}
    shown |= parted(lines, words_of, taken)
    shown |= {number: list(_as_lines(table, lines)) for number, table in first.items()}
    return [line for number in range(len(lines)) for line in shown[number]]


def _tables(
    lines: Sequence[Line], words_of: Callable[[int], Sequence[Word]], rules: Callable[[], Rules], goes_on: Columns
) -> list[Found]:
    gaps = _with_gaps(lines)
    drawn = frames(rules()) if gaps else []
    if len(gaps) < (1 if goes_on or drawn else FEWEST_GAPS):
        return []
    near = {each for number in gaps for each in (number - 1, number, number + 1)}
    near |= {number for number, line in enumerate(lines) if any(frame.reaches(line.base) for frame in drawn)}
    words = [words_of(number) if number in near else [_whole(line, number)] for number, line in enumerate(lines)]
    tables = [*ruled(words, drawn)]
    taken = frozenset[int]().union(*(table.lines for table in tables))
    level = [some if _is_level(some) else [_whole(lines[number], number)] for number, some in enumerate(words)]
    tables += aligned([[] if number in taken else pieces(some) for number, some in enumerate(level)], goes_on)
    return tables


def _with_gaps(lines: Sequence[Line]) -> set[int]:
    """Lines that have gaps in them, or stand beside the one before as no columns of prose do."""
    found = {
        number
        for number, line in enumerate(lines)
        if " " in line.text and line.right - line.left > SPARSE * line.size * len(line.text)
    }
    beside = {
        number
        for number, (above, line) in enumerate(pairwise(lines), start=1)
        if line.base > above.last_base - above.size / 3
    }
    return found | beside if len(beside) > 1 else found


def _whole(line: Line, number: int) -> Word:
    return Word(line.text, line.left, line.right, line.base, line.size, number)


def _is_level(words: Sequence[Word]) -> bool:
    return len({word.base for word in words}) <= 1


def _as_lines(found: Found, lines: Sequence[Line]) -> Iterator[Line]:
    """The table; before it the words of a cell above all columns, which is no header."""
    mine = [lines[number] for number in sorted(found.lines)]
    cells = list(found.cells)
    while len(cells) > FEWEST_ROWS and cells[0][0] and sum(map(bool, cells[0])) == 1 < sum(map(bool, cells[1])):
        yield mine[0]._replace(text=cells.pop(0)[0])
    head = mine[min(len(found.cells) - len(cells), len(mine) - 1)]
    has = has_header(cells) and (head.is_bold or is_over_numbers(cells) or not _is_pairs(cells))
    yield mine[0]._replace(
        text=" ".join(cell for row in cells for cell in row),
        left=min(line.left for line in mine),
        right=max(line.right for line in mine),
        base=max(line.base for line in mine),
        last_base=min(line.last_base for line in mine),
        is_bold=False,
        table=Table(cells, found.columns, has, head.is_bold),
    )


def _is_pairs(cells: Sequence[Sequence[str]]) -> bool:
    """Whether it may be a list of names and values, which has no header."""
    return max(map(len, cells)) == len(("name", "value"))


def is_over_numbers(cells: Sequence[Sequence[str]]) -> bool:
    """Whether a column has words above and numbers below."""
    head, *body = cells
    return any(
        not any(map(str.isdigit, words)) and sum(bool(NUMBER.fullmatch(row[column])) for row in body) * 2 > len(body)
        for column, words in enumerate(head)
    )
