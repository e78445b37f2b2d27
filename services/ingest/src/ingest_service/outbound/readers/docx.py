"""Word documents by python-docx: its package and styles, and the elements below them in reading order."""

import io
import re
from collections.abc import Iterator
from typing import Final

import docx
from docx.document import Document
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from lxml.etree import _Element as Element

from ingest_service.domain import media_types
from ingest_service.domain.manuscript import Composer, Item, Manuscript
from ingest_service.outbound.readers import archive
from ingest_service.outbound.readers.docx_styles import Numbers, Styles
from ingest_service.outbound.readers.ports import Say
from ingest_service.outbound.readers.titles import own_title

_SILENT: Final = frozenset(map(qn, ("w:del", "w:moveFrom", "w:instrText", "w:delText")))
"""What was deleted, or is an instruction: tracked changes are read as if they were accepted."""
_FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_ENDS: Final = {qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:tab"): " ", qn("w:noBreakHyphen"): "-"}
_TEXTS: Final = frozenset({qn("w:t"), "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"})
_CONTAINERS: Final = frozenset(
    map(qn, ("w:sdt", "w:sdtContent", "w:ins", "w:moveTo", "w:customXml", "w:smartTag", "w:txbxContent"))
)
_BOX: Final = qn("w:txbxContent")
_TYPED_BULLET: Final = re.compile(r"\s*[\u2022\u25aa\u25e6\u00b7\uf0b7\uf0a7]\s*")
LONGEST_BOLD_HEADING: Final = 100
BOLD_LEVEL: Final = 6
"""Of a line that is a heading by its bold letters alone: it stands below those that say what they are."""
_NOTE_PARTS: Final = (("footnotes", "w:footnote"), ("endnotes", "w:endnote"))


def read(data: bytes, say: Say) -> Manuscript:
    """Headings, lists, tables, boxes, foot- and endnotes; headers and footers are left out."""
    archive.opened(data)
    document = docx.Document(io.BytesIO(data))
    composer = Composer()
    writer = _Writer(composer, document)
    writer.write(document.element.body)
    writer.write_notes(document)
    say(1, 1)
    return composer.manuscript(media_types.DOCX, own_title(document.core_properties.title))


class _Writer:
    """Writes blocks; consecutive items become one list."""

    def __init__(self, composer: Composer, document: Document) -> None:
        self._composer = composer
        self._styles = Styles(document)
        self._numbers = Numbers(document)
        self._items: list[Item] = []

    def write(self, container: Element) -> None:
        """Everything in a body, cell or box."""
        self._write_children(container)
        self._end_list()

    def write_notes(self, document: Document) -> None:
        """Foot- and endnotes, after the text: there they are on paper too, and can be found."""
        for relation in document.part.rels.values():
            kind = relation.reltype.rpartition("/")[2]
            tag = dict(_NOTE_PARTS).get(kind)
            if tag is not None and not relation.is_external:
                root = parse_xml(relation.target_part.blob)
                for note in root.iterchildren(qn(tag)):
                    if note.get(qn("w:type")) is None:
                        self.write(note)

    def _write_children(self, container: Element) -> None:
        for child in container:
            if child.tag == qn("w:p"):
                self._write_paragraph(child)
            elif child.tag == qn("w:tbl"):
                self._end_list()
                self._write_table(child)
            elif child.tag in _CONTAINERS:
                self._write_children(child)

    def _write_paragraph(self, paragraph: Element) -> None:
        words = _words(paragraph)
        style = self._styles.of(paragraph)
        number = self._numbers.of(paragraph, style)
        if words.strip():
            if style.level is not None:
                self._end_list()
                self._composer.heading(style.level, words)
            elif number is not None:
                self._items.append(Item(words, number.depth, number.mark))
            elif bullet := _TYPED_BULLET.match(words):
                self._items.append(Item(words[bullet.end() :]))
            elif _is_bold_line(paragraph, words):
                self._end_list()
                self._composer.heading(BOLD_LEVEL, words)
            else:
                self._end_list()
                self._composer.paragraph(words)
        for box in _boxes(paragraph):
            self._end_list()
            self.write(box)

    def _write_table(self, table: Element) -> None:
        """A table of one cell, or one that holds tables, is a frame: what is in it stands for itself."""
        rows = list(_rows(table))
        while len(rows) > 1 and len(rows[0]) == 1 and len(rows[1]) > 1:
            # one cell above all columns is a caption: the header is below it
            self.write(rows.pop(0)[0])
        cells = [cell for row in rows for cell in row]
        if len(cells) == 1 or any(cell.find(f".//{qn('w:tbl')}") is not None for cell in cells):
            for cell in cells:
                self.write(cell)
            return
        shown = _grid(rows)
        self._composer.table(shown, has_header=_has_header(table, shown))

    def _end_list(self) -> None:
        self._composer.items(self._items)
        self._items = []


def _words(element: Element) -> str:
    """The text as it is shown, without that of boxes in it, and without what is set as hidden."""
    parts: list[str] = []
    pending = list(reversed(element))
    while pending:
        child = pending.pop()
        if child.tag in _TEXTS:
            parts.append(child.text or "")
        elif child.tag in _ENDS:
            parts.append(_ENDS[child.tag])
        elif child.tag not in _SILENT and child.tag not in {_BOX, _FALLBACK} and not _is_hidden(child):
            pending.extend(reversed(child))
    return "".join(parts)


def _is_hidden(run: Element) -> bool:
    mark = run.find(f"{qn('w:rPr')}/{qn('w:vanish')}") if run.tag == qn("w:r") else None
    return mark is not None and mark.get(qn("w:val")) not in {"0", "false"}


def _is_bold_line(paragraph: Element, words: str) -> bool:
    """A short line, all of it bold, that does not end like a sentence, in the text itself and not in a table."""
    if len(words) > LONGEST_BOLD_HEADING or words.rstrip().endswith((".", ",", ";", ":")) or "\n" in words.strip():
        return False
    parent = paragraph.getparent()
    if parent is not None and parent.tag == qn("w:tc"):
        return False
    runs = [run for run in paragraph.iter(qn("w:r")) if run.findtext(qn("w:t"), "").strip()]
    marks = [run.find(f"{qn('w:rPr')}/{qn('w:b')}") for run in runs]
    return bool(marks) and all(mark is not None and mark.get(qn("w:val")) not in {"0", "false"} for mark in marks)


def _boxes(paragraph: Element) -> Iterator[Element]:
    """Text boxes that are anchored here, each once: what is there for older programs is the same again."""
    for box in paragraph.iter(_BOX):
        above = {ancestor.tag for ancestor in box.iterancestors()}
        if _FALLBACK not in above:
            yield box


def _rows(table: Element) -> Iterator[list[Element]]:
    for row in table.iter(qn("w:tr")):
        is_own = next(row.iterancestors(qn("w:tbl"))) is table
        is_deleted = row.find(f"{qn('w:trPr')}/{qn('w:del')}") is not None
        if is_own and not is_deleted:
            yield [cell for cell in row.iter(qn("w:tc")) if next(cell.iterancestors(qn("w:tr"))) is row]


def _grid(rows: list[list[Element]]) -> list[list[str]]:
    """The words of each row's cells in their columns; what goes on downwards is said in each row."""
    grid: list[list[str]] = []
    for row in rows:
        above = grid[-1] if grid else []
        line: list[str] = []
        for cell in row:
            words = "\n".join(_words(paragraph) for paragraph in cell.iter(qn("w:p")))
            if _goes_on(cell) and not words.strip() and len(line) < len(above):
                words = above[len(line)]
            line += [words, *[""] * (_wide(cell) - 1)]
        grid.append(line)
    return grid


def _goes_on(cell: Element) -> bool:
    """Whether it is merged with the cell above."""
    merge = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
    return merge is not None and merge.get(qn("w:val")) != "restart"


def _wide(cell: Element) -> int:
    span = cell.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}")
    return 1 if span is None else min(max(int(span.get(qn("w:val")) or 1), 1), 64)


def _has_header(table: Element, rows: list[list[str]]) -> bool:
    """A first row that the document marks as one, or whose cells are all filled where there are further rows."""
    marked = table.find(f"{qn('w:tr')}/{qn('w:trPr')}/{qn('w:tblHeader')}") is not None
    return marked or (len(rows) > 1 and all(cell.strip() for cell in rows[0]))
