"""Markdown as blocks; only its block structure is parsed, inline marks stay in the text as they are."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest_service.domain.blocks import Block, Kind, Lines, Span, introduced

_KINDS: Final = {
    "paragraph_open": Kind.PARAGRAPH,
    "blockquote_open": Kind.PARAGRAPH,
    "html_block": Kind.PARAGRAPH,
    "bullet_list_open": Kind.LIST,
    "ordered_list_open": Kind.LIST,
    "table_open": Kind.TABLE,
    "fence": Kind.CODE,
    "code_block": Kind.CODE,
}
SLAB: Final = 65_536
"""Characters that are parsed at a time, as near as the text's structure allows."""
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING: Final = re.compile(r" {0,3}#{1,6}(?:\s|$)")
_COMMENT: Final = re.compile(r"\s*<!--.*-->\s*", re.DOTALL)
_INLINE_MARKS: Final = re.compile(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}|!?\[([^\]]*)\]\([^)]*\)")


def markdown_blocks(text: str) -> Iterator[Block]:
    """The blocks of a Markdown document (CommonMark and GitHub's tables), in reading order."""
    lines = Lines(text)
    return introduced(text, _blocks(text, lines))


def _blocks(text: str, lines: Lines) -> Iterator[Block]:
    for first, after in _slabs(lines):
        start, end = lines.span(first, after)
        slab = text[start:end]
        tokens = _parser().parse(slab)
        inside = Lines(slab)
        for place, token in enumerate(tokens):
            if token.level == 0 and token.map is not None and token.nesting >= 0:
                block = _block(slab, inside, tokens, place)
                if block is not None and block.span.end > block.span.start:
                    yield block.moved(start)


def _slabs(lines: Lines) -> Iterator[tuple[int, int]]:
    """Ranges of lines that can be parsed on their own, so that memory does not grow with the document.

    The parser's tokens take a hundred times the text's room. A cut is made before a heading, or in a text without any
    after a blank line; never inside a fence.
    """
    first, fence = 0, ""
    blank_before = False
    for number in range(len(lines)):
        line = lines.line(number)
        mark = _FENCE.match(line)
        if mark and (not fence or mark.group(1).startswith(fence)):
            fence = "" if fence else mark.group(1)
        elif not fence and number > first:
            size = lines.span(first, number).end - lines.span(first, first).start
            if (size > SLAB and _HEADING.match(line)) or (size > 4 * SLAB and blank_before and line[:1].strip()):
                yield first, number
                first = number
        blank_before = not line.strip()
    yield first, len(lines)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def _block(text: str, lines: Lines, tokens: Sequence[Token], place: int) -> Block | None:
    token = tokens[place]
    first, after = token.map or [0, 0]
    span = lines.span(first, after)
    if token.type == "heading_open":
        return Block(Kind.HEADING, span, title=_plain(tokens[place + 1].content), level=int(token.tag[1:]))
    kind = _KINDS.get(token.type)
    if kind is None or (token.type == "html_block" and _COMMENT.fullmatch(text[span.start : span.end])):
        return None
    if kind is Kind.TABLE:
        return _table(lines, tokens, place)
    if kind is Kind.LIST:
        return Block(kind, span, units=_children(lines, tokens, place, "list_item_open"))
    if kind is Kind.CODE:
        return Block(kind, span, units=tuple(lines.span(number, number + 1) for number in range(first, after)))
    return Block(kind, span)


def _table(lines: Lines, tokens: Sequence[Token], place: int) -> Block:
    """The header's names lead every part of the table; the first row is one unit with them and the rule below."""
    first, after = tokens[place].map or [0, 0]
    rows = _children(lines, tokens, place, "tr_open")[1:]
    if not rows:
        return Block(Kind.TABLE, lines.span(first, after))
    header = lines.span(first, first + 1)
    units = (Span(header.start, rows[0].end), *rows[1:])
    return Block(Kind.TABLE, lines.span(first, after), units=units, lead=header)


def _children(lines: Lines, tokens: Sequence[Token], place: int, kind: str) -> tuple[Span, ...]:
    """Spans of the direct parts: nested lists belong to their item."""
    depth = tokens[place].level + (2 if kind == "tr_open" else 1)
    spans = []
    for position in range(place + 1, len(tokens)):
        token = tokens[position]
        if token.level <= tokens[place].level:
            break
        if token.type == kind and token.level == depth and token.map is not None:
            spans.append(lines.span(token.map[0], token.map[1]))
    return tuple(spans)


def _plain(title: str) -> str:
    """A heading's words without emphasis, code marks and link targets."""
    return " ".join(_INLINE_MARKS.sub(lambda match: match.group(1) or "", title).split())
