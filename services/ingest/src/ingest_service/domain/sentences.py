"""Where sentences and words end, in any script; used only where a document's structure gives no boundary."""

import re
from typing import Final

from ingest_service.domain.blocks import Span, trimmed

_END: Final = re.compile(
    r"""[.!?\u2026\u061f\u06d4\u0964\u0965]+["'\u2019\u201d\u00bb)\]]*(?=\s)|[\u3002\uff01\uff1f\uff0e]+[\u300d\u300f\u201d\uff09]*|\n{2,}"""
)
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(.])(?:[A-Z\u00c0-\u00de]|[Dd]r|[Mm]rs?|[Mm]s|[Pp]rof|[Ss]t|[Nn]o|[Nn]r|[Vv]s|e\.g|i\.e|z\.B|bzw|ca|etc|approx|inkl|incl"
    r"|Sr|Sra|p\.ej|Abs|Art|Fig|Inc|Ltd|Co|Jr|\d{1,2})\.$"
)
_WORD: Final = re.compile(r"\S+\s*")


def sentences(text: str, span: Span) -> list[Span]:
    """The sentences of `text` within `span`, in order; together they cover all of it but white space."""
    found: list[Span] = []
    start = span.start
    for match in _END.finditer(text, span.start, span.end):
        if _ABBREVIATION.search(text[max(start, match.end() - 12) : match.end()]) or _goes_on(text, match.end()):
            continue
        found.append(Span(start, match.end()))
        start = match.end()
    found.append(Span(start, span.end))
    return [kept for kept in (_stripped(text, sentence) for sentence in found) if kept.end > kept.start]


def words(text: str, span: Span, longest: int) -> list[Span]:
    """The words within `span`, each with the white space after it; one beyond `longest` characters is cut."""
    return [
        Span(start, min(start + longest, match.end()))
        for match in _WORD.finditer(text, span.start, span.end)
        for start in range(match.start(), match.end(), longest)
    ]


def _goes_on(text: str, place: int) -> bool:
    """A lower-case letter after the stop: it was no end."""
    rest = text[place : place + 3].lstrip()
    return rest[:1].islower()


def _stripped(text: str, span: Span) -> Span:
    start = span.start
    while start < span.end and text[start].isspace():
        start += 1
    return trimmed(text, Span(start, span.end))
