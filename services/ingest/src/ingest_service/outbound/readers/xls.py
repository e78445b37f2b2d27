"""Old Excel workbooks by xlrd: a sheet is a page. Programs in them are neither read nor run."""

import datetime as dt
from collections.abc import Iterator

import xlrd
from xlrd.biffh import XLRDError
from xlrd.sheet import Cell, Sheet

from ingest_service.domain import media_types
from ingest_service.domain.errors import Encrypted
from ingest_service.domain.manuscript import Composer, Manuscript
from ingest_service.outbound.readers.grid import compose_grid, shown
from ingest_service.outbound.readers.ports import Say


def read(data: bytes, say: Say) -> Manuscript:
    """Raises: Encrypted."""
    try:
        book = xlrd.open_workbook(file_contents=data, on_demand=True, logfile=_Silence())
    except XLRDError as error:
        if "encrypted" in str(error).lower():
            raise Encrypted("The workbook is encrypted. Remove its password and send it again.") from error
        raise
    composer = Composer()
    for number in range(book.nsheets):
        sheet = book.sheet_by_index(number)
        if not sheet.visibility:
            composer.page()
            composer.heading(1, sheet.name)
            compose_grid(composer, _rows(sheet, book.datemode))
        book.unload_sheet(number)
        say(number + 1, book.nsheets)
    return composer.manuscript(media_types.XLS)


class _Silence:
    """xlrd writes what it thinks of a file to a log; nobody is to read a customer's file there."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return None


def _rows(sheet: Sheet, datemode: int) -> Iterator[list[str]]:
    for number in range(sheet.nrows):
        yield [_words(cell, datemode) for cell in sheet.row(number)]


def _words(cell: Cell, datemode: int) -> str:
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return ""
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return shown(bool(cell.value))
    if cell.ctype == xlrd.XL_CELL_DATE:
        return shown(_date(float(cell.value), datemode))
    return shown(cell.value)


def _date(value: float, datemode: int) -> dt.datetime | float:
    try:
        date: dt.datetime = xlrd.xldate_as_datetime(value, 1 if datemode else 0)
    except (ValueError, OverflowError):
        return value
    return date
