"""A document as passages: cut where its structure says so, each with what it needs to be understood alone."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ingest_service.domain.blocks import Block, Kind, Span
from ingest_service.domain.cut_settings import DEFAULT, CutSettings
from ingest_service.domain.document import PageStart
from ingest_service.domain.errors import DocumentTooLong
from ingest_service.domain.manuscript import Manuscript
from ingest_service.domain.ports import TokenCounter
from ingest_service.domain.sentences import sentences, words

MOST_PASSAGES: Final = 50_000
"""What the most characters that a document may have come to in passages of the usual length. A megabyte of headings
with a letter each would be 130,000, and keep the embedder busy for many minutes."""
LEAD_TOKENS: Final = 60
"""At most so many of a passage are headings, or what introduces a list; of a short one at most a third."""
CHARACTERS_A_TOKEN: Final = 6
"""A token is counted for so many characters at least: a word in a script that it does not know is one for the model."""
LONGEST_ABOVE: Final = 2_000
"""Characters; of headings that are longer together the end is kept word for word."""
LONGEST_HEADING: Final = 120
"""Characters; the rest of a heading is left out where it stands before a passage."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a document that can be found and cited.

    Attributes:
        n: Its number in the document, from 0.
        span: Where its body is in the document's text: `text[span.start:span.end] == body`.
        headings: The headings it stands under, outermost first.
        lead: A table's header or a list's introduction, where the body is a later part of it; else empty.
        page: The page it begins on, from 1; None when the format has no pages.
        above: The headings directly before it as they stand in the document: the text up to `span.start` ends with it.
        pages: Where each page begins in `above` and body, the first at their own beginning; empty where all of it
            stands on one page.
        language: What it is written in; None when that was not asked, or cannot be told.
    """

    n: int
    span: Span
    body: str
    headings: tuple[str, ...]
    lead: str
    page: int | None = None
    language: str | None = None
    above: str = ""
    pages: tuple[PageStart, ...] = ()

    @property
    def full_text(self) -> str:
        """What is embedded and matched: headings, lead and body."""
        return "\n".join(part for part in (" > ".join(self.headings), self.lead, self.body) if part)


@dataclass(frozen=True, slots=True)
class _Lead:
    """What stands before a passage that begins in the middle of a list or table."""

    span: Span
    size: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is never cut again, with its size in tokens and what leads it when it does not follow its own beginning."""

    span: Span
    size: int
    block: int
    lead: "_Lead | None" = None
    may_repeat: bool = False
    glued: bool = False


@dataclass(frozen=True, slots=True)
class _Section:
    """Consecutive blocks under the same headings."""

    headings: tuple[str, ...]
    blocks: tuple[Block, ...]
    begin: int
    """Where the headings begin that nothing but white space parts from the first block."""


