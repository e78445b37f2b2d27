"""Word documents by python-docx: its package and styles, and the elements below them in reading order."""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Final

import docx
from docx.document import Document
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from lxml.etree import Entity, strip_tags
from lxml.etree import _Element as Element

from ingest_service.domain import media_types
from ingest_service.domain.manuscript import Composer, Item, Manuscript
from ingest_service.outbound.readers import archive
from ingest_service.outbound.readers.alt_text import alt_text
from ingest_service.outbound.readers.docx_styles import Number, Numbers, Styles
from ingest_service.outbound.readers.first_row import is_like_those_below, is_over_one_kind, is_pairs
from ingest_service.outbound.readers.grid import ACROSS, captions, whole_header
from ingest_service.outbound.readers.ports import Say
from ingest_service.outbound.readers.tabbed import TabbedRows
from ingest_service.outbound.readers.titles import own_title

_SILENT: Final = frozenset(
    [
        *map(qn, ("w:del", "w:moveFrom", "w:instrText", "w:delText", "w:rPr", "w:pPr")),
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
    ]
)
"""What was deleted, is an instruction or a look, or the same again for older programs. Tracked changes are read as if
they were accepted."""
_ENDS: Final = {qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:tab"): "\t", qn("w:noBreakHyphen"): "-"}
_TEXTS: Final = frozenset({qn("w:t"), "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"})
_CONTAINERS: Final = frozenset(
    map(qn, ("w:sdt", "w:sdtContent", "w:ins", "w:moveTo", "w:customXml", "w:smartTag", "w:txbxContent"))
)
_BOX: Final = qn("w:txbxContent")
_LEAVES: Final = frozenset([_BOX, *_TEXTS])
_PARAGRAPH, _RUN, _VANISH = qn("w:p"), qn("w:r"), f"{qn('w:rPr')}/{qn('w:vanish')}"
_PICTURE: Final = qn("wp:docPr")
_TYPED_BULLET: Final = re.compile(r"\s*[\u2022\u25aa\u25e6\u00b7\uf0b7\uf0a7]\s*")
_FEWEST_ROWS: Final = 2
_UNFILLED: Final = (None, "auto", "FFFFFF")
LONGEST_BOLD_HEADING: Final = 100
BOLD_LEVEL: Final = 6
"""Of a line that is a heading by its bold letters alone: it stands below those that say what they are."""
_INCLUDED: Final = (qn("w:altChunk"), qn("w:subDoc"))
_LEFT_OUT: Final = (
    "Parts of this document are other files that Word puts in when it opens it; they were left out: {:,}. Open it in "
    "Word, save it as one document and send that."
)
_NOT_CALLED: Final = (
    "Words are missing where the document calls them in by name (XML entities), which is not done: {:,}. Open it in "
    "Word, save it and send that."
)
_NOTES: Final = {"footnotes": "w:footnote", "endnotes": "w:endnote"}


def read(data: bytes, say: Say) -> Manuscript:
    """Headings, lists, tables, boxes, foot- and endnotes; headers, footers and comments are left out."""
    archive.opened(data)
    document = docx.Document(io.BytesIO(data))
    composer = Composer()
    _note_what_is_elsewhere(composer, document.element.body)
    _put_in_notes(document)
    _Writer(composer, document).write(document.element.body)
    say(1, 1)
    return composer.manuscript(media_types.DOCX, own_title(document.core_properties.title))


def _note_what_is_elsewhere(composer: Composer, body: Element) -> None:
    """Other files that Word would put in, and words that the file calls in by name, from wherever that leads."""
    if included := sum(1 for _ in body.iter(*_INCLUDED)):
        composer.note(_LEFT_OUT.format(included))
    if entities := sum(1 for _ in body.iter(Entity)):
        composer.note(_NOT_CALLED.format(entities))
        # what stands behind one in its text would go with it
        strip_tags(body, Entity)


def _put_in_notes(document: Document) -> None:
    """Foot- and endnotes in brackets where they are called: at the end nobody would know of what they are said."""
    for relation in document.part.rels.values():
        name = _NOTES.get(relation.reltype.rpartition("/")[2])
        if name is None or relation.is_external:
            continue
        notes = parse_xml(relation.target_part.blob).iterchildren(qn(name))
        said = {note.get(qn("w:id")): " ".join(_all_words(note).split()) for note in notes}
        for call in list(document.element.body.iter(qn(f"{name}Reference"))):
            if words := said.get(call.get(qn("w:id"))):
                call.tag, call.text = qn("w:t"), f" [{words}]"


class _Writer:
    """Writes blocks; consecutive items become one list."""

    def __init__(self, composer: Composer, document: Document) -> None:
        self._composer = composer
        self._styles = Styles(document)
        self._numbers = Numbers(document)
        self._items: list[Item] = []
        self._tabbed = TabbedRows(composer, BOLD_LEVEL)
        self._below_title = 0

    def write(self, container: Element) -> None:
        """Everything in a body, cell or box."""
        self._write_children(container)
        self._end_list()

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
        parts = list(_shown(paragraph))
        words, pictures = _words(parts), _pictures(parts)
        style = self._styles.of(paragraph)
        number = self._numbers.of(paragraph, style)
        if style.level is None:
            words, pictures = f"{words} {pictures}", ""
        if words.strip():
            if style.level is not None:
                self._end_list()
                # headings of the first level stand below the title, and not beside it
                self._below_title = 1 if style.level == 0 else self._below_title
                self._composer.heading(style.level + self._below_title, words)
            else:
                self._write_text(paragraph, words, number)
        if pictures:
            self._composer.paragraph(pictures)
        for part in parts:
            if part.tag == _BOX:
                self._end_list()
                self.write(part)

    def _write_text(self, paragraph: Element, words: str, number: Number | None) -> None:
        if number is not None:
            self._tabbed.write()
            self._items.append(Item(words, number.depth, number.mark))
        elif bullet := _TYPED_BULLET.match(words):
            self._tabbed.write()
            self._items.append(Item(words[bullet.end() :]))
        elif self._tabbed.take(words, is_bold=_is_bold(paragraph)):
            self._end_items()
        elif _is_bold_line(paragraph, words):
            self._end_list()
            self._composer.heading(BOLD_LEVEL, words)
        else:
            self._end_list()
            self._composer.paragraph(words)

    def _write_table(self, table: Element) -> None:
        """A table of one cell, or one that holds tables, is a frame: what is in it stands for itself.

        So is one of a single row with whole columns of text in its cells, as letterheads have them.
        """
        rows = list(_rows(table))
        grid = _grid(rows)
        above = captions(grid)
        for row in rows[:above]:
            self.write(row[0])
        rows, grid = rows[above:], grid[above:]
        cells = [cell for row in rows for cell in row]
        is_columns = len(rows) == 1 and any(_has_several_lines(cell) for cell in cells)
        if len(cells) == 1 or is_columns or any(cell.find(f".//{qn('w:tbl')}") is not None for cell in cells):
            for cell in cells:
                self.write(cell)
            return
        whole, is_sure = whole_header(grid, _marked(rows))
        has_header = is_sure or _marked(rows) > 0 or self._is_headed(table, rows, whole)
        self._composer.table(whole if has_header else grid, has_header=has_header)

    def _is_headed(self, table: Element, rows: list[list[Element]], grid: Sequence[Sequence[str]]) -> bool:
        """A first row of filled cells above further rows; of pairs of words one that looks different."""
        if len(grid) < _FEWEST_ROWS or not all(cell.strip() for cell in grid[0]) or is_like_those_below(grid):
            return False
        is_set_off = self._styles.set_off_first_row(table) or (_is_set_off(rows[0]) and not _is_set_off(rows[-1]))
        return is_set_off or not is_pairs(grid) or is_over_one_kind(grid)

    def _end_list(self) -> None:
        self._tabbed.write()
        self._end_items()

    def _end_items(self) -> None:
        self._composer.items(self._items)
        self._items = []


def _shown(element: Element) -> Iterator[Element]:
    """What is inside, in order, without what is hidden or silent; nothing inside of a box."""
    pending = list(reversed(element))
    while pending:
        child = pending.pop()
        tag = child.tag
        if tag in _SILENT or (tag == _RUN and _is_hidden(child)):
            continue
        yield child
        if tag not in _LEAVES:
            pending.extend(reversed(child))


def _words(parts: Iterable[Element]) -> str:
    return "".join((part.text or "") if part.tag in _TEXTS else _ENDS.get(str(part.tag), "") for part in parts)


def _pictures(parts: Iterable[Element]) -> str:
    """What is said of them."""
    return " ".join(alt_text(part.get("descr")) for part in parts if part.tag == _PICTURE).strip()


def _all_words(container: Element) -> str:
    """Of a cell, with its pictures and boxes."""
    words: list[str] = []
    for part in _shown(container):
        if part.tag == _BOX:
            words.append(_all_words(part))
        elif part.tag == _PARAGRAPH:
            parts = list(_shown(part))
            words.append(f"{_words(parts)} {_pictures(parts)}")
    return "\n".join(words)


def _has_several_lines(cell: Element) -> bool:
    return "\n" in _all_words(cell).strip()


def _is_hidden(run: Element) -> bool:
    mark = run.find(_VANISH)
    return mark is not None and mark.get(qn("w:val")) not in {"0", "false"}


def _is_bold_line(paragraph: Element, words: str) -> bool:
    """A short line, all of it bold, that does not end like a sentence, in the text itself and not in a table."""
    if len(words) > LONGEST_BOLD_HEADING or words.rstrip().endswith((".", ",", ";", ":")) or "\n" in words.strip():
        return False
    parent = paragraph.getparent()
    if parent is not None and parent.tag == qn("w:tc"):
        return False
    return _is_bold(paragraph)


def _is_bold(element: Element) -> bool:
    """Whether it has words and all of them are bold."""
    runs = [run for run in element.iter(qn("w:r")) if run.findtext(qn("w:t"), "").strip()]
    marks = [run.find(f"{qn('w:rPr')}/{qn('w:b')}") for run in runs]
    return bool(marks) and all(mark is not None and mark.get(qn("w:val")) not in {"0", "false"} for mark in marks)


def _rows(table: Element) -> Iterator[list[Element]]:
    for row in table.iter(qn("w:tr")):
        is_own = next(row.iterancestors(qn("w:tbl"))) is table
        is_deleted = row.find(f"{qn('w:trPr')}/{qn('w:del')}") is not None
        if is_own and not is_deleted:
            cells = (cell for cell in row.iter(qn("w:tc")) if next(cell.iterancestors(qn("w:tr"))) is row)
            yield [cell for cell in cells if cell.find(f"{qn('w:tcPr')}/{qn('w:cellDel')}") is None]


def _grid(rows: list[list[Element]]) -> list[list[str]]:
    """The words of each row's cells in their columns; what goes on downwards is said in each row."""
    grid: list[list[str]] = []
    for row in rows:
        above = grid[-1] if grid else []
        line: list[str] = []
        for cell in row:
            words = _all_words(cell)
            if _goes_on(cell) and not words.strip() and len(line) < len(above):
                words = above[len(line)]
            line += [words, *[ACROSS] * (_wide(cell) - 1)]
        grid.append(line)
    return grid


def _goes_on(cell: Element) -> bool:
    """Whether it is merged with the cell above."""
    merge = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
    return merge is not None and merge.get(qn("w:val")) != "restart"


def _wide(cell: Element) -> int:
    span = cell.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}")
    return 1 if span is None else min(max(int(span.get(qn("w:val")) or 1), 1), 64)


def _marked(rows: list[list[Element]]) -> int:
    """How many rows from the first are to be said again on each page."""
    lines = (next(row[0].iterancestors(qn("w:tr"))) for row in rows if row)
    marks = (line.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") for line in lines)
    return sum(1 for _ in takewhile(lambda mark: mark is not None, marks))


def _is_set_off(row: list[Element]) -> bool:
    """Whether all cells of a row are filled with a colour, or all of their words are bold."""
    shades = [cell.find(f"{qn('w:tcPr')}/{qn('w:shd')}") for cell in row]
    is_filled = all(shade is not None and shade.get(qn("w:fill")) not in _UNFILLED for shade in shades)
    return is_filled or all(_is_bold(cell) for cell in row)
