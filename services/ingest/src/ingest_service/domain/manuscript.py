"""What every reader makes of a file: one text, and its structure as spans of that text.

Every offset that is given out (a passage, a citation, a page) counts characters of `Manuscript.text`. A reader calls a
`Composer` in reading order, which writes the text and notes where each block is, so that offsets cannot be wrong.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from ingest_service.domain.blocks import Block, Kind, Span, introduced
from ingest_service.domain.document import Note, PageStart
from ingest_service.domain.errors import DocumentTooLong, EmptyDocument

MOST_PAGES: Final = 5_000
MOST_CHARACTERS: Final = 40_000_000
MOST_NOTES: Final = 100
"""Of one document; of more, the last says how many there are besides."""
DEEPEST_HEADING: Final = 6
FINE_ROWS: Final = 1_000
"""A table of so many rows may be cut between any two of them."""
WIDEST_HEADER: Final = 300
"""Characters of a table's header; below a wider one nothing would fit beside it in a passage."""
LONGEST_ROW: Final = 600
"""Characters of a row; a longer one is cut, and what its later parts are about would not be said in them."""
UNIT: Final = 200
"""Characters from which rows of a longer one may be cut apart."""
_BETWEEN: Final = "\n\n"
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u2060\ufeff\ufffe\uffff]")
# half of a pair alone cannot be written as UTF-8, neither to the database nor to a page
_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")


class Item(NamedTuple):
    """An item of a list: `depth` from 0, `mark` as it is shown before the words."""

    words: str
    depth: int = 0
    mark: str = "-"


@dataclass(frozen=True, slots=True)
class Manuscript:
    """A document that was read.

    Attributes:
        media_type: What the file is, told from its bytes.
        text: All of its text; tables are Markdown's, with a bar between the cells.
        blocks: Its structure in reading order, spans of `text`.
        pages: Where each page, slide or sheet begins, as ascending offsets; empty when the format has none.
        title: The document's own title, None when it says none.
        notes: What could not be read, and what was left out.
    """

    media_type: str
    text: str
    blocks: Sequence[Block]
    pages: Sequence[int] = ()
    title: str | None = None
    notes: Sequence[Note] = ()

    def page_of(self, offset: int) -> int | None:
        """The page, from 1, that holds a character; None when the format has no pages."""
        return bisect_right(self.pages, offset) or 1 if self.pages else None

    def pages_of(self, span: Span) -> tuple[PageStart, ...]:
        """Where each page begins that has a part in the span, the first at its start; empty where that is one."""
        first, after = bisect_right(self.pages, span.start), bisect_left(self.pages, span.end)
        starts = dict.fromkeys([span.start, *self.pages[first:after]]) if after > first else {}
        return tuple(PageStart(start, bisect_right(self.pages, start) or 1) for start in starts)


