"""Plain text as blocks: headings, lists and paragraphs are told by how people lay out a text.

In doubt a line is a paragraph: a heading that is taken for one still stands in its passage's text, but a statement that
is taken for a heading would stand above another one, which then seems to be about it.
"""

import re
from collections.abc import Iterator
from typing import Final

from ingest_service.domain import scripts
from ingest_service.domain.blocks import Block, Kind, Lines, Span, introduced

_ITEM: Final = re.compile(r"\s*(?:[-*\u2022\u2013\u25aa\u25cf+]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S")
_RULE: Final = re.compile(r"\s*([=\-_*~])\1{2,}\s*")
_NUMBER: Final = re.compile(r"\d{1,2}(?:\.\d{1,2})*[.)]?\s+|\(?(?:\d{1,2}|[A-Za-z]|[IVX]{1,5})[.)]\s+")
_CLOSING: Final = "[\\s\"'\u2019\u201d\u00bb\u203a)\\]\u300d\u300f\uff09\u3011]*$"
_END: Final = re.compile(
    "[.!,;:|\u2026\u0387\u0589\u060c\u06d4\u0964\u0965\u0e2f\u104a\u104b\u1362\u17d4"
    f"\u3001\u3002\uff01\uff0c\uff0e\uff1a\uff1b\uff61]{_CLOSING}"
)
"""With one of these marks at its end, before what it closes, a line ends a sentence or goes on."""
_QUESTION: Final = re.compile(f"[?\u037e\u055e\u061f\u1367\uff1f]{_CLOSING}")
"""A question says nothing by itself: it stands above its answer."""
_UNSPACED: Final = re.compile(f"[{scripts.UNSPACED.replace(scripts.HANGUL, '')}]")
LONGEST_HEADING: Final = 72
MOST_PLAIN_WORDS: Final = 4
"""A line of so many words says a subject; of more it needs a title's capitals."""
MOST_HEADING_WORDS: Final = 10
SMALL_WORD: Final = 4
"""Letters up to which a word of a title may be written small: `of`, `with`."""
FEWEST_CAPITALS: Final = 3


def plain_text_blocks(text: str) -> Iterator[Block]:
    """The blocks of a plain text, in reading order."""
    lines = Lines(text)
    return introduced(text, (block for block in _blocks(lines) if block.span.end > block.span.start))


def _blocks(lines: Lines) -> Iterator[Block]:
    group: tuple[int, int] | None = None
    for following in _groups(lines):
        if group is not None:
            yield from _blocks_of(lines, *group, below=_length(lines, *following))
        group = following
    if group is not None:
        yield from _blocks_of(lines, *group, below=0)


def _length(lines: Lines, first: int, after: int) -> int:
    span = lines.span(first, after)
    return span.end - span.start


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


def _blocks_of(lines: Lines, first: int, after: int, *, below: int) -> Iterator[Block]:
    """A group's heading, if it starts with one, then its paragraphs and lists; the next one has `below` characters."""
    alone = after - first == 1
    if _RULE.fullmatch(lines.line(first)):
        first += 1
        if first == after:
            return
    line = " ".join(lines.line(first).split())
    underlined = first + 1 < after and _RULE.fullmatch(lines.line(first + 1)) is not None
    above = alone and ((below and _is_question(line)) or (len(line) < below and _is_title(line)))
    if underlined or _is_in_capitals(line) or above:
        yield Block(Kind.HEADING, lines.span(first, first + 1), title=line, level=_level(lines, first))
        first += 2 if underlined else 1
    yield from _body(lines, first, after)


def _is_in_capitals(line: str) -> bool:
    letters = sum(map(str.isalpha, line))
    return letters >= FEWEST_CAPITALS and line.isupper() and len(line) <= LONGEST_HEADING and not _END.search(line)


def _is_question(line: str) -> bool:
    return len(line) <= LONGEST_HEADING and _QUESTION.search(line) is not None and _ITEM.match(line) is None


def _is_title(line: str) -> bool:
    """A few words, or a title's capitals, and nothing that a statement has: a number in it, the end of a sentence.

    Where words are written together, a title cannot be told from a sentence.
    """
    if len(line) > LONGEST_HEADING or _END.search(line) or _UNSPACED.search(line):
        return False
    number = _NUMBER.match(line)
    if number is None and _ITEM.match(line):
        return False
    title = line[number.end() :] if number else line
    if not any(map(str.isalpha, title)) or title[0].islower() or ":" in title or any(map(str.isdigit, title)):
        return False
    words = title.split()
    if len(words) <= MOST_PLAIN_WORDS:
        return True
    return len(words) <= MOST_HEADING_WORDS and all(word[0].isupper() or len(word) <= SMALL_WORD for word in words)


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
