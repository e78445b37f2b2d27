"""Tables of a PDF that are drawn: ruling lines of one length below each other, with or without upright ones."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from ingest_service.outbound.readers.pdf_cells import (
    FURTHEST,
    Cells,
    Columns,
    Found,
    Word,
    columns_of,
    fits,
    is_table,
    nearest,
    pieces,
    pieces_of_lines,
    row_of,
    text_rows,
    with_rest,
)
from ingest_service.outbound.readers.pdf_rules import STRAIGHT, Rule, Rules
from ingest_service.outbound.readers.pdf_wraps import Rows, rivers, unwrapped

FEWEST_RULES: Final = 3
"""Above and below the header, and below the last row."""
EVERY_ROW_RULED: Final = 5
"""So many rules part all rows, unless several whole rows stand between two of them; fewer part header and body."""
SEVERAL: Final = 3
"""Whole rows between two rules, from which on they part no rows: a row that is wrapped in all its cells has two."""
FEWEST_LINES: Final = 3
"""Between two rules: fewer tell nothing of how far apart the rows are."""
ALIKE: Final = 6.0
"""Points by which the ends of one table's rules differ."""


class Frame(NamedTuple):
    """Where rules of equal length lie below each other; `heights` from above, `upright` all of the page."""

    left: float
    right: float
    heights: Sequence[float]
    upright: Sequence[Rule]

    def reaches(self, base: float) -> bool:
        """Whether a height is between the first rule and the last."""
        return self.heights[-1] < base < self.heights[0]

    def beside(self, word: Word) -> bool:
        """Whether a word stands between the ends of the rules, or would if they were longer upwards and downwards."""
        return self.left - ALIKE < (word.left + word.right) / 2 < self.right + ALIKE

    def bands(self) -> list[tuple[float, float]]:
        """What is between two rules, from above: its upper and its lower height."""
        return list(pairwise(self.heights))

    def area(self) -> float:
        """Square points."""
        return (self.right - self.left) * (self.heights[0] - self.heights[-1])


def frames(rules: Rules) -> list[Frame]:
    """Every three rules or more of equal length, whatever lies between them."""
    found: list[tuple[Rule, list[float]]] = []
    for rule in sorted(rules.flat, key=lambda rule: -rule.at):
        alike = [heights for one, heights in found if abs(one.begin - rule.begin) + abs(one.end - rule.end) < ALIKE]
        if alike:
            alike[0].append(rule.at)
        else:
            found.append((rule, [rule.at]))
    return [
        Frame(rule.begin, rule.end, heights, rules.upright) for rule, heights in found if len(heights) >= FEWEST_RULES
    ]


def ruled(words: Sequence[Sequence[Word]], frames: Sequence[Frame]) -> Iterator[Found]:
    """The tables in the frames, of the words of each line."""
    everything = [word for some in words for word in some]
    parts = [part for frame in frames for part in _parts(frame, [word for word in everything if frame.beside(word)])]
    taken = set[int]()  # a line belongs to one table, the innermost, whatever is drawn around it
    for frame in sorted(parts, key=Frame.area):
        mine = [word for word in everything if frame.reaches(word.base) and frame.beside(word)]
        lines = frozenset(word.line for word in mine)
        is_whole = sum(len(words[number]) for number in lines) == len(mine)
        cells, columns = _cells_in(frame, mine) if mine and is_whole else ([], [])
        if is_table(cells) and not lines & taken:
            taken |= lines
            yield Found(cells, columns, lines)


def _parts(frame: Frame, words: Sequence[Word]) -> Iterator[Frame]:
    """The tables of one width that stand below each other, each with the rows beyond its first and last rule."""
    size = median(word.size for word in words) if words else 0.0
    rows = [text_rows([word for word in words if low < word.base < high]) for high, low in frame.bands()]
    blanks = [_blank(*band, some) for band, some in zip(frame.bands(), rows, strict=True)]
    is_boxed = [_has_sides(frame, *band) for band in frame.bands()]
    bands = _Bands(size, [[len(pieces(row)) for row in some] for some in rows], blanks, is_boxed)
    heights, ceiling = [frame.heights[0]], math.inf
    for number, (high, low) in enumerate(frame.bands()):
        if bands.is_between_tables(number):
            middle = (high + low) / 2
            yield from _whole(frame._replace(heights=heights), words, bands, (ceiling, middle))
            heights, ceiling = [], middle
        heights.append(low)
    yield from _whole(frame._replace(heights=heights), words, bands, (ceiling, -math.inf))


