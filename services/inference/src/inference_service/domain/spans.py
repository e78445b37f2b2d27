"""A found passage as the spans that can be quoted from it, each with what it says in comparable form."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from contracts.ingest import PassageHit
from inference_service.domain import marks
from inference_service.domain.claims import answer_sentences
from inference_service.domain.columns import Cell, cells_of
from inference_service.domain.deadlines import starts
from inference_service.domain.negation import Clause, denied_terms, read_clauses
from inference_service.domain.opposites import Tendency, tendencies
from inference_service.domain.quantities import Quantity, quantities
from inference_service.domain.sentences import sentence_spans, sentences
from inference_service.domain.titles import title_places
from inference_service.domain.words import terms

_MOST: Final = 3
"""Sentences of a span."""
_LONGEST: Final = 500
"""Characters of a span of several sentences."""
_WRAPPED: Final = 60
"""Characters of a line from which on the next one continues it."""
_RULE: Final = re.compile(r"[ \t]*\n\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*(?:\n|$)")
"""What stands between the names of a table's columns and its first row."""
_LINE: Final = re.compile(r"[^\n]*\n?")
_WORDS: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Span:
    """One to three sentences in a row, or a heading. `start` and `end` are characters of the passage's text.

    `parts` are the single sentences of several; `clauses` are there where something is denied; `cells` are those of a
    row below names of columns.
    """

    start: int
    end: int
    terms: frozenset[str]
    quantities: frozenset[Quantity]
    clauses: tuple[Clause, ...]
    tends: frozenset[Tendency]
    counted_from: frozenset[int]
    parts: tuple["Span", ...] = ()
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadPassage:
    """A passage that was read once for all sentences of an answer.

    Attributes:
        n: its number among the sources.
        language: the one it is read in.
        text: its text, below the headings that stand directly before it.
        begin: where that text begins in the document, were all of it there: a lead (a table's header) stands elsewhere.
        context: terms of title, headings and lead.
        context_quantities: the same for numbers.
        denied: what the heading denies.
        statements: what can be quoted word for word, each as `plain` writes it.
    """

    n: int
    language: str
    hit: PassageHit
    text: str
    begin: int
    spans: tuple[Span, ...]
    terms: frozenset[str]
    context: frozenset[str]
    context_quantities: frozenset[Quantity]
    denied: frozenset[str]
    statements: frozenset[str]

    def quote(self, span: Span) -> str:
        """Return the document's own words."""
        return self.text[span.start : span.end]

    def place(self, span: Span) -> tuple[int, int]:
        """Return where a span begins and ends in the document's text."""
        return span.start + self.begin, span.end + self.begin


def plain(text: str) -> str:
    """Return a text's words in lower case, one space between: what makes two spellings the same quotation."""
    return " ".join(_WORDS.findall(text.casefold()))


def read_passage(n: int, hit: PassageHit, language: str) -> ReadPassage:
    """Read one passage; `language` is the answer's, or its own where that is surely another."""
    lead = max(0, len(hit.text) - (hit.end - hit.start))
    above = "" if lead else hit.above
    text = above + hit.text
    around = " ".join((hit.title, hit.heading, hit.text[:lead]))
    heading = hit.heading.rpartition(" > ")[2]
    single = list(_single(text, len(above) + lead, heading, language))
    headings = [_span(text, start, end, language) for start, end in title_places(above)]
    told = list(dict.fromkeys(_statements(hit)))
    return ReadPassage(
        n=n,
        language=language,
        hit=hit,
        text=text,
        begin=hit.start - lead - len(above),
        spans=(*_joined(single), *_lists(text, single, told), *headings),
        terms=frozenset(terms(hit.text, language)),
        context=frozenset(terms(around, language)),
        context_quantities=quantities(around, language),
        denied=denied_terms(heading, language),
        statements=frozenset((*told, *(plain(text[one.start : one.end]) for one in (*single, *headings)))),
    )


