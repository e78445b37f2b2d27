"""What was filled into the fields of a PDF's form: pdfium has it beside the page's text, and here it is put into it."""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final, NamedTuple

import pypdfium2
from pypdfium2 import raw

from ingest_service.outbound.readers.pdf_cells import Word
from ingest_service.outbound.readers.pdf_layout import Line

CHECKED: Final = "[x]"
"""Boxes that are not are left out: a form that nobody filled has all of them."""
LETTER: Final = 0.5
"""Of the size, what a letter takes on average."""
_TICKED: Final = frozenset({raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON})
_WRITTEN: Final = frozenset({raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX})
_UNSEEN: Final = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW
_PASSWORD: Final = 1 << 13
"""Of a text field's flags (ISO 32000-1, table 228)."""
WordsOf = Callable[[int], Sequence[Word]]


class Field(NamedTuple):
    """What a field holds, and where it is, in points from the page's corner."""

    text: str
    left: float
    low: float
    right: float
    high: float


@dataclass(slots=True)
class _Row:
    """A line of the page, or of fields alone; `number` is the line's place before there were fields."""

    line: Line
    number: int | None = None
    fields: list[Field] = field(default_factory=list)


def fields_of(page: pypdfium2.PdfPage) -> list[Field]:
    """The fields that are shown and filled, from above and from the left; none where the file has no form."""
    if page.formenv is None:
        return []
    found: list[Field] = []
    for number in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        if raw.FPDFAnnot_GetSubtype(annotation) == raw.FPDF_ANNOT_WIDGET:
            found += _filled(page.formenv, annotation)
        raw.FPDFPage_CloseAnnot(annotation)
    return sorted(found, key=lambda field: (-field.high, field.left))


def with_fields(lines: Sequence[Line], words_of: WordsOf, fields: Sequence[Field]) -> tuple[list[Line], WordsOf]:
    """The lines with what was filled in beside them, or in lines of their own; and the words of each, as they were."""
    rows = [_Row(line, number) for number, line in enumerate(lines)]
    size = median(line.size for line in lines)
    for each in fields:
        row = _beside(rows, each, size)
        if row is None:
            base = max(each.high - 1.5 * size, each.low)
            row = _Row(Line(each.text, size, each.left, each.right, base, base, is_bold=False))
            place = next((n for n, other in enumerate(rows) if other.line.base < base), len(rows))
            rows.insert(place, row)
        row.fields.append(each)

    def words(number: int) -> Sequence[Word]:
        row = rows[number]
        own = [] if row.number is None else [word._replace(line=number) for word in words_of(row.number)]
        return sorted([*own, *_words(row, number)], key=lambda word: word.left) if row.fields else own

    return [_shown(row, words(n)) if row.fields else row.line for n, row in enumerate(rows)], words


def _filled(form: pypdfium2.PdfFormEnv, annotation: raw.FPDF_ANNOTATION) -> Iterator[Field]:
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if raw.FPDFAnnot_GetFlags(annotation) & _UNSEEN:
        return
    text = ""
    if kind in _TICKED:
        text = CHECKED if raw.FPDFAnnot_IsChecked(form, annotation) else ""
    elif kind in _WRITTEN and not raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD:
        text = " ".join(_value(form, annotation).split())
    place = raw.FS_RECTF()
    if text and raw.FPDFAnnot_GetRect(annotation, place):
        yield Field(text, place.left, place.bottom, place.right, place.top)


def _value(form: pypdfium2.PdfFormEnv, annotation: raw.FPDF_ANNOTATION) -> str:
    size = raw.FPDFAnnot_GetFormFieldValue(form, annotation, None, 0)
    buffer = ctypes.create_string_buffer(size)
    raw.FPDFAnnot_GetFormFieldValue(form, annotation, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), size)
    return buffer.raw.decode("utf-16-le", "replace").rstrip("\0")


def _beside(rows: Sequence[_Row], field: Field, size: float) -> _Row | None:
    """What stands at the height of a field's first line: the nearest on its left, else on its right."""
    low = max(field.low, field.high - 2.5 * size)
    level = [row for row in rows if low <= row.line.base <= field.high]
    before = [row for row in level if row.line.left <= field.left]
    if before:
        return max(before, key=lambda row: row.line.left)
    return min(level, key=lambda row: row.line.left, default=None)


def _words(row: _Row, number: int) -> list[Word]:
    line = row.line
    return [
        Word(
            each.text,
            each.left,
            min(each.right, each.left + len(each.text) * LETTER * line.size),
            line.base,
            line.size,
            number,
        )
        for each in row.fields
    ]


def _shown(row: _Row, words: Sequence[Word]) -> Line:
    text = " ".join(word.text for word in words)
    return row.line._replace(text=text, left=words[0].left, right=max(word.right for word in words))
