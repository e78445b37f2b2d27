"""What an Excel workbook hides and merges, from its own XML: openpyxl tells neither of a sheet that it streams."""

import posixpath
import re
from collections.abc import Mapping
from typing import Final
from zipfile import ZipFile

from openpyxl.utils.cell import column_index_from_string

from ingest_service.outbound.readers import archive
from ingest_service.outbound.readers.sheets import Layout
from ingest_service.outbound.readers.xml_parts import name_of, parsed

_ROW: Final = re.compile(rb"<(?:\w+:)?row\b([^<>]*)>")
_COLUMN: Final = re.compile(rb"<(?:\w+:)?col\b([^<>]*)>")
_MERGED: Final = re.compile(
    rb"<(?:\w+:)?mergeCell\b[^<>]*?ref\s*=\s*[\"']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})[\"']"
)
_FILTERED: Final = re.compile(rb"<(?:\w+:)?filterColumn\b")
_FORMULA: Final = re.compile(
    rb"<(?:\w+:)?c\b([^<>]*)>\s*<(?:\w+:)?f\b(?:[^<>]*/>|[^<>]*>[^<]*</(?:\w+:)?f>)"
    rb"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
"""A cell with a formula and without its result."""
_ATTRIBUTE: Final = re.compile(rb"(?<![\w:])([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def layouts(book: ZipFile) -> Mapping[str, Layout]:
    """The layout of each sheet, by its name."""
    if "xl/_rels/workbook.xml.rels" not in book.namelist():
        return {}
    targets = {each.get("Id"): each.get("Target") or "" for each in parsed(book.read("xl/_rels/workbook.xml.rels"))}
    found: dict[str, Layout] = {}
    for sheet in parsed(archive.part(book, "xl/workbook.xml")).iter():
        target = targets.get(sheet.get(_RELATION), "") if name_of(sheet) == "sheet" else ""
        path = posixpath.normpath(posixpath.join("xl", target)).lstrip("/") if target else ""
        if path in book.namelist():
            found[sheet.get("name") or ""] = _layout(archive.part(book, path))
    return found


def _layout(sheet: bytes) -> Layout:
    layout = Layout()
    is_filtered = _FILTERED.search(sheet) is not None
    number = 0
    for match in _ROW.finditer(sheet):
        said = match.group(1)
        if b"hidden" not in said and b" r=" in said:
            continue
        told = _told(said)
        number = _whole(told.get(b"r"), number + 1)
        if _is_true(told, b"hidden") and not is_filtered and not _is_true(told, b"outlineLevel"):
            layout.rows.add(number)
    for match in _COLUMN.finditer(sheet):
        told = _told(match.group(1))
        if _is_true(told, b"hidden") and not _is_true(told, b"outlineLevel"):
            first = _whole(told.get(b"min"), 1)
            layout.columns.update(range(first, min(_whole(told.get(b"max"), first), 16_384) + 1))
    for left, top, right, bottom in _MERGED.findall(sheet):
        columns = column_index_from_string(left.decode()), column_index_from_string(right.decode())
        layout.merge(columns, (int(top), int(bottom)))
    layout.last = _last_row(sheet)
    # looking at each cell takes long; a result that is an empty text is one, and says that it is text
    if b"<f" in sheet or b":f" in sheet:
        layout.unknown = sum(_told(cell).get(b"t") != b"str" for cell in _FORMULA.findall(sheet))
    return layout


def _last_row(sheet: bytes) -> int:
    """Of the last cell that holds something: a value, or a text of its own; 0 when it does not say its number."""
    filled = max(sheet.rfind(b"v>"), sheet.rfind(b"is>"), 0)
    row = _ROW.match(sheet, max(sheet.rfind(b"<", 0, sheet.rfind(b"row ", 0, filled) + 1), 0))
    return _whole(_told(row.group(1)).get(b"r"), 0) if row else 0


def _told(attributes: bytes) -> Mapping[bytes, bytes]:
    return {name: quoted or other for name, quoted, other in _ATTRIBUTE.findall(attributes)}


def _is_true(told: Mapping[bytes, bytes], name: bytes) -> bool:
    return told.get(name, b"0") not in {b"0", b"false"}


def _whole(value: bytes | None, otherwise: int) -> int:
    return int(value) if value is not None and value.isdigit() else otherwise
