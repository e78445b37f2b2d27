"""HTML by lxml: what a reader of the page sees as its text, without navigation, scripts and hidden parts."""

import contextlib
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from lxml import etree
from lxml.etree import _Element as Element

from ingest_service.domain import media_types
from ingest_service.domain.encoding import decode, encoding_of, meant
from ingest_service.domain.manuscript import Composer, Item, Manuscript
from ingest_service.outbound.readers.first_row import is_like_those_below, is_over_one_kind, is_pairs
from ingest_service.outbound.readers.grid import ACROSS, Hanging, captions, whole_header
from ingest_service.outbound.readers.page_hidden import is_hidden
from ingest_service.outbound.readers.ports import Say
from ingest_service.outbound.readers.titles import own_title

_SILENT: Final = frozenset({"script", "style", "template", "noscript", "nav", "svg", "iframe", "object", "embed"}) | {
    *("head", "select", "datalist", "audio", "video", "canvas", "math")
}
_BLOCKS: Final = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "ol",
        "p",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
        "caption",
    }
)
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_CHARSET: Final = re.compile(
    rb"<(?:meta\b[^>]{0,200}?\bcharset|\?xml\b[^>]{0,200}?\bencoding)\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE
)
_DECLARED_IN: Final = 4_096
"""Bytes from the start, of which the standard asks for 1,024."""
_DEEPEST: Final = 2_048
"""Levels that libxml2 reads; without `huge_tree` 256, which a page has that never closes its `<font>`."""
_FRAMES_A_LEVEL: Final = 4
_ASKS: Final = ("?", "\uff1f", "\u061f")
_WIDEST_CELL: Final = 64
_TALLEST_CELL: Final = 256


def read(data: bytes, say: Say) -> Manuscript:
    composer = Composer()
    title = compose_html(composer, text_of(data))
    say(1, 1)
    return composer.manuscript(media_types.HTML, title)


def text_of(data: bytes) -> str:
    """The page's characters, by the encoding that it declares."""
    declared = _CHARSET.search(data[:_DECLARED_IN])
    if declared is not None and encoding_of(data) is None:
        try:
            return data.decode(meant(declared.group(1).decode("ascii")))
        except (LookupError, UnicodeDecodeError):
            # many pages say what they are not
            return decode(data)
    return decode(data)


