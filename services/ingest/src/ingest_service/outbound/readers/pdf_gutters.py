"""Two columns of prose that a file holds line by line, across both: read one after the other."""

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from ingest_service.outbound.readers.pdf_cells import ALIGNED, Word, has_room, pieces
from ingest_service.outbound.readers.pdf_layout import Line

FEWEST_LINES: Final = 6
"""Side by side: fewer may be the rows of a table."""
SHORT_LINE: Final = 25
"""Characters: columns of a table have shorter ones."""
SAMPLES: Final = 3
"""Lines that tell whether it is worth while to measure all of them."""
FURTHEST: Final = 1.3
"""Of the distance of the first two lines: what is further below in both columns is something new."""
PARAGRAPH: Final = 2.2
"""The same for what is further below in one column, where the other has ended or has a gap, too."""
MOST_OPEN: Final = 0.3
"""Of a column's lines, but those that end a sentence, that have room for the next one's first word."""
STOPS: Final = ".!?:"
MOST_CAPITALS: Final = 0.6
"""Of a column's lines, that begin with one: what begins so each time are cells."""
Halves = tuple[Word | None, Word | None]
"""A line's parts on the left and on the right of the gutter."""


def parted(
    lines: Sequence[Line], words_of: Callable[[int], Sequence[Word]], taken: Container[int]
) -> Mapping[int, list[Line]]:
    """By the number of a line across both columns what stands in its place: all of them at the first, nothing below."""
    free = [number for number in range(len(lines)) if number not in taken]
    wide = [number for number in free if len(lines[number].text) > 2 * SHORT_LINE]
    samples = wide[:: max(len(wide) // SAMPLES, 1)][:SAMPLES]
    if len(wide) < FEWEST_LINES or not all(_is_across(words_of(number)) for number in samples):
        return {}
    gaps = {number: gap for number in free if (gap := _gap(words_of(number)))}
    edge, often = Counter(round(right.left) for _, right in gaps.values()).most_common(1)[0]
    if often < FEWEST_LINES:
        return {}
    halves = {number: _halves(number, lines[number], gaps.get(number), edge) for number in free}
    found: dict[int, list[Line]] = {}
    for run in _runs(lines, halves):
        columns = [[half for number in run if (half := halves[number][side])] for side in (0, 1)]
        if all(map(_is_prose, columns)):
            shown = [_line(lines[half.line], half) for column in columns for half in column]
            found |= {number: [] for number in run} | {run[0]: shown}
    return found


def _is_across(words: Sequence[Word]) -> bool:
    gap = _gap(words)
    return gap is not None and all(len(half.text) > SHORT_LINE / 2 for half in gap)


def _gap(words: Sequence[Word]) -> tuple[Word, Word] | None:
    both = pieces(words)
    is_one = len(both) == len(("left", "right")) and both[0].base == both[1].base
    return (both[0], both[1]) if is_one else None


def _halves(number: int, line: Line, gap: tuple[Word, Word] | None, edge: float) -> Halves:
    """Both empty for a line that goes across the gutter."""
    room = ALIGNED * line.size
    if gap is not None:
        return gap if abs(gap[1].left - edge) < room else (None, None)
    whole = Word(line.text, line.left, line.right, line.base, line.size, number)
    return (whole, None) if line.right < edge - room else (None, whole if line.left > edge - room else None)


def _runs(lines: Sequence[Line], halves: Mapping[int, Halves]) -> Iterator[list[int]]:
    """Lines below each other, the first with both halves, of which enough have both."""
    run: list[int] = []
    for number in (*sorted(halves), len(lines)):
        sides = sum(half is not None for half in halves.get(number, ()))
        goes_on = sides > 0 and _follows(run, number, lines, PARAGRAPH if sides == 1 else FURTHEST)
        if run and not goes_on:
            if sum(all(halves[each]) for each in run) >= FEWEST_LINES:
                yield run
            run = []
        if goes_on or sides == len(("left", "right")):
            run.append(number)


def _follows(run: Sequence[int], number: int, lines: Sequence[Line], furthest: float) -> bool:
    if not run:
        return False
    above, line = lines[run[-1]], lines[number]
    usual = lines[run[0]].base - lines[run[1]].base if len(run) > 1 else 2 * line.size / furthest
    return number == run[-1] + 1 and above.size == line.size and 0 < above.base - line.base < usual * furthest


def _is_prose(column: Sequence[Word]) -> bool:
    right = max(half.right for half in column)
    is_open = [has_room(one, next_, right) for one, next_ in pairwise(column) if one.text[-1] not in STOPS]
    begins = [half.text[0].isupper() for half in column]
    is_long = median(len(half.text) for half in column) > SHORT_LINE
    return is_long and sum(is_open) <= len(is_open) * MOST_OPEN and sum(begins) <= len(begins) * MOST_CAPITALS


def _line(line: Line, half: Word) -> Line:
    return line._replace(text=half.text, left=half.left, right=half.right, last_base=half.base)
