"""Sheets of a workbook, old or new: what they hide is left out, and merged cells are said in each of their rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from ingest_service.domain.manuscript import Composer
from ingest_service.outbound.readers.grid import ACROSS, compose_grid, seen

MOST_EMPTY_ROWS: Final = 100_000
"""On end; below them nothing is looked for, as in a sheet that was formatted down to its last row."""
TALLEST: Final = 1_000
"""Rows that one merged cell is repeated in."""
WIDEST: Final = 64
"""Columns that it goes on over; a wider one stands above all of them."""
_UNKNOWN: Final = (
    "Cells are empty, as they hold formulas whose results the file does not keep: {:,}. Open it in a spreadsheet "
    "program, save it and send that."
)
_FAR: Final = (
    f"Cells far below the others were left out, down to row {{:,}}: more than {MOST_EMPTY_ROWS:,} empty rows stand "
    "above them. Move them up and send the workbook again."
)


@dataclass(slots=True)
class Layout:
    """Rows and columns, from 1, that are hidden, and cells that are merged.

    `tall`: column, first row, last row. `wide`: first column, last column, of those that begin in a row.
    `unknown`: how many cells hold formulas without their results. `last`: the last row that holds anything, where it is
    known; `read_to`: the row at which reading ended before the sheet did.
    Rows that a filter hides, and what a folded group holds, are not hidden: they come back at a click.
    """

    rows: set[int] = field(default_factory=set)
    columns: set[int] = field(default_factory=set)
    tall: list[tuple[int, int, int]] = field(default_factory=list)
    wide: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    unknown: int = 0
    last: int = 0
    read_to: int | None = None

    def merge(self, columns: tuple[int, int], rows: tuple[int, int]) -> None:
        """Cells are one, from the first column and row to the last, unless they are so many that nobody meant it."""
        (left, right), (top, bottom) = columns, rows
        if top < bottom < top + TALLEST:
            self.tall.append((left, top, bottom))
        if left < right < left + WIDEST:
            self.wide.setdefault(top, []).append((left, right))


class Sheets:
    """Writes the visible sheets of a book, each as a page; the others are counted."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._shown = self._hidden = 0

    def write(self, title: str, rows: Iterable[list[str]], layout: Layout) -> None:
        """A sheet that is shown, with its rows from the first on."""
        self._shown += 1
        self._composer.page()
        self._composer.heading(1, title)
        compose_grid(self._composer, _seen(rows, layout))
        if layout.rows or layout.columns:
            self._composer.note("Hidden rows or columns were left out.", page=self._shown)
        if layout.unknown:
            self._composer.note(_UNKNOWN.format(layout.unknown), page=self._shown)
        if layout.read_to is not None and layout.last > layout.read_to:
            self._composer.note(_FAR.format(layout.last), page=self._shown)

    def leave_out(self) -> None:
        """A sheet that is hidden."""
        self._hidden += 1

    def end(self) -> None:
        """All sheets were written."""
        if self._hidden:
            self._composer.note(f"Hidden sheets were left out: {self._hidden}.")


def _seen(rows: Iterable[list[str]], layout: Layout) -> Iterator[list[str]]:
    empty = 0
    tall = _Tall(layout)
    hidden = frozenset(column - 1 for column in layout.columns)
    for number, row in enumerate(rows, start=1):
        cells = tall.filled(number, _across(row, layout.wide.get(number, ())))
        if number in layout.rows:
            continue
        if hidden:
            cells = seen(cells, hidden)
        empty = 0 if any(cells) else empty + 1
        if empty > MOST_EMPTY_ROWS:
            layout.read_to = number
            return
        yield cells


def _across(cells: list[str], merged: Iterable[tuple[int, int]]) -> list[str]:
    for left, right in merged if any(cells) else ():
        cells += [""] * (right - len(cells))
        cells[left:right] = [ACROSS] * (right - left)
    return cells


class _Tall:
    """Cells that go on downwards: what they say is said in each of their rows, if there is more in it."""

    def __init__(self, layout: Layout) -> None:
        self._begin: dict[int, list[tuple[int, int]]] = {}
        for column, top, bottom in layout.tall:
            self._begin.setdefault(top, []).append((column, bottom))
        self._open: dict[int, tuple[int, str]] = {}

    def filled(self, number: int, cells: list[str]) -> list[str]:
        """The cells of a row, which come in order, with what hangs into it."""
        if not self._begin and not self._open:
            return cells
        self._open = {column: (bottom, words) for column, (bottom, words) in self._open.items() if bottom >= number}
        if any(cells):
            for column, (_, words) in self._open.items():
                if column <= len(cells):
                    cells[column - 1] = words
        for column, bottom in self._begin.pop(number, ()):
            if column <= len(cells):
                self._open[column] = (bottom, cells[column - 1])
        return cells
