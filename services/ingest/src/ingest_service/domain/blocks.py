"""The structure of a document: blocks that stand on their own, as spans of its text."""

import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

LONGEST_INTRODUCTION: Final = 300
"""Characters of a paragraph that may be repeated before each part of the list it introduces."""


class Span(NamedTuple):
    """Characters `start` to `end` (exclusive) of the document's text."""

    start: int
    end: int

    def moved(self, by: int) -> "Span":
        """The same characters in a text that has `by` more before them."""
        return Span(self.start + by, self.end + by)


class Kind(StrEnum):
    """What a block is; a heading is the only one that is not a passage's body."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """One block.

    Attributes:
        kind: What it is.
        span: Where it is.
        title: A heading's words.
        level: A heading's depth, 1 to 6.
        units: Where it may be cut when it is too long: a list's items, a table's rows, lines of code.
        lead: What every part needs to be understood: a table's header, the sentence that introduces a list.
    """

    kind: Kind
    span: Span
    title: str = ""
    level: int = 0
    units: tuple[Span, ...] = ()
    lead: Span | None = None

    def moved(self, by: int) -> "Block":
        """The same block in a text that has `by` more characters before it."""
        lead = None if self.lead is None else self.lead.moved(by)
        units = tuple(unit.moved(by) for unit in self.units)
        return replace(self, span=self.span.moved(by), units=units, lead=lead)


class Lines:
    """Offsets of a text's lines, where a line ends as Markdown has it: with LF, CR or both."""

    _BREAK: Final = re.compile("\r\n?|\n")

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = array("Q", [0])
        self._starts.extend(match.end() for match in self._BREAK.finditer(text))

    def __len__(self) -> int:
        return len(self._starts)

    def span(self, first: int, after_last: int) -> Span:
        """The characters of lines `first` to `after_last` (exclusive), without white space at the end."""
        start = self._starts[first]
        end = self._starts[after_last] if after_last < len(self._starts) else len(self._text)
        return trimmed(self._text, Span(start, end))

    def line(self, number: int) -> str:
        """One line without its end."""
        span = self.span(number, number + 1)
        return self._text[span.start : span.end]


def trimmed(text: str, span: Span) -> Span:
    """The span without white space at its end; never before its start."""
    end = span.end
    while end > span.start and text[end - 1].isspace():
        end -= 1
    return Span(span.start, end)


def introduced(text: str, blocks: Iterable[Block]) -> Iterator[Block]:
    """Give a list or code block without a lead the short paragraph before it, when that ends with a colon."""
    before: Block | None = None
    for block in blocks:
        leads = before is not None and block.kind in {Kind.LIST, Kind.CODE} and _introduces(text, before)
        before = replace(block, lead=before.span) if leads and before is not None else block
        yield before


def _introduces(text: str, block: Block) -> bool:
    body = text[block.span.start : block.span.end]
    return block.kind is Kind.PARAGRAPH and len(body) <= LONGEST_INTRODUCTION and body.endswith((":", "\uff1a"))
