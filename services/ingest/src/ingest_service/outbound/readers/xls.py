"""Old Excel workbooks by xlrd: a sheet is a page. Programs in them are neither read nor run."""

import struct
from collections.abc import Iterator
from typing import Final

import xlrd
from xlrd.biffh import XLRDError
from xlrd.book import Book
from xlrd.sheet import Cell, Sheet

from ingest_service.domain import media_types
from ingest_service.domain.errors import Encrypted
from ingest_service.domain.manuscript import Composer, Manuscript
from ingest_service.outbound.readers.grid import shown
from ingest_service.outbound.readers.ports import Say
from ingest_service.outbound.readers.sheet_numbers import dated, formatted
from ingest_service.outbound.readers.sheets import Layout, Sheets

_BEGIN: Final = frozenset({0x0009, 0x0209, 0x0409, 0x0809})
_END, _SHEET, _FILTERED = 0x000A, 0x0085, 0x009B
"""Records of the file format (MS-XLS): of a sheet's end, its place in the file, and that a filter hides some rows."""


def read(data: bytes, say: Say) -> Manuscript:
    """Sheets, rows and columns that are hidden are left out, and said to be.

    Raises:
        Encrypted: It asks for a password.
    """
    try:
        book = xlrd.open_workbook(file_contents=data, on_demand=True, formatting_info=True, logfile=_Silence())
    except XLRDError as error:
        if "encrypted" in str(error).lower():
            raise Encrypted("The workbook is encrypted. Remove its password and send it again.") from error
        raise
    composer = Composer()
    sheets = Sheets(composer)
    filtered = _filtered(book)
    for number in range(book.nsheets):
        sheet = book.sheet_by_index(number)
        if sheet.visibility:
            sheets.leave_out()
        else:
            sheets.write(sheet.name, _rows(sheet, book), _layout(sheet, is_filtered=number in filtered))
        book.unload_sheet(number)
        say(number + 1, book.nsheets)
    sheets.end()
    return composer.manuscript(media_types.XLS)


class _Silence:
    """xlrd writes what it thinks of a file to a log; nobody is to read a customer's file there."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return None


def _layout(sheet: Sheet, *, is_filtered: bool) -> Layout:
    layout = Layout()
    if not is_filtered:
        layout.rows = {row + 1 for row, said in sheet.rowinfo_map.items() if said.hidden and not said.outline_level}
    layout.columns = {at + 1 for at, said in sheet.colinfo_map.items() if said.hidden and not said.outline_level}
    for top, below, left, beside in sheet.merged_cells:
        layout.merge((left + 1, beside), (top + 1, below))
    return layout


def _filtered(book: Book) -> set[int]:
    """The sheets of which a filter hides rows; they say so in a record that xlrd passes over."""
    places: list[int] = []
    found: set[int] = set()
    data = book.mem or b""
    place, begun, depth = book.base, 0, 0
    while place + 4 <= book.base + book.stream_len:
        kind, length = struct.unpack_from("<HH", data, place)
        if kind in _BEGIN:
            begun = begun if depth else place
            depth += 1
        elif kind == _END:
            depth -= 1
        elif kind == _SHEET:
            at, _, is_other = struct.unpack_from("<IBB", data, place + 4)
            places += [] if is_other else [book.base + at]
        elif kind == _FILTERED:
            found.add(begun)
        place += 4 + length
    return {number for number, place in enumerate(places) if place in found}


def _rows(sheet: Sheet, book: Book) -> Iterator[list[str]]:
    codes = {
        number: book.format_map[style.format_key].format_str
        for number, style in enumerate(book.xf_list)
        if style.format_key in book.format_map
    }
    for number in range(sheet.nrows):
        yield [_words(cell, codes.get(cell.xf_index or 0, ""), book.datemode) for cell in sheet.row(number)]


def _words(cell: Cell, code: str, datemode: int) -> str:
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return ""
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return shown(bool(cell.value))
    if cell.ctype == xlrd.XL_CELL_DATE:
        return dated(float(cell.value), code, is_1904=bool(datemode))
    if cell.ctype == xlrd.XL_CELL_NUMBER:
        return formatted(float(cell.value), code) or shown(cell.value)
    return shown(cell.value)
