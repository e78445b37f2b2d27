"""Plain text as blocks: headings, lists and paragraphs are told by how people lay out a text."""

import re
from collections.abc import Iterator
from typing import Final

from ingest_service.domain.blocks import Block, Kind, Lines, Span, introduced

_ITEM: Final = re.compile(r"\s*(?:[-*\u2022\u2013\u25aa\u25cf+]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S")
_RULE: Final = re.compile(r"\s*([=\-_*~])\1{2,}\s*")
_NUMBERED: Final = re.compile(r"\d{1,2}(?:\.\d{1,2})*[.)]?\s+\S.{0,70}")
LONGEST_HEADING: Final = 72
MOST_HEADING_WORDS: Final = 10
FEWEST_CAPITALS: Final = 3


def plain_text_blocks(text: str) -> Iterator[Block]:
    """The blocks of a plain text, in reading order."""
    lines = Lines(text)
    return introduced(text, (block for block in _blocks(lines) if block.span.end > block.span.start))


def _blocks(lines: Lines) -> Iterator[Block]:
    group: tuple[int, int] | None = None
    for following in _groups(lines):
        if group is not None:
            yield from _blocks_of(lines, *group, is_last=False)
        group = following
    if group is not None:
        yield from _blocks_of(lines, *group, is_last=True)


def _groups(lines: Lines) -> Iterator[tuple[int, int]]:
    """Runs of lines between blank ones, as first line and line after the last."""
    first: int | None = None
    for number in range(len(lines)):
        blank = not lines.line(number).strip()
        if blank and first is not None:
            yield first, number
            first = None
        elif not blank and first is None:
            first = number
    if first is not None:
        yield first, len(lines)


def _blocks_of(lines: Lines, first: int, after: int, *, is_last: bool) -> Iterator[Block]:
    """A group's heading, if it starts with one, then its paragraphs and lists."""
    alone = after - first == 1
    if _RULE.fullmatch(lines.line(first)):
        first += 1
        if first == after:
            return
    underlined = first + 1 < after and _RULE.fullmatch(lines.line(first + 1)) is not None
    if underlined or _is_heading(lines.line(first), alone=alone and not is_last):
        yield Block(
            Kind.HEADING,
            lines.span(first, first + 1),
            title=" ".join(lines.line(first).split()),
            level=_level(lines, first),
        )
        first += 2 if underlined else 1
    yield from _body(lines, first, after)


def _is_heading(line: str, *, alone: bool) -> bool:
    """A short line in capitals, or one that stands alone, is no list item and ends like no sentence."""
    line = line.strip()
    if len(line) > LONGEST_HEADING or line.endswith((".", "!", ",", ";", ":", "\u3002", "\uff01", "\uff1a", "|")):
        return False
    letters = [letter for letter in line if letter.isalpha()]
    if len(letters) >= FEWEST_CAPITALS and line.isupper():
        return True
    if not alone or not letters:
        return False
    if _NUMBERED.fullmatch(line):
        return True
    # with a colon inside it is a line of text: "Saturday: 10-14"
    return ":" not in line and _ITEM.match(line) is None and len(line.split()) <= MOST_HEADING_WORDS


def _level(lines: Lines, number: int) -> int:
    """A title that is underlined with `=` or in capitals stands above the others."""
    line = lines.line(number)
    below = lines.line(number + 1) if number + 1 < len(lines) else ""
    return 1 if line.isupper() or below.strip().startswith("===") else 2


def _body(lines: Lines, first: int, after: int) -> Iterator[Block]:
    """Consecutive items form one list; lines that follow an item and are indented belong to it."""
    start = first
    while start < after:
        end = start + 1
        if not _ITEM.match(lines.line(start)):
            while end < after and not _ITEM.match(lines.line(end)):
                end += 1
            yield Block(Kind.PARAGRAPH, lines.span(start, end))
        else:
            while end < after and (_ITEM.match(lines.line(end)) or lines.line(end)[:1].isspace()):
                end += 1
            yield Block(Kind.LIST, lines.span(start, end), units=tuple(_items(lines, start, end)))
        start = end


def _items(lines: Lines, first: int, after: int) -> Iterator[Span]:
    start = first
    for number in range(first + 1, after + 1):
        if number == after or _ITEM.match(lines.line(number)):
            yield lines.span(start, number)
            start = number
