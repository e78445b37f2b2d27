"""Tables on a page of a PDF, told by its ruling lines, or by short cells that stand below each other in columns.

A table is put together from the words of the lines it takes the place of, each word once, so that no text is lost; what
is not surely a table stays lines. One that is written from right to left stays so too.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby, pairwise
from statistics import median
from typing import Final, NamedTuple

from ingest_service.outbound.readers.grid import NUMBER, has_header
from ingest_service.outbound.readers.pdf_layout import MARK, Line

SPARSE: Final = 0.62
"""Of the size, what each letter of a line takes on average when there are gaps in it; prose has about a half."""
GAP: Final = 0.75
"""Of the size, from which on two words are not of one cell."""
LEVEL: Final = 0.5
"""Of the size: words of a row between rules stand on one level but for that."""
ALIGNED: Final = 0.5
"""Of the size, by which the sides of a column's cells differ."""
FURTHEST: Final = 2.6
"""Of the size: rows further below begin another table, where there are no ruling lines."""
FEWEST_GAPS: Final = 2
"""Lines with gaps in them on a page that is looked at more closely."""
FEWEST_ROWS: Final = 3
"""Of a table without ruling lines."""
FEWEST_FULL: Final = 2
"""Rows with something in every column, where no rules part them."""
MOST_SIZES: Final = 2
"""Of the letters in a table: its header's and its body's."""
FEWEST_RULES: Final = 3
"""Above and below the header, and below the last row."""
EVERY_ROW_RULED: Final = 5
"""So many rules part all rows; fewer part header and body."""
SHORT_CELL, LONG_CELL = 25, 200
"""Characters: columns of prose have longer ones, and what has longer ones between rules is a page in frames."""
MOST_LONG: Final = 1
"""Columns of long cells, without ruling lines."""
ALIKE: Final = 6.0
"""Points by which the ends of one table's rules differ."""
Cells = list[list[str]]


class Word(NamedTuple):
    """A word or more without a gap; `line` is the place of its line on the page."""

    text: str
    left: float
    right: float
    base: float
    size: float
    line: int


class Rule(NamedTuple):
    """A ruling line `at` a height, from left to right; or at a place from the left, from below to above."""

    at: float
    begin: float
    end: float


class Rules(NamedTuple):
    """All of a page, those of one line as one."""

    flat: Sequence[Rule]
    upright: Sequence[Rule]


class _Table(NamedTuple):
    cells: Cells
    lines: frozenset[int]


class _Frame(NamedTuple):
    """Where rules of equal length lie below each other; `heights` from above."""

    left: float
    right: float
    heights: list[float]
    inner: Sequence[float]

    def holds(self, base: float) -> bool:
        return self.heights[-1] < base < self.heights[0]


def with_tables(
    lines: Sequence[Line], words_of: Callable[[int], Sequence[Word]], rules: Callable[[], Rules]
) -> list[Line]:
    """The lines, those of each table as one line with `rows`; what is asked for costs time, and seldom is."""
    gaps = _with_gaps(lines)
    if len(gaps) < FEWEST_GAPS:
        return list(lines)
    frames = _frames(rules())
    near = {each for number in gaps for each in (number - 1, number, number + 1)}
    near |= {number for number, line in enumerate(lines) if any(frame.holds(line.base) for frame in frames)}
    words = [words_of(number) if number in near else [_whole(line, number)] for number, line in enumerate(lines)]
    tables = [*_ruled(words, frames)]
    taken = frozenset[int]().union(*(table.lines for table in tables))
    tables += _unruled([[] if number in taken else _pieces(some) for number, some in enumerate(words)], lines)
    first = {min(table.lines): table for table in tables}
    taken = frozenset[int]().union(*(table.lines for table in tables))
    shown = ((number, line) for number, line in enumerate(lines) if number in first or number not in taken)
    return [_as_line(first[number], lines) if number in first else line for number, line in shown]


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


