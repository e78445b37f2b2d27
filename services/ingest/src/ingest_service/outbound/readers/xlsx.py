"""Excel workbooks by openpyxl, streamed: a sheet is a page, and formulas show the values they had when it was saved."""

import io
from collections.abc import Iterator
from typing import Any

import openpyxl

from ingest_service.domain import media_types
from ingest_service.domain.manuscript import Composer, Manuscript
from ingest_service.outbound.readers import archive
from ingest_service.outbound.readers.grid import shown
from ingest_service.outbound.readers.ports import Say
from ingest_service.outbound.readers.sheet_numbers import formatted
from ingest_service.outbound.readers.sheets import Layout, Sheets
from ingest_service.outbound.readers.titles import own_title
from ingest_service.outbound.readers.xlsx_sheets import layouts


def read(data: bytes, say: Say) -> Manuscript:
    """Sheets, rows and columns that are hidden are left out, and said to be."""
    found = layouts(archive.opened(data))
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    composer = Composer()
    sheets = Sheets(composer)
    for number, sheet in enumerate(book.worksheets, start=1):
        if sheet.sheet_state == "visible":
            sheets.write(sheet.title, _rows(sheet), found.get(sheet.title, Layout()))
        else:
            sheets.leave_out()
        say(number, len(book.worksheets))
    sheets.end()
    return composer.manuscript(media_types.XLSX, own_title(book.properties.title))


def _rows(sheet: Any) -> Iterator[list[str]]:
    # what a sheet says of its own size is often wrong
    sheet.reset_dimensions()
    for row in sheet.iter_rows():
        yield [_words(cell) for cell in row]


def _words(cell: Any) -> str:
    value = cell.value
    if cell.data_type == "e":
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return formatted(value, _code(cell)) or shown(value)
    return shown(value)


def _code(cell: Any) -> str:
    """How a number is formatted; empty for a style that the workbook does not have."""
    try:
        code: str = cell.number_format or ""
    except IndexError:
        return ""
    return code