def compose_html(composer: Composer, text: str) -> str | None:
    """Write a page; its title, if it has one."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True)
    root = etree.fromstring(text.encode("utf-8", errors="replace"), parser)
    if root is None:
        return None
    title = root.findtext(".//title")
    with _recursion(_FRAMES_A_LEVEL * _DEEPEST):
        _Writer(composer).write(root)
    if any(error.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for error in parser.error_log):
        composer.note(f"Its elements stand more than {_DEEPEST:,} deep in each other: what follows was not read.")
    return own_title(title)


@contextlib.contextmanager
def _recursion(frames: int) -> Iterator[None]:
    """At least so many calls within each other."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, frames))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class _Writer:
    """Walks a page; words gather until a block begins or ends."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._words: list[str] = []

    def write(self, element: Element) -> None:
        """All of an element as blocks of its own."""
        self._walk(element)
        self._end()

    def _walk(self, element: Element) -> None:
        tag = element.tag
        if not isinstance(tag, str) or tag in _SILENT or is_hidden(element):
            return
        if tag in _HEADINGS:
            self._end()
            self._composer.heading(_HEADINGS[tag], _flat(element))
        elif tag in {"ul", "ol"} and not _has_table(element):
            self._end()
            self._composer.items(_items(element, 0))
        elif tag == "dl" and not _has_table(element) and element.find(".//dl") is None:
            self._end()
            self._terms(element)
        elif tag == "table":
            self._end()
            self._table(element)
        elif tag == "pre":
            self._end()
            self._composer.code("".join(element.itertext()))
        elif tag == "br":
            self._words.append("\n")
        else:
            self._inside(element)

    def _terms(self, container: Element) -> None:
        """Terms as a list; a question and its answer are a paragraph, which reads as both said one after the other."""
        for asks, some in groupby(_terms(container), key=lambda words: words[0].endswith(_ASKS)):
            if asks:
                for words in some:
                    self._composer.paragraph("\n".join(words))
            else:
                self._composer.items(Item(": ".join(words)) for words in some)

    def _inside(self, element: Element) -> None:
        is_block = element.tag in _BLOCKS
        if is_block:
            self._end()
        self._words.append(_spaced(element.text))
        for child in element:
            self._walk(child)
            self._words.append(_spaced(child.tail))
        if is_block:
            self._end()

    def _table(self, table: Element) -> None:
        """A table that holds tables, lists or headings in its cells only arranges them."""
        rows = [row for row in table.iter("tr") if next(row.iterancestors("table"), None) is table]
        holds = next(table.iter("h1", "h2", "h3", "h4"), None), table.find(".//table")
        is_frame = any(held is not None for held in holds)
        if is_frame:
            self._inside(table)
            return
        caption = table.find("caption")
        if caption is not None:
            self._composer.paragraph(_flat(caption))
        grid = _grid(rows)
        above = captions(grid)
        for words in dict.fromkeys(row[0] for row in grid[:above]):
            self._composer.paragraph(words)
        rows, grid = rows[above:], grid[above:]
        is_marked = bool(rows) and (table.find("thead") is not None or _is_marked(rows[0]))
        whole, is_sure = whole_header(grid, sum(1 for row in rows if _parent(row) == "thead"))
        has_header = is_sure or is_marked or (_is_wordy(whole) and _may_name_columns(rows, whole))
        self._composer.table(whole if has_header else grid, has_header=has_header)

    def _end(self) -> None:
        self._composer.paragraph("".join(self._words))
        self._words = []


def _items(container: Element, depth: int) -> Iterator[Item]:
    number = _number(container.get("start"), 1, 1_000_000)
    for child in container:
        if child.tag != "li":
            if child.tag in {"ul", "ol"}:
                yield from _items(child, depth + 1)
            continue
        yield Item(_flat(child, but=("ul", "ol")), depth, f"{number}." if container.tag == "ol" else "-")
        number += 1
        for inner in _inner_lists(child):
            yield from _items(inner, depth + 1)


def _terms(container: Element) -> Iterator[list[str]]:
    """Each term with what is said of it."""
    term: list[str] = []
    for part in container.iter("dt", "dd"):
        if part.tag == "dt" and term:
            yield term
            term = []
        term.append(" ".join(_flat(part).split()))
    if term:
        yield term


def _inner_lists(item: Element) -> Iterator[Element]:
    """Those that no other list in the item holds, which would say them once more."""
    for inner in item.iter("ul", "ol"):
        if next(inner.iterancestors("li", "ul", "ol"), None) is item:
            yield inner


def _grid(rows: list[Element]) -> list[list[str]]:
    """Cells in their columns; what spans several rows stands in each of them."""
    grid: list[list[str]] = []
    hanging = Hanging()
    for row in rows:
        line: list[str] = []
        for cell in _cells(row):
            _hang(line, hanging)
            words = _flat(cell)
            tall = _number(cell.get("rowspan"), 1, _TALLEST_CELL)
            for column in range(_number(cell.get("colspan"), 1, _WIDEST_CELL)):
                said = ACROSS if column else words
                hanging.hang(len(line), tall - 1, said)
                line.append(said)
        _hang(line, hanging)
        grid.append(line)
    return grid


def _hang(line: list[str], hanging: Hanging) -> None:
    while (words := hanging.take(len(line))) is not None:
        line.append(words)


def _cells(row: Element) -> list[Element]:
    return [cell for cell in row if cell.tag in {"td", "th"}]


def _parent(element: Element) -> str:
    parent = element.getparent()
    return "" if parent is None else str(parent.tag)


def _is_marked(row: Element) -> bool:
    """Whether all of a row's cells say that they name columns, but for an empty one in the corner."""
    cells = _cells(row)
    named = cells if not cells or _flat(cells[0]).strip() else cells[1:]
    return all(cell.tag == "th" for cell in named)


def _may_name_columns(rows: Sequence[Element], table: Sequence[Sequence[str]]) -> bool:
    """Whether a wordy first row is a header: cells that name rows, and pairs of words, are none by themselves."""
    names_rows = all([cell.tag for cell in _cells(row)[:2]] == ["th", "td"] for row in rows[:2])
    if names_rows or is_like_those_below(table):
        return False
    return not is_pairs(table) or is_over_one_kind(table) or (_is_bold(rows[0]) and not _is_bold(rows[1]))


def _is_bold(row: Element) -> bool:
    return all(
        "".join(words for part in cell.iter("b", "strong") for words in part.itertext()).split() == _flat(cell).split()
        for cell in _cells(row)
    )


def _is_wordy(table: Sequence[Sequence[str]]) -> bool:
    """A first row of filled cells without a number, above further rows: a header that does not say so."""
    first = table[0] if len(table) > 1 else []
    return len(first) > 1 and all(words and not any(map(str.isdigit, words)) for words in first)


def _flat(element: Element, but: tuple[str, ...] = ()) -> str:
    """The words in an element, blocks in it on lines of their own."""
    parts = [_spaced(element.text)]
    for child in element:
        if isinstance(child.tag, str) and child.tag not in _SILENT and child.tag not in but and not is_hidden(child):
            end = "\n" if child.tag in _BLOCKS or child.tag in _HEADINGS or child.tag == "br" else ""
            parts += [end, _flat(child, but), end]
        parts.append(_spaced(child.tail))
    return "".join(parts)


def _spaced(text: str | None) -> str:
    return re.sub(r"\s+", " ", text) if text else ""


def _has_table(element: Element) -> bool:
    return next(element.iter("table", "pre", "h1", "h2", "h3"), None) is not None


def _number(value: str | None, otherwise: int, most: int) -> int:
    return min(max(int(value), 1), most) if value is not None and value.isascii() and value.isdigit() else otherwise