def _single(text: str, begin: int, heading: str, language: str) -> Iterator[Span]:
    opening, names = heading, ""
    for start, end in _sentence_places(text, begin):
        said = text[start:end]
        is_item = bool(marks.LIST_ITEM.match(said))
        names = names if "|" in said else ""
        yield _in_column(_span(text, start, end, language, opening if is_item else ""), said, names, language)
        names = said if _RULE.match(text, end) else names
        if not is_item:
            opening = said if said.endswith(marks.LEAD_ENDS) else heading


def _span(text: str, start: int, end: int, language: str, opening: str = "") -> Span:
    """Read a sentence; `opening` is what a list item completes: its heading, or the sentence before the list."""
    said = text[start:end]
    own = frozenset(terms(said, language))
    read = read_clauses(said, language)
    if opening and not opening.endswith(marks.QUESTION_ENDS) and not said.rstrip(";,").endswith(marks.LINE_ENDS):
        above = denied_terms(opening, language)
        read = (Clause(own | above, own | above),) if above else read
    return Span(start, end, own, quantities(said, language), read, tendencies(said, language), starts(said, language))


def _in_column(row: Span, said: str, names: str, language: str) -> Span:
    """Give a row what its columns are called: else those names alone are likest to a claim that tells each of them."""
    if not names:
        return row
    own = row.terms | frozenset(terms(names, language))
    return replace(
        row, terms=own, quantities=row.quantities | quantities(names, language), cells=cells_of(said, names, language)
    )


def _sentence_places(text: str, begin: int) -> Iterator[tuple[int, int]]:
    """Give the places of sentences, list items and table rows, but for headings."""
    for start, end in _paragraphs(text, begin):
        for first, last in sentence_spans(text[start:end]):
            # a sentence within a row does not begin with the bar that ends the cell before
            said = text[start + first : start + last]
            begins = last - len(said.lstrip("| ")) if first else first
            if any(map(str.isalnum, said)):
                yield start + begins, start + last


def _paragraphs(text: str, begin: int) -> Iterator[tuple[int, int]]:
    """Give the places of wrapped lines that belong together; items and rows stand alone."""
    start = end = begin
    before = ""
    for match in _LINE.finditer(text, begin):
        line = match.group()
        is_own = not line.strip() or marks.LIST_ITEM.match(line) or line.count("|") > 1 or line.startswith("#")
        if is_own or len(before.rstrip()) < _WRAPPED or before.count("|") > 1:
            if end > start:
                yield start, end
            start = match.start()
        end = match.end() if line.strip() and not line.startswith("#") else match.start()
        start = min(start, end) if end > match.start() else match.end()
        before = line
    if end > start:
        yield start, end


def _joined(single: Sequence[Span]) -> Iterator[Span]:
    for first in range(len(single)):
        for last in range(first, min(first + _MOST, len(single))):
            if last > first and single[last].end - single[first].start > _LONGEST:
                break
            yield _run(single[first : last + 1])


def _lists(text: str, single: Sequence[Span], told: Iterable[str]) -> Iterator[Span]:
    """Give what is told of more sentences or items than are joined else: a list that is quoted as one."""
    said = [plain(text[one.start : one.end]) for one in single]
    for whole in told:
        for first, begins in enumerate(said):
            last = first
            joined = begins
            while whole.startswith(joined) and len(joined) < len(whole) and last + 1 < len(said):
                last += 1
                joined = f"{joined} {said[last]}"
            if joined == whole and last - first >= _MOST:
                yield _run(single[first : last + 1])


def _run(run: Sequence[Span]) -> Span:
    if len(run) == 1:
        return run[0]
    return Span(
        run[0].start,
        run[-1].end,
        frozenset().union(*(one.terms for one in run)),
        frozenset().union(*(one.quantities for one in run)),
        tuple(clause for one in run for clause in one.clauses),
        frozenset().union(*(one.tends for one in run)),
        frozenset().union(*(one.counted_from for one in run)),
        tuple(run),
    )


def _statements(hit: PassageHit) -> Iterator[str]:
    for statement in sentences(hit.text, hit.heading):
        yield plain(statement.text)
        yield from (plain(part.text) for part in answer_sentences(statement.text))
