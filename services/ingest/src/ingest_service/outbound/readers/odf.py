"""OpenDocument texts, spreadsheets and presentations: the elements of content.xml in reading order."""

from collections.abc import Iterator, Sequence
from typing import Final

from lxml.etree import _Element as Element

from ingest_service.domain import media_types
from ingest_service.domain.errors import Damaged
from ingest_service.domain.manuscript import DEEPEST_HEADING, Composer, Item, Manuscript
from ingest_service.outbound.readers import archive
from ingest_service.outbound.readers.alt_text import alt_text
from ingest_service.outbound.readers.first_row import is_like_those_below, is_over_one_kind, is_pairs
from ingest_service.outbound.readers.grid import ACROSS, Hanging, captions, compose_grid, seen, whole_header
from ingest_service.outbound.readers.ports import Say
from ingest_service.outbound.readers.tabbed import TabbedRows
from ingest_service.outbound.readers.titles import own_title
from ingest_service.outbound.readers.xml_parts import name_of, parsed

_TEXT: Final = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_DRAW: Final = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_PRESENTATION: Final = "{urn:oasis:names:tc:opendocument:xmlns:presentation:1.0}"
_TABLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_SILENT: Final = frozenset(
    {"tracked-changes", "annotation", "sequence-decls", "forms", "bibliography-mark", "script", "event-listeners"}
)
_STYLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_TITLES: Final = {"Title": 0, "Subtitle": 1}
"""A title stands above all headings: they are from level 1 on."""
_KINDS: Final = {"text": media_types.ODT, "spreadsheet": media_types.ODS, "presentation": media_types.ODP}
_PAGES: Final = frozenset({"page", "table"})
_FEWEST_ROWS: Final = 2
MOST_REPEATED: Final = 1_000
"""Times that a row or cell is repeated: more than that are empty ones to the end of a sheet."""


def read(data: bytes, say: Say) -> Manuscript:
    """Deletions of tracked changes and comments are left out; a sheet or slide is a page."""
    package = archive.opened(data)
    content = parsed(archive.part(package, "content.xml"))
    body = next((each for each in content if name_of(each) == "body"), None)
    office = next(iter(body), None) if body is not None else None
    if office is None or name_of(office) not in _KINDS:
        raise Damaged("The document has no body. Save it again and send it anew.")
    composer = Composer()
    if name_of(office) == "text":
        _Writer(composer, content).write(office)
        say(1, 1)
    else:
        _write_pages(composer, office, _hidden_styles(content), say)
    title = _title(parsed(archive.part(package, "meta.xml"))) if "meta.xml" in package.namelist() else None
    return composer.manuscript(_KINDS[name_of(office)], title)


def _write_pages(composer: Composer, office: Element, hidden: frozenset[str], say: Say) -> None:
    pages = [each for each in office if name_of(each) in _PAGES]
    left_out = 0
    for number, page in enumerate(pages, start=1):
        composer.page()
        if page.get(f"{_TABLE}style-name") in hidden or page.get(f"{_DRAW}style-name") in hidden:
            left_out += 1
        elif name_of(page) == "table":
            composer.heading(1, page.get(f"{_TABLE}name") or "")
            compose_grid(composer, _rows(page))
            if any(map(_is_hidden, _lines(page))):
                composer.note("Hidden rows or columns were left out.", page=number)
        else:
            _Writer(composer, office).write(page)
        say(number, len(pages))
    if left_out:
        composer.note(f"Hidden sheets or slides were left out: {left_out}.")


def _hidden_styles(content: Element) -> frozenset[str]:
    """Styles of sheets and slides that are not shown."""
    return frozenset(
        style.get(f"{_STYLE}name") or ""
        for style in content.iter(f"{_STYLE}style")
        for each in style
        if each.get(f"{_TABLE}display") == "false" or each.get(f"{_PRESENTATION}visibility") == "hidden"
    )