class _Bands(NamedTuple):
    """What is between the rules of a frame: the pieces of its rows, how high it is blank, whether it has sides."""

    size: float
    pieces: Sequence[Sequence[int]]
    blanks: Sequence[float]
    is_boxed: Sequence[bool]

    def are_boxes(self) -> bool:
        """Whether upright rules go through most of them; where every other row has a background, through half."""
        return sum(self.is_boxed) * 3 >= len(self.is_boxed) * 2

    def is_between_tables(self, number: int) -> bool:
        """Whether one table ends and the next begins there: it is blank as no other, or nothing stands in columns."""
        rows, blank = self.pieces[number], self.blanks[number]
        if self.is_boxed[number]:
            return False
        has_columns = any(count > 1 for count in rows)
        if self.are_boxes():
            return not has_columns and (bool(rows) or blank > 2 * STRAIGHT)
        if blank > (max(self.size, 2 * median(self.blanks)) if rows else self.size):
            return True
        return bool(rows) and not has_columns and (len(rows) > 1 or any(map(self._holds_several, self.pieces)))

    def _holds_several(self, rows: Sequence[int]) -> bool:
        most = max(count for some in self.pieces for count in some)
        return rows.count(most) >= SEVERAL


def _blank(high: float, low: float, rows: Sequence[Sequence[Word]]) -> float:
    """The higher of what is blank above and below the text between two rules."""
    if not rows:
        return high - low
    first, last = rows[0][0], rows[-1][0]
    return max(high - first.base - first.size, last.base - low)


def _has_sides(frame: Frame, high: float, low: float) -> bool:
    middle = (high + low) / 2
    return any(
        rule.begin < middle < rule.end and frame.left - ALIKE < rule.at < frame.right + ALIKE for rule in frame.upright
    )


def _whole(frame: Frame, words: Sequence[Word], bands: _Bands, limits: tuple[float, float]) -> Iterator[Frame]:
    """With a header above the first rule, and a last row below the last one, where rules only part rows.

    `limits`: the heights, upper and lower, where other tables of the same width begin.
    """
    if len(frame.heights) <= 1:
        return
    heights = list(frame.heights)
    if not bands.are_boxes():
        highest = min(heights[0] + FURTHEST * bands.size, limits[0])
        lowest = max(heights[-1] - FURTHEST * bands.size, limits[1])
        columns = columns_of([pieces(row) for row in text_rows([word for word in words if frame.reaches(word.base)])])
        above = text_rows([word for word in words if heights[0] < word.base < highest])[-1:]
        below = text_rows([word for word in words if lowest < word.base < heights[-1]])[:1]
        if above and _is_row(above[0], columns):
            heights.insert(0, above[0][0].base + bands.size)
        if below and _is_row(below[0], columns):
            heights.append(below[0][0].base - bands.size)
    if len(heights) >= FEWEST_RULES:
        yield frame._replace(heights=heights)


def _is_row(words: Sequence[Word], columns: Columns) -> bool:
    row = pieces(words)
    return len(row) > 1 and fits(row, columns)


def _cells_in(frame: Frame, words: Sequence[Word]) -> tuple[Cells, Columns]:
    """Columns by upright rules where there are some, else by gaps; rows by the rules if those part all of them."""
    bands = [[word for word in words if low < word.base < high] for high, low in frame.bands()]
    inner = _inner(frame)
    rows = [text_rows(band if inner else pieces_of_lines(band)) for band in bands]
    columns = columns_of([row for band in rows for row in band])
    if inner:
        columns = list(pairwise([frame.left, *inner, frame.right]))
    else:
        rows, columns = _unwrapped(rows, columns)
    if not columns:
        return [], []

    def column(word: Word) -> int:
        middle = (word.left + word.right) / 2
        return sum(at < middle for at in inner) if inner else nearest(word, columns)

    def cells(row: Sequence[Word]) -> list[str]:
        return row_of(row, column, len(columns))

    if len(frame.heights) >= EVERY_ROW_RULED and not any(_holds_several(list(map(cells, band))) for band in rows):
        return [cells([word for row in band for word in row]) for band in rows if band], columns
    return with_rest([cells(row) for band in rows for row in band]), columns


def _unwrapped(bands: list[Rows], columns: Columns) -> tuple[list[Rows], Columns]:
    """The rows between each two rules with their lines as one; columns also where no line has all of them."""
    between = rivers([row for band in bands for row in band])
    for found in (between, columns) if len(between) > len(columns) else (columns,):
        rows = [unwrapped(band, found) if len(band) >= FEWEST_LINES else band for band in bands] if found else bands
        if rows != bands:
            return rows, found
    return bands, columns


def _holds_several(rows: Cells) -> bool:
    return sum(all(row) for row in rows) >= SEVERAL


def _inner(frame: Frame) -> list[float]:
    """Places where upright rules go through most of the frame, in one piece or in one for each row."""
    top, bottom = frame.heights[0], frame.heights[-1]
    lengths: dict[int, float] = {}
    for one in frame.upright:
        length = max(min(one.end, top) - max(one.begin, bottom), 0.0)
        lengths[round(one.at)] = lengths.get(round(one.at), 0.0) + length
    through = [at for at, length in sorted(lengths.items()) if length > (top - bottom) / 2]
    return [at for at in through if frame.left + ALIKE < at < frame.right - ALIKE]