def _as_line(table: _Table, lines: Sequence[Line]) -> Line:
    mine = [lines[number] for number in sorted(table.lines)]
    first = mine[0]
    return first._replace(
        text=" ".join(line.text for line in mine),
        left=min(line.left for line in mine),
        right=max(line.right for line in mine),
        base=max(line.base for line in mine),
        last_base=min(line.last_base for line in mine),
        is_bold=False,
        rows=tuple(map(tuple, table.cells)),
        has_header=has_header(table.cells) and (first.is_bold or _is_over_numbers(table.cells) or not _is_pairs(table)),
    )


def _is_pairs(table: _Table) -> bool:
    """Whether it may be a list of names and values, which has no header."""
    return max(map(len, table.cells)) == len(("name", "value"))


def _is_over_numbers(cells: Cells) -> bool:
    """Whether a column has words above and numbers below."""
    head, *body = cells
    return any(
        not any(map(str.isdigit, words)) and sum(bool(NUMBER.fullmatch(row[column])) for row in body) * 2 > len(body)
        for column, words in enumerate(head)
    )


def _ruled(words: Sequence[Sequence[Word]], frames: Sequence[_Frame]) -> Iterator[_Table]:
    taken = set[int]()  # a line belongs to one table, the innermost, whatever is drawn around it
    for frame in sorted(frames, key=lambda frame: (frame.right - frame.left) * (frame.heights[0] - frame.heights[-1])):
        mine = [
            word
            for some in words
            for word in some
            if frame.holds(word.base) and frame.left - ALIKE < (word.left + word.right) / 2 < frame.right + ALIKE
        ]
        lines = frozenset(word.line for word in mine)
        is_whole = sum(len(words[number]) for number in lines) == len(mine)
        cells = _cells_in(frame, mine) if mine and is_whole else []
        if _is_table(cells) and not lines & taken:
            taken |= lines
            yield _Table(cells, lines)


def _frames(rules: Rules) -> list[_Frame]:
    found: list[tuple[Rule, list[float]]] = []
    for rule in sorted(rules.flat, key=lambda rule: -rule.at):
        alike = [heights for one, heights in found if abs(one.begin - rule.begin) + abs(one.end - rule.end) < ALIKE]
        if alike:
            alike[0].append(rule.at)
        else:
            found.append((rule, [rule.at]))
    return [_frame(rule, heights, rules.upright) for rule, heights in found if len(heights) >= FEWEST_RULES]


def _frame(rule: Rule, heights: list[float], upright: Sequence[Rule]) -> _Frame:
    """With the places where upright rules go through most of it, in one piece or in one for each row."""
    top, bottom = heights[0], heights[-1]
    lengths: dict[int, float] = {}
    for one in upright:
        length = max(min(one.end, top) - max(one.begin, bottom), 0.0)
        lengths[round(one.at)] = lengths.get(round(one.at), 0.0) + length
    through = [at for at, length in sorted(lengths.items()) if length > (top - bottom) / 2]
    inner = [at for at in through if rule.begin + ALIKE < at < rule.end - ALIKE]
    return _Frame(rule.begin, rule.end, heights, inner)


def _cells_in(frame: _Frame, words: Sequence[Word]) -> Cells:
    """Columns by upright rules where there are some, else by gaps; rows by the rules if those part all of them."""
    bands = [[word for word in words if low < word.base < high] for high, low in pairwise(frame.heights)]
    rows = [_text_rows(band if frame.inner else _joined(band)) for band in bands]
    columns = [] if frame.inner else _columns([row for band in rows for row in band])
    count = len(frame.inner) + 1 if frame.inner else len(columns)
    if not count:
        return []

    def column(word: Word) -> int:
        middle = (word.left + word.right) / 2
        return sum(at < middle for at in frame.inner) if frame.inner else _column(word, columns)

    if len(frame.heights) >= EVERY_ROW_RULED:
        return [_row([word for row in band for word in row], column, count) for band in rows if band]
    return _with_rest([_row(row, column, count) for band in rows for row in band])