def chunk(document: Manuscript, counter: TokenCounter, settings: CutSettings = DEFAULT) -> list[Passage]:
    """The passages of a document in reading order, none longer than the settings allow with headings and lead.

    Raises:
        DocumentTooLong: Beyond `MOST_PASSAGES`.
    """
    cutter = _Cutter(document.text, counter)
    passages: list[Passage] = []
    for section in _sections(document.blocks):
        headings = cutter.headings_that_fit(section.headings, min(LEAD_TOKENS, settings.passage_tokens // 3))
        room = settings.passage_tokens - cutter.size(" > ".join(headings))
        begin = section.begin
        for run in _packed(cutter.pieces(section.blocks, room), room, settings.overlap):
            if len(passages) == MOST_PASSAGES:
                raise DocumentTooLong(f"The document has more than {MOST_PASSAGES:,} passages. Send it in parts.")
            passages.append(_passage(document, len(passages), run, headings, begin))
            begin = len(document.text)
    return passages


def _sections(blocks: Iterable[Block]) -> Iterator[_Section]:
    path: list[Block] = []
    body: list[Block] = []
    above: list[Block] = []
    lonely: Block | None = None
    for block in blocks:
        if block.kind is not Kind.HEADING:
            body.append(block)
            lonely = None
            continue
        # a heading that neither text nor a deeper heading follows would be lost: it becomes a passage itself
        if lonely is not None and block.level <= lonely.level:
            body.append(replace(lonely, kind=Kind.PARAGRAPH))
            above.remove(path.pop())
        if body:
            yield _section(path, above, body)
            body, above = [], []
        path = [*(heading for heading in path if heading.level < block.level), block]
        above.append(block)
        lonely = block
    if lonely is not None:
        body.append(replace(lonely, kind=Kind.PARAGRAPH))
        above.remove(path.pop())
    if body:
        yield _section(path, above, body)


def _section(path: Sequence[Block], above: Sequence[Block], body: Sequence[Block]) -> _Section:
    return _Section(tuple(heading.title for heading in path), tuple(body), (*above, *body)[0].span.start)


class _Cutter:
    """Cuts blocks into pieces that fit, and measures them."""

    def __init__(self, text: str, counter: TokenCounter) -> None:
        self._text = text
        self._counter = counter

    def size(self, text: str) -> int:
        """Tokens of a text; of scripts that the tokenizer does not know, as many as their length makes likely."""
        return self._sizes([text])[0]

    def headings_that_fit(self, headings: Sequence[str], room: int) -> tuple[str, ...]:
        """The innermost headings within so many tokens; an endless one is cut."""
        kept: list[str] = []
        left = room
        for heading in reversed(headings):
            shown = heading if len(heading) <= LONGEST_HEADING else heading[: LONGEST_HEADING - 1] + "\u2026"
            left -= self.size(shown) + 1
            if left < 0:
                break
            kept.insert(0, shown)
        return tuple(kept)

    def pieces(self, blocks: Sequence[Block], room: int) -> list[_Piece]:
        """Blocks that fit are one piece; others are cut at their units, then sentences, then words."""
        spans = [block.span for block in blocks]
        result: list[_Piece] = []
        for number, (block, size) in enumerate(zip(blocks, self._span_sizes(spans), strict=True)):
            glued = number + 1 < len(blocks) and blocks[number + 1].lead == block.span
            if size <= room:
                result.append(_Piece(block.span, size, number, glued=glued))
            else:
                result.extend(self._cut_block(block, number, room))
        return result

    def _cut_block(self, block: Block, number: int, room: int) -> Iterator[_Piece]:
        lead = self._lead(block, room)
        units = block.units or (block.span,)
        for span, size in zip(units, self._span_sizes(units), strict=True):
            has_lead_inside = lead is not None and span.start <= lead.span.start
            led = None if has_lead_inside else lead
            left = room - (led.size if led else 0)
            if size <= left and block.units:
                yield _Piece(span, size, number, led)
            else:
                yield from self._cut_prose(span, number, left, led)

    def _lead(self, block: Block, room: int) -> _Lead | None:
        if block.lead is None:
            return None
        size = self._span_sizes([block.lead])[0]
        # a row says nothing without its header, and a header of many columns is long
        most = room // 2 if block.kind is Kind.TABLE else min(LEAD_TOKENS, room // 2)
        return _Lead(block.lead, size) if size <= most else None

    def _cut_prose(self, span: Span, number: int, room: int, lead: _Lead | None) -> Iterator[_Piece]:
        found = sentences(self._text, span)
        for sentence, size in zip(found, self._span_sizes(found), strict=True):
            if size <= room:
                yield _Piece(sentence, size, number, lead, may_repeat=True)
            else:
                yield from self._cut_sentence(sentence, number, room, lead)

    def _cut_sentence(self, span: Span, number: int, room: int, lead: _Lead | None) -> Iterator[_Piece]:
        """Runs of words of at most an eighth of the room, so that little of one is repeated in the next passage."""
        longest = max(room // 8, 1)
        run: list[Span] = []
        filled = 0
        found = words(self._text, span, longest)
        for word, size in zip(found, self._span_sizes(found), strict=True):
            if run and filled + size > longest:
                yield _Piece(Span(run[0].start, run[-1].end), filled, number, lead, may_repeat=True)
                run, filled = [], 0
            run.append(word)
            filled += size
        if run:
            yield _Piece(Span(run[0].start, run[-1].end), filled, number, lead, may_repeat=True)

    def _span_sizes(self, spans: Sequence[Span]) -> list[int]:
        return self._sizes([self._text[span.start : span.end] for span in spans])

    def _sizes(self, texts: Sequence[str]) -> list[int]:
        counts = self._counter.count_tokens(texts) if texts else []
        return [max(count, len(text) // CHARACTERS_A_TOKEN) for count, text in zip(counts, texts, strict=True)]


def _packed(pieces: Sequence[_Piece], room: int, overlap: float) -> Iterator[list[_Piece]]:
    """Pieces joined to passages of about equal size, none beyond `room`, none that ends with what leads the next."""
    left = sum(piece.size for piece in pieces)
    fair = _fair_share(left, room)
    run: list[_Piece] = []
    for piece in pieces:
        fits = _filled(run) + piece.size <= room
        if run and not (fits and (_filled(run) < fair or run[-1].glued)):
            carried = _carried(run, piece, room, room * overlap)
            yield run[:-1] if carried and carried[0].glued else run
            run = carried
            fair = _fair_share(left + _filled(carried), room)
        run.append(piece)
        left -= piece.size
    if run:
        yield run


def _fair_share(tokens: int, room: int) -> float:
    """How large passages are when so many tokens are spread evenly over as few as possible."""
    return tokens / max(math.ceil(tokens / room), 1)


def _filled(run: Sequence[_Piece]) -> int:
    """Tokens of a passage made of these pieces, with the lead that its first one needs."""
    lead = run[0].lead.size if run and run[0].lead else 0
    return lead + sum(piece.size for piece in run)


def _carried(run: Sequence[_Piece], piece: _Piece, room: int, repeated: float) -> list[_Piece]:
    """What of a finished passage begins the next: an introduction, or the end of a paragraph that had to be cut.

    `repeated`: the most tokens that stand in both.
    """
    last = run[-1]
    if _filled([last]) + piece.size > room:
        return []
    if last.glued:
        return [last] if len(run) > 1 else []
    is_cut = last.may_repeat and piece.may_repeat and last.block == piece.block
    return [last] if is_cut and last.size <= repeated else []


def _passage(document: Manuscript, n: int, run: Sequence[_Piece], headings: tuple[str, ...], begin: int) -> Passage:
    """One passage; headings of its section that no other one holds begin at `begin`."""
    text = document.text
    start, end = run[0].span.start, run[-1].span.end
    while end > start and text[end - 1].isspace():
        end -= 1
    lead = run[0].lead
    begin = max(begin, start - LONGEST_ABOVE)
    return Passage(
        n=n,
        span=Span(start, end),
        body=text[start:end],
        headings=headings,
        lead="" if lead is None or lead.span.start >= start else text[lead.span.start : lead.span.end],
        page=document.page_of(start),
        above=text[begin:start],
        pages=document.pages_of(Span(min(begin, start), end)),
    )