class Composer:
    """Writes a manuscript block by block; empty blocks are left out."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._pages: list[int] = []
        self._notes: list[Note] = []

    @property
    def blocks(self) -> int:
        """How many blocks were written."""
        return len(self._blocks)

    def page(self) -> None:
        """What follows stands on the next page.

        Raises:
            DocumentTooLong: Beyond `MOST_PAGES`.
        """
        if len(self._pages) >= MOST_PAGES:
            raise DocumentTooLong(f"The document has more than {MOST_PAGES:,} pages. Send it in parts.")
        self._pages.append(self._length + (len(_BETWEEN) if self._parts else 0))

    def heading(self, level: int, words: str) -> None:
        """A heading of depth 1 to 6; deeper ones count as 6."""
        title = " ".join(clean(words).split())
        if title:
            span = self._write(title)
            self._blocks.append(Block(Kind.HEADING, span, title=title, level=min(max(level, 1), DEEPEST_HEADING)))

    def paragraph(self, words: str) -> None:
        """A paragraph; its line ends are kept, other white space is made one space."""
        body = _lines(words)
        if body:
            self._blocks.append(Block(Kind.PARAGRAPH, self._write(body)))

    def items(self, items: Iterable[Item]) -> None:
        """A list; an inner item belongs to the outer one before it, and the two are not parted if they fit together."""
        shown = [(item, words) for item in items if (words := _lines(item.words))]
        lines = [f"{'  ' * item.depth}{_cell(item.mark)} {words}" for item, words in shown]
        starts = [number for number, (item, _) in enumerate(shown) if item.depth == 0 or number == 0]
        self._write_units(Kind.LIST, lines, starts)

    def table(self, rows: Iterable[Sequence[str]], *, has_header: bool) -> None:
        """A table; its header goes with every part of a long one. Rows and columns without words are left out.

        Rows longer than `LONGEST_ROW`, and all below a header wider than `WIDEST_HEADER` are lists of names and values.
        """
        shown = _filled_columns([[_cell(cell) for cell in row] for row in rows])
        if len(shown) == 1 and len(shown[0]) == 1:
            self.paragraph(shown[0][0])
            return
        if not has_header or not shown[1:]:
            lines = list(map(_line, shown))
            self._write_units(Kind.TABLE, lines, [*_cuts(lines, 0)])
            return
        is_wide = len(_line(shown[0])) > WIDEST_HEADER
        for is_record, some in groupby(shown[1:], key=lambda row: is_wide or sum(map(len, row)) > LONGEST_ROW):
            if is_record:
                for row in some:
                    self._record(shown[0], row)
            else:
                self._rows(shown[0], some)

    def _rows(self, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        lines = [_line(names), f"|{'---|' * len(names)}", *map(_line, rows)]
        self._write_units(Kind.TABLE, lines, [0, *_cuts(lines, 3)], lead=len(lines[0]))

    def _record(self, names: Sequence[str], row: Sequence[str]) -> None:
        """What a row says, led by its first cell where it is cut."""
        lines = [f"{name}: {words}" if name else words for name, words in zip(names, row, strict=True) if words]
        self._write_units(Kind.LIST, lines, range(len(lines)), lead=len(lines[0]))

    def code(self, text: str) -> None:
        """Text whose white space means something."""
        lines = [line.rstrip() for line in clean(text).strip("\n").split("\n")]
        if any(lines):
            self._write_units(Kind.CODE, lines, range(len(lines)))

    def text(self, text: str, blocks_of: Callable[[str], Iterable[Block]]) -> None:
        """A text whose structure is told from its own layout; no line of it is joined or cut."""
        body = clean(text).strip("\n").rstrip()
        if body.strip():
            start = self._write(body).start
            self._blocks.extend(block.moved(start) for block in blocks_of(body))

    def note(self, reason: str, *, page: int | None = None) -> None:
        """Say what the owner of the document should know."""
        self._notes.append(Note(page, reason))

    def manuscript(self, media_type: str, title: str | None = None) -> Manuscript:
        """All that was written.

        Raises:
            EmptyDocument: No block was written.
        """
        if not self._blocks:
            raise EmptyDocument("The document has no text in it.")
        text = "".join(self._parts)
        named = " ".join(clean(title or "").split()) or None
        blocks = tuple(introduced(text, self._blocks))
        pages = tuple(min(page, len(text)) for page in self._pages)
        return Manuscript(media_type, text, blocks, pages, named, _few(self._notes))

    def _write_units(self, kind: Kind, lines: Sequence[str], starts: Sequence[int], lead: int | None = None) -> None:
        """Write lines as one block whose units begin at the lines `starts`; `lead` is the length of what leads it."""
        if not lines:
            return
        span = self._write("\n".join(lines))
        begins, place = [], span.start
        for line in lines:
            begins.append(place)
            place += len(line) + 1
        ends = [begins[start] - 1 for start in starts[1:]] + [span.end]
        units = tuple(Span(begins[start], end) for start, end in zip(starts, ends, strict=True))
        leading = None if lead is None else Span(span.start, span.start + lead)
        self._blocks.append(Block(kind, span, units=units, lead=leading))

    def _write(self, body: str) -> Span:
        if self._parts:
            self._parts.append(_BETWEEN)
            self._length += len(_BETWEEN)
        span = Span(self._length, self._length + len(body))
        if span.end > MOST_CHARACTERS:
            raise DocumentTooLong(f"The document has more than {MOST_CHARACTERS:,} characters. Send it in parts.")
        self._parts.append(body)
        self._length = span.end
        return span


def clean(text: str) -> str:
    """Without characters that nobody sees and no database keeps; all line ends are LF."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _HALF_PAIR.sub("\ufffd", _UNPRINTABLE.sub("", text))


def _few(notes: Sequence[Note]) -> Sequence[Note]:
    left = len(notes) - MOST_NOTES + 1
    more = Note(None, f"{left:,} more notes like these.")
    return tuple(notes) if left <= 1 else (*notes[: MOST_NOTES - 1], more)


def _lines(words: str) -> str:
    if words.isprintable():
        return " ".join(words.split())
    lines = (" ".join(line.split()) for line in clean(words).split("\n"))
    return "\n".join(line for line in lines if line)


def _cell(words: str) -> str:
    plain = words if words.isprintable() else clean(words)
    return " ".join(plain.split()).replace("|", "\\|")


def _line(row: Sequence[str]) -> str:
    return f"| {' | '.join(row)} |"


def _cuts(rows: Sequence[str], first: int) -> Iterator[int]:
    """The rows, from `first`, before which a table may be cut: so many together that a unit is worth keeping."""
    size = UNIT
    for number in range(first, len(rows)):
        if size >= UNIT or len(rows) <= FINE_ROWS:
            yield number
            size = 0
        size += len(rows[number])


def _filled_columns(rows: list[list[str]]) -> list[list[str]]:
    """Rows of the same width, without those rows and columns that hold nothing."""
    kept = [row for row in rows if any(row)]
    width = max(map(len, kept), default=0)
    used = [column for column in range(width) if any(len(row) > column and row[column] for row in kept)]
    if len(used) == width and all(len(row) == width for row in kept):
        return kept
    return [[row[column] if column < len(row) else "" for column in used] for row in kept]
