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

MOST_EMPTY_ROWS: Final = 100_000
"""On end; below them nothing is looked for, as in a sheet that was formatted down to its last row."""


def read(data: bytes, say: Say) -> Manuscript:
    archive.opened(data)
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    composer = Composer()
    for number, sheet in enumerate(sheets, start=1):
        composer.page()
        composer.heading(1, sheet.title)
        compose_grid(composer, _rows(sheet))
        say(number, len(sheets))
    hidden = len(book.worksheets) - len(sheets)
    if hidden:
        composer.note(f"Hidden sheets were left out: {hidden}.")
    return composer.manuscript(media_types.XLSX, own_title(book.properties.title))


def _rows(sheet: Any) -> Iterator[list[str]]:
    # what a sheet says of its own size is often wrong
    sheet.reset_dimensions()
    empty = 0
    for row in sheet.iter_rows(values_only=True):
        cells = [shown(value) for value in row]
        empty = 0 if any(cells) else empty + 1
        if empty > MOST_EMPTY_ROWS:
            return
        yield cells
