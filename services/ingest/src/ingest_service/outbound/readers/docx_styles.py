"""What a Word paragraph is by its style and numbering: a heading of a level, an item of a list."""

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from docx.document import Document
from docx.oxml.ns import qn
from lxml.etree import _Element as Element

_HEADING_NAME: Final = re.compile(r"heading (\d)")
_LEVELS: Final = {"title": 0, "subtitle": 1}
_LIST_NAME: Final = re.compile(r"list (?:bullet|number)(?: (\d))?")
_DEEPEST: Final = 20
"""Styles that are based on one another; a circle ends here."""
_FIRST_ROW: Final = 0x20
"""The bit of older files that says that a table takes the look of its style's first row."""
_BODY_LEVEL: Final = 9
"""The outline level of what is no heading."""


@dataclass(frozen=True, slots=True)
class Style:
    """What a paragraph's style says.

    Attributes:
        level: A heading's, from 1; 0 for the title above all of them, None for body text.
        number: The list and the depth in it that the style puts its paragraphs into.
        list_depth: The depth that Word's own list styles have in their name, also without a numbering; None for others.
    """

    level: int | None = None
    number: tuple[str, int] | None = None
    list_depth: int | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """Where an item stands in its list, and the mark before it."""

    depth: int
    mark: str


class Styles:
    """The styles of a document."""

    def __init__(self, document: Document) -> None:
        self._elements = {style.get(qn("w:styleId")): style for style in document.styles.element.iter(qn("w:style"))}
        self._known: dict[str | None, Style] = {}

    def of(self, paragraph: Element) -> Style:
        """The paragraph's style; an outline level of its own comes before the style's."""
        style_id = _value(paragraph, "w:pPr/w:pStyle")
        style = self._known.get(style_id)
        if style is None:
            style = self._known[style_id] = self._read(style_id)
        own = _value(paragraph, "w:pPr/w:outlineLvl")
        if own is not None and style.level is None and own.isdigit() and int(own) < _BODY_LEVEL:
            return Style(int(own) + 1, style.number, style.list_depth)
        return style

    def set_off_first_row(self, table: Element) -> bool:
        """Whether the table's style gives its first row another look, and the table takes it."""
        look = table.find(f"{qn('w:tblPr')}/{qn('w:tblLook')}")
        if look is None or not _takes_first_row(look):
            return False
        style_id = _value(table, "w:tblPr/w:tblStyle")
        for _ in range(_DEEPEST):
            element = self._elements.get(style_id)
            if element is None:
                break
            if any(each.get(qn("w:type")) == "firstRow" for each in element.iter(qn("w:tblStylePr"))):
                return True
            style_id = _value(element, "w:basedOn")
        return False

    def _read(self, style_id: str | None) -> Style:
        level: int | None = None
        number: tuple[str, int] | None = None
        list_depth: int | None = None
        for _ in range(_DEEPEST):
            element = self._elements.get(style_id)
            if element is None:
                break
            level = _level(element) if level is None else level
            number = number or _numbering(element)
            named = _LIST_NAME.fullmatch((_value(element, "w:name") or "").lower())
            if named and list_depth is None:
                list_depth = int(named.group(1) or 1) - 1
            style_id = _value(element, "w:basedOn")
        return Style(level, number, list_depth)


class Numbers:
    """The lists of a document, counted in reading order."""

    def __init__(self, document: Document) -> None:
        numbered = any(relation.reltype.endswith("/numbering") for relation in document.part.rels.values())
        root = document.part.numbering_part.element if numbered else None
        self._formats = {} if root is None else _formats(root)
        self._counts: defaultdict[str, dict[int, int]] = defaultdict(dict)

    def of(self, paragraph: Element, style: Style) -> Number | None:
        """The item's number, None for a paragraph that is in no list."""
        own = _numbering(paragraph)
        list_id, depth = own or style.number or ("", 0)
        if own is not None and own[0] == "0":
            return None
        if not list_id:
            return None if style.list_depth is None else Number(style.list_depth, "-")
        shown, start = self._formats.get((list_id, depth), ("bullet", 1))
        if shown == "none":
            return None
        counts = self._counts[list_id]
        counts[depth] = counts.get(depth, start - 1) + 1
        for deeper in [each for each in counts if each > depth]:
            del counts[deeper]
        return Number(max(depth, style.list_depth or 0), "-" if shown == "bullet" else f"{counts[depth]}.")


def _formats(root: Element) -> dict[tuple[str, int], tuple[str, int]]:
    """Format and first number of each list's depths."""
    abstract = {each.get(qn("w:abstractNumId")): each for each in root.iter(qn("w:abstractNum"))}
    formats = {}
    for number in root.iter(qn("w:num")):
        levels = abstract.get(_value(number, "w:abstractNumId"))
        for level in () if levels is None else levels.iter(qn("w:lvl")):
            key = (number.get(qn("w:numId")) or "", _whole(level.get(qn("w:ilvl"))))
            formats[key] = (_value(level, "w:numFmt") or "decimal", _whole(_value(level, "w:start"), 1))
    return formats


def _level(style: Element) -> int | None:
    name = (_value(style, "w:name") or "").lower()
    named = _HEADING_NAME.fullmatch(name)
    if named:
        return int(named.group(1))
    outline = _value(style, "w:pPr/w:outlineLvl")
    if outline is not None and outline.isdigit() and int(outline) < _BODY_LEVEL:
        return int(outline) + 1
    return _LEVELS.get(name)


def _takes_first_row(look: Element) -> bool:
    said = look.get(qn("w:firstRow"))
    if said is not None:
        return said in {"1", "true", "on"}
    try:
        return bool(int(look.get(qn("w:val")) or "0", 16) & _FIRST_ROW)
    except ValueError:
        return False


def _numbering(element: Element) -> tuple[str, int] | None:
    list_id = _value(element, "w:pPr/w:numPr/w:numId")
    return None if list_id is None else (list_id, _whole(_value(element, "w:pPr/w:numPr/w:ilvl")))


def _value(element: Element, path: str) -> str | None:
    found = element.find("/".join(qn(step) for step in path.split("/")))
    return None if found is None else found.get(qn("w:val"))


def _whole(value: str | None, otherwise: int = 0) -> int:
    return int(value) if value is not None and value.isdigit() else otherwise
