"""Excel workbooks by openpyxl, streamed: a sheet is a page, and formulas show the values they had when it was saved."""

import io
from collections.abc import Iterator
from typing import Any, Final

import openpyxl

from ingest_service.domain import media_types
from ingest_service.domain.manuscript import Composer, Manuscript
from ingest_service.outbound.readers import archive
from ingest_service.outbound.readers.grid import compose_grid, shown
from ingest_service.outbound.readers.ports import Say
from ingest_service.outbound.readers.titles import own_title
from ingest_service.outbound.readers.xlsx_numbers import formatted
from ingest_service.outbound.readers.xlsx_sheets import Layout, layouts

MOST_EMPTY_ROWS: Final = 100_000
"""On end; below them nothing is looked for, as in a sheet that was formatted down to its last row."""


def read(data: bytes, say: Say) -> Manuscript:
    """Sheets, rows and columns that are hidden are left out, and said to be."""
    found = layouts(archive.opened(data))
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    composer = Composer()
    for number, sheet in enumerate(sheets, start=1):
        layout = found.get(sheet.title, Layout())
        composer.page()
        composer.heading(1, sheet.title)
        compose_grid(composer, _rows(sheet, layout))
        if layout.rows or layout.columns:
            composer.note("Hidden rows or columns were left out.", page=number)
        say(number, len(sheets))
    hidden = len(book.worksheets) - len(sheets)
    if hidden:
        composer.note(f"Hidden sheets were left out: {hidden}.")
    return composer.manuscript(media_types.XLSX, own_title(book.properties.title))


def _rows(sheet: Any, layout: Layout) -> Iterator[list[str]]:
    # what a sheet says of its own size is often wrong
    sheet.reset_dimensions()
    empty = 0
    tall = _Tall(layout)
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells = tall.filled(number, [_words(cell) for cell in row])
        if number in layout.rows:
            continue
        if layout.columns:
            cells = [cell for column, cell in enumerate(cells, start=1) if column not in layout.columns]
        empty = 0 if any(cells) else empty + 1
        if empty > MOST_EMPTY_ROWS:
            return
        yield cells


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


def _words(cell: Any) -> str:
    value = cell.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return formatted(value, cell.number_format or "") or shown(value)
    return shown(value)
