"""Lines of PDF pages as headings, paragraphs and lists, told by size, weight and distance."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from ingest_service.domain.manuscript import Composer, Item

LARGER: Final = 1.12
"""Of a heading's size to the body's."""
LONGEST_HEADING: Final = 200
LONGEST_BOLD_HEADING: Final = 100
MOST_LEVELS: Final = 4
"""Levels that sizes make; headings that are only bold stand below them."""
FURTHER: Final = 1.35
"""Of the distance between paragraphs to that between lines."""
SHORT: Final = 0.2
"""Of the width that a line leaves free when it was ended on purpose, as in an address or a table."""
FEWEST_PAGES: Final = 3
"""Pages from which what repeats at their edges is a header or footer."""
REPEATED_ON: Final = 0.4
"""Of the pages; where left and right ones differ, each header is on half of them."""
AT_THE_EDGE: Final = 2
"""Lines at the top and at the bottom that may be headers and footers."""
MARGIN: Final = 0.12
"""Of the page's height, where they stand."""
_BULLET: Final = re.compile(
    r"(?:[\u2022\u25e6\u25aa\u2023\u00b7\u25cf\u25cb\u25a0\u2013\u2043\uf0b7\uf0a7\uf0d8*-])\s+(?=\S)"
)
_NUMBER: Final = re.compile(r"(\(?(?:\d{1,3}|[a-z])[.)])\s+(?=\S)")
MARK: Final = re.compile(f"{_BULLET.pattern}|{_NUMBER.pattern}")
"""What an item of a list begins with."""
_STOP: Final = re.compile(r"[.!?:;\u2026\u3002\u061f\"'\u201d)\]]$")
_NUMBER_OF_PAGE: Final = re.compile(r"(?<!\d)\d{1,4}(?!\d)")
MOST_BEFORE: Final = 1_000
"""Pages that may come before the file's first; years and numbers of invoices are further from those of its pages."""
_Edge = tuple[str, int]
_HYPHENS: Final = re.compile("[\x02\ufffe]")
"""What pdfium has for a hyphen at a line's end."""


class Table(NamedTuple):
    """Rows of cells, and from where to where each column goes, in points; `is_bold` says how the first row is set."""

    rows: Sequence[Sequence[str]]
    columns: Sequence[tuple[float, float]]
    has_header: bool
    is_bold: bool


class Line(NamedTuple):
    """One line, in points: where its letters stand from the page's bottom is `base`.

    A line that ends with a hyphenated word goes on below: there, at `last_base`, stands its last letter. The lines of
    a table are one.
    """

    text: str
    size: float
    left: float
    right: float
    base: float
    last_base: float
    is_bold: bool
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page's lines in reading order, and its height in points; a picture has no lines.

    `leaves_out`: some text of it is not seen, and is not among the lines.
    """

    lines: Sequence[Line]
    height: float
    is_picture: bool
    leaves_out: bool = False


@dataclass(frozen=True, slots=True)
class _Look:
    """What is usual in a document: the body's size, and which larger sizes its headings have."""

    body: float
    is_bold: bool
    sizes: Sequence[float]

    def level(self, line: Line) -> int | None:
        """A heading's level, None for body text."""
        if line.table or not any(letter.isalpha() for letter in line.text):
            return None
        if line.size >= self.body * LARGER and len(line.text) <= LONGEST_HEADING:
            return min(sum(size > line.size for size in self.sizes), MOST_LEVELS - 1) + 1
        is_short = len(line.text) <= LONGEST_BOLD_HEADING and line.text[-1] not in ".,;:"
        if line.is_bold and not self.is_bold and is_short and line.size >= self.body and not _BULLET.match(line.text):
            return min(len(self.sizes), MOST_LEVELS) + 1
        return None


def compose_pages(composer: Composer, pages: Sequence[Page]) -> None:
    """Write all pages; what repeats at the edges of most of them is left out."""
    look = _look(pages)
    edges = _repeated(pages, look)
    for number, page in enumerate(pages):
        composer.page()
        left_out = {id(line) for line in _at_edges(page) if _same_elsewhere(line, number, look) & edges}
        _compose(composer, [line for line in page.lines if id(line) not in left_out], look)


def _look(pages: Sequence[Page]) -> _Look:
    sizes: Counter[float] = Counter()
    bold = 0
    for line in (line for page in pages for line in page.lines):
        sizes[line.size] += len(line.text)
        bold += len(line.text) * line.is_bold
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    larger = sorted((size for size in sizes if size >= body * LARGER), reverse=True)
    return _Look(body, bold * 2 > sizes.total(), larger)


def _repeated(pages: Sequence[Page], look: _Look) -> frozenset[_Edge]:
    counts: Counter[_Edge] = Counter()
    for number, page in enumerate(pages):
        counts.update({edge for line in _at_edges(page) for edge in _same_elsewhere(line, number, look)})
    written = sum(bool(page.lines) for page in pages)
    fewest = max(FEWEST_PAGES, written * REPEATED_ON)
    return frozenset(edge for edge, count in counts.items() if count >= fewest)


def _at_edges(page: Page) -> Sequence[Line]:
    """Lines, and small tables, that lie wholly within the margins."""
    margin = page.height * MARGIN
    below = sorted((line for line in page.lines if line.base < margin), key=_base)[:AT_THE_EDGE]
    above = sorted((line for line in page.lines if line.last_base > page.height - margin), key=_base)[-AT_THE_EDGE:]
    return [*below, *above]


def _base(line: Line) -> float:
    return line.base