def _joined(words: Sequence[Word]) -> list[Word]:
    return [piece for _, some in groupby(words, key=lambda word: word.line) for piece in _pieces(list(some))]


def _pieces(words: Sequence[Word]) -> list[Word]:
    """The words of a line, those without a gap between them as one."""
    pieces = list(words[:1])
    for word in words[1:]:
        before = pieces[-1]
        if word.left - before.right < GAP * word.size:
            pieces[-1] = before._replace(text=f"{before.text} {word.text}", right=word.right)
        else:
            pieces.append(word)
    return pieces


def _text_rows(words: Sequence[Word]) -> list[list[Word]]:
    """Words of one height as a row, from above and from the left."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: -word.base):
        if rows and rows[-1][0].base - word.base < word.size * LEVEL:
            rows[-1].append(word)
        else:
            rows.append([word])
    return [sorted(row, key=lambda word: word.left) for row in rows]


def _unruled(lines: Sequence[Sequence[Word]], shown: Sequence[Line]) -> Iterator[_Table]:
    for rows in _runs(lines):
        columns = _columns(rows)
        numbers = frozenset(word.line for row in rows for word in row)
        if not columns or len(rows) < FEWEST_ROWS or len({shown[number].size for number in numbers}) > MOST_SIZES:
            continue
        cells = _with_rest([_row(row, partial(_column, columns=columns), len(columns)) for row in rows])
        marks = sum(MARK.match(f"{row[0]} x") is not None for row in cells)
        long = sum(median(len(row[column]) for row in cells) > SHORT_CELL for column in range(len(columns)))
        if _is_table(cells) and len(cells) >= FEWEST_ROWS and marks * 2 < len(cells) and long <= MOST_LONG:
            yield _Table(cells, numbers)


def _runs(lines: Sequence[Sequence[Word]]) -> Iterator[list[list[Word]]]:
    """Rows that follow each other, in the order in which they are written, each of two pieces or the rest of one."""
    run: list[list[Word]] = []
    for row in _written_rows(lines):
        if run and run[-1][0].base - row[0].base > FURTHEST * row[0].size:
            yield _trimmed(run)
            run = []
        is_part = run and (row[0].left > run[-1][0].right or row[0].right < run[0][1].left)
        if len(row) > 1 or is_part:
            run.append(row)
        else:
            yield _trimmed(run)
            run = []
    yield _trimmed(run)


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


def _columns(rows: Sequence[Sequence[Word]]) -> list[tuple[float, float]]:
    """From where to where each column goes, by the rows that have most cells; empty when they are not aligned."""
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


def _column(word: Word, columns: Sequence[tuple[float, float]]) -> int:
    """The first column that it reaches into, or the nearest."""
    reached = [number for number, (left, right) in enumerate(columns) if word.left < right and word.right > left]
    if reached:
        return reached[0]
    return min(
        range(len(columns)),
        key=lambda number: min(abs(word.left - columns[number][1]), abs(columns[number][0] - word.right)),
    )


def _row(words: Sequence[Word], column: Callable[[Word], int], count: int) -> list[str]:
    cells: list[list[str]] = [[] for _ in range(count)]
    for word in words:
        cells[column(word)].append(word.text)
    return [" ".join(cell) for cell in cells]


def _with_rest(cells: Cells) -> Cells:
    """Join what goes on below a cell to it: a row without its first cell that fills half of the columns at most."""
    rows: Cells = []
    for row in cells:
        is_rest = rows and not row[0] and sum(map(bool, row)) * 2 <= len(row)
        if is_rest:
            rows[-1] = [f"{above} {below}".strip() for above, below in zip(rows[-1], row, strict=True)]
        else:
            rows.append(row)
    return rows


def _is_table(cells: Cells) -> bool:
    """At least two rows and columns with words in them, and no prose."""
    several = [row for row in cells if sum(map(bool, row)) > 1]
    filled = [len(cell) for row in cells for cell in row if cell]
    return len(several) > 1 and len(several) * 2 > len(cells) and median(filled) <= LONG_CELL