class _Writer:
    """Writes elements as blocks; a paragraph in the style of titles is a heading."""

    def __init__(self, composer: Composer, styled: Element) -> None:
        self._composer = composer
        self._tabbed = TabbedRows(composer, DEEPEST_HEADING)
        self._below_title = 0
        self._bases = {
            each.get(f"{_STYLE}name"): each.get(f"{_STYLE}parent-style-name") for each in styled.iter(f"{_STYLE}style")
        }

    def write(self, container: Element) -> None:
        """Everything in a text, a slide or a box."""
        for child in container:
            name = name_of(child)
            if name in {"list", "table", "desc"}:
                self._tabbed.write()
            if name == "list":
                self._composer.items(_items(child, 0))
            elif name == "table":
                self._write_table(child)
            elif name in {"h", "p"}:
                self._write_line(child)
            elif name == "desc":
                self._composer.paragraph(alt_text(child.text))
            elif name and name not in _SILENT:
                self.write(child)
        self._tabbed.write()

    def _write_table(self, table: Element) -> None:
        grid = list(_rows(table))
        above = captions(grid)
        for words in dict.fromkeys(row[0] for row in grid[:above]):
            self._composer.paragraph(words)
        marked = sum(
            1 for row in _lines(table, "table-row") if next(row.iterancestors()).tag == f"{_TABLE}table-header-rows"
        )
        rows = grid[above:]
        whole, is_sure = whole_header(rows, marked - above)
        has_header = is_sure or marked > above or self._is_headed(table, whole)
        self._composer.table(whole if has_header else rows, has_header=has_header)

    def _is_headed(self, table: Element, rows: Sequence[Sequence[str]]) -> bool:
        """A first row of filled cells above further rows; of pairs of words one that looks different."""
        if len(rows) < _FEWEST_ROWS or not all(cell.strip() for cell in rows[0]) or is_like_those_below(rows):
            return False
        styles = [line.get(f"{_TEXT}style-name") or "" for line in next(_lines(table, "table-row")).iter(f"{_TEXT}p")]
        is_set_off = all("Heading" in f"{style} {self._bases.get(style)}" for style in styles)
        return is_set_off or not is_pairs(rows) or is_over_one_kind(rows)

    def _write_line(self, line: Element) -> None:
        level, words = self._level(line), _words(line)
        if words.strip() and (level is not None or not self._tabbed.take(words, is_bold=False)):
            self._tabbed.write()
            if level is None:
                self._composer.paragraph(words)
            else:
                self._below_title = 1 if level == 0 else self._below_title
                self._composer.heading(level + self._below_title, words)
        for box in line.iter("{*}text-box"):
            self.write(box)

    def _level(self, line: Element) -> int | None:
        if name_of(line) == "h":
            level = line.get(f"{_TEXT}outline-level") or "1"
            return int(level) if level.isdigit() else 1
        style = line.get(f"{_TEXT}style-name")
        return _TITLES.get(style or "", _TITLES.get(self._bases.get(style) or ""))


def _words(element: Element) -> str:
    """The text of a paragraph or cell; notes in it follow in brackets."""
    parts = [element.text or ""]
    for child in element:
        name = name_of(child)
        if name == "line-break":
            parts.append("\n")
        elif name in {"tab", "s"}:
            parts.append("\t" if name == "tab" else " ")
        elif name == "note":
            body = next((each for each in child if name_of(each) == "note-body"), None)
            parts.append(f" [{_words(body).strip()}]" if body is not None else "")
        elif name == "desc":
            parts.append(f" {alt_text(child.text)}")
        elif name not in _SILENT and name not in {"text-box", "title"}:
            parts.append(_words(child) + ("\n" if name in {"p", "h"} else ""))
        parts.append(child.tail or "")
    return "".join(parts)


def _items(container: Element, depth: int) -> Iterator[Item]:
    for entry in container:
        if name_of(entry) in {"list-item", "list-header"}:
            own = "\n".join(_words(each) for each in entry if name_of(each) in {"p", "h"})
            yield Item(own, depth)
            for inner in entry:
                if name_of(inner) == "list":
                    yield from _items(inner, depth + 1)


def _rows(table: Element) -> Iterator[list[str]]:
    """What spans several rows is said in each; what is hidden is left out."""
    hidden = _hidden_columns(table)
    hanging = Hanging()
    for row in _lines(table, "table-row"):
        cells: list[str] = []
        for cell in row:
            times = _times(cell, "number-columns-repeated")
            if name_of(cell) == "covered-table-cell":
                hung = (hanging.take(len(cells) + number) for number in range(times))
                cells += [ACROSS if words is None else words for words in hung]
            elif name_of(cell) == "table-cell":
                words = _words(cell).strip()
                hanging.hang(len(cells), _times(cell, "number-rows-spanned") - 1, words)
                cells += [words] * times
        if not _is_hidden(row):
            shown = seen(cells, hidden) if hidden else cells
            yield from [shown] * (_times(row, "number-rows-repeated") if any(shown) else 1)


def _hidden_columns(table: Element) -> frozenset[int]:
    hidden: list[bool] = []
    for column in _lines(table, "table-column"):
        hidden += [_is_hidden(column)] * _times(column, "number-columns-repeated")
    return frozenset(number for number, is_hidden in enumerate(hidden) if is_hidden)


def _lines(table: Element, *names: str) -> Iterator[Element]:
    """Its own rows or columns, both if none is named, and not those of tables in it."""
    for line in table.iter(*(f"{_TABLE}{name}" for name in names or ("table-row", "table-column"))):
        if next(line.iterancestors(f"{_TABLE}table")) is table:
            yield line


def _is_hidden(line: Element) -> bool:
    """Whether a row or column is, by itself: what a filter or a folded group hides comes back at a click."""
    groups = line.iterancestors(f"{_TABLE}table-row-group", f"{_TABLE}table-column-group")
    is_folded = any(group.get(f"{_TABLE}display") == "false" for group in groups)
    return line.get(f"{_TABLE}visibility") == "collapse" and not is_folded


def _times(element: Element, name: str) -> int:
    value = element.get(f"{_TABLE}{name}") or "1"
    return min(max(int(value), 1), MOST_REPEATED) if value.isdigit() else 1


def _title(meta: Element) -> str | None:
    found = meta.find(".//{http://purl.org/dc/elements/1.1/}title")
    return None if found is None else own_title(found.text)