def _same_elsewhere(line: Line, number: int, look: _Look) -> set[_Edge]:
    """How the same header is told on another page: by its place, and its words with or without the page's number.

    Any other number is something that this page says; in a heading (`Lesson 3`) so is one that counts pages.
    """
    place = round(line.base / 4)
    found = {(line.text, place)}
    if line.size >= look.body * LARGER and any(map(str.isalpha, line.text)):
        return found
    for match in _NUMBER_OF_PAGE.finditer(line.text[:LONGEST_HEADING]):
        before = int(match.group()) - number
        if before < MOST_BEFORE:
            found.add((f"{line.text[: match.start()]}#{before}{line.text[match.end() :]}", place))
    return found


def _compose(composer: Composer, lines: Sequence[Line], look: _Look) -> None:
    items: list[Item] = []
    for group in _groups(lines, look):
        table = group[0].table
        item = None if table else _item(group)
        if item is not None:
            items.append(item)
            continue
        composer.items(items)
        items = []
        level = look.level(group[0])
        if table:
            composer.table(table.rows, has_header=table.has_header)
        elif level is not None and sum(len(line.text) for line in group) <= LONGEST_HEADING:
            composer.heading(level, _joined(group).replace("\n", " "))
        else:
            composer.paragraph(_joined(group))
    composer.items(items)


def _groups(lines: Sequence[Line], look: _Look) -> Iterator[list[Line]]:
    """Lines that belong together: a heading, a paragraph, an item."""
    pitch = _pitch(lines)
    group: list[Line] = []
    for line in lines:
        if group and _begins(group, line, look, pitch):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _pitch(lines: Sequence[Line]) -> float:
    """The usual distance of two lines of a paragraph on this page; 0 when there are none."""
    steps = [above.last_base - below.base for above, below in pairwise(lines) if above.size == below.size]
    usual = [step for step, line in zip(steps, lines, strict=False) if 0 < step < 3 * line.size]
    return median(usual) if usual else 0.0


def _begins(group: Sequence[Line], line: Line, look: _Look, pitch: float) -> bool:
    """Does the line begin something new?"""
    before = group[-1]
    if before.table or line.table:
        return True
    step = before.last_base - line.base
    if look.level(before) != look.level(line) or abs(before.size - line.size) > before.size / 4:
        return not _is_same_row(before, line)
    if _mark(line) is not None and not _is_running(group, line, step, pitch):
        return True
    if step < -line.size:
        return not _goes_on(before, line)
    if pitch and step > max(pitch, line.size) * FURTHER:
        return True
    is_indented = line.left > before.left + line.size and line.left > group[0].left
    return is_indented and _STOP.search(before.text) is not None and _mark(group[0]) is None


def _is_same_row(before: Line, line: Line) -> bool:
    return abs(before.last_base - line.base) < line.size / 3


def _is_running(group: Sequence[Line], line: Line, step: float, pitch: float) -> bool:
    """Whether a wrapped sentence only happens to begin a line with a number or letter, as `17. March` or `z. B.`.

    The line before it is full and ends no sentence, and no list begins with it or goes on with it.
    """
    mark = _NUMBER.match(line.text)
    if mark is None or _STOP.search(group[-1].text) is not None or _counts(group[0], mark.group(1)):
        return False
    before = group[-1]
    is_beside = abs(line.left - before.left) < line.size or (len(group) == 1 and line.left < before.left)
    is_full = before.right > line.right - (line.right - line.left) * SHORT
    return is_beside and is_full and 0 < step <= max(pitch, line.size) * FURTHER


def _counts(first: Line, mark: str) -> bool:
    """Whether a list may begin with a mark, or go on with it after an item that begins with this line."""
    sign = mark.strip("().")
    if sign in {"1", "a", "i"}:
        return True
    before = _NUMBER.match(first.text)
    last = before.group(1).strip("().") if before else ""
    if sign.isdigit() and last.isdigit():
        return int(sign) == int(last) + 1
    return len(last) == 1 and sign.isalpha() and last.isalpha() and ord(sign) == ord(last) + 1


def _goes_on(before: Line, line: Line) -> bool:
    """A sentence that is continued at the top of the next column."""
    return line.text[:1].islower() and _STOP.search(before.text) is None


def _mark(line: Line) -> re.Match[str] | None:
    return _BULLET.match(line.text) or _NUMBER.match(line.text)


def _item(group: Sequence[Line]) -> Item | None:
    mark = _mark(group[0])
    if mark is None:
        return None
    words = _joined(group)[mark.end() :]
    return Item(words, mark=mark.group(1) if mark.re is _NUMBER else "-")


def _joined(group: Sequence[Line]) -> str:
    """The words of consecutive lines; a line that was ended on purpose keeps its end."""
    right = max(line.right for line in group)
    free = (right - min(line.left for line in group)) * SHORT
    joined = group[0].text
    for before, line in pairwise(group):
        is_hyphenated = joined.endswith("-") and line.text[:1].islower() and joined[-2:-1].isalpha()
        is_range = joined.endswith("-") and joined[-2:-1].isdigit() and line.text[:1].isdigit()
        if _HYPHENS.match(joined[-1:]) or is_range:
            joined += line.text
        elif is_hyphenated:
            joined = joined[:-1] + line.text
        else:
            is_short = before.right < right - free and not _is_same_row(before, line)
            joined += ("\n" if is_short else " ") + line.text
    return _HYPHENS.sub(_hyphen, joined)


def _hyphen(mark: re.Match[str]) -> str:
    """Nothing within a word; before a capital or a digit it is part of what is written: `Baden-Baden`, `10-12`."""
    after = mark.string[mark.end() : mark.end() + 1]
    return "-" if after.isupper() or after.isdigit() else ""
