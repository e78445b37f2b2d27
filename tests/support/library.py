"""Many small documents of several formats, written by the formats' own libraries; each holds a sentence of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import docx

from services.ingest.tests.made import pdf, saved

SYLLABLES = ("ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "tu")
A_LARGE_ONE_IN = 15
LARGE_SECTIONS, SMALL_SECTIONS = 40, 2
"""Each section becomes a passage: a large document is embedded in three batches."""
LINES_A_PAGE = 40
_THINGS = ("lanterns", "ropes", "kettles", "maps", "boots", "stoves", "bottles")


@dataclass(frozen=True)
class Paper:
    """One document; `marker` is a sentence that no other holds, near its end, and `sections` are its passages."""

    name: str
    data: bytes
    media_type: str
    marker: str
    sections: int

    @property
    def is_large(self) -> bool:
        return self.sections > SMALL_SECTIONS

    @property
    def form(self) -> dict[str, tuple[str, bytes, str]]:
        """As an upload."""
        return {"file": (self.name, self.data, self.media_type)}


Section = tuple[str, str]
Format = tuple[str, str, Callable[[str, Sequence[Section]], bytes]]
"""Ending, media type, and what writes it from a title and sections."""


def papers(count: int) -> list[Paper]:
    """So many, the formats in turns, one of 15 large enough for several batches of the embedder."""
    return [
        _paper(number, _FORMATS, LARGE_SECTIONS if number % A_LARGE_ONE_IN == 0 else SMALL_SECTIONS)
        for number in range(count)
    ]


def notes(count: int) -> list[Paper]:
    """So many small ones of plain formats, which take no time to write."""
    return [_paper(number, _PLAIN, SMALL_SECTIONS) for number in range(count)]


def word(number: int) -> str:
    """A word that no language has, another for each number below 10,000 (documents: 3,000)."""
    return "".join(SYLLABLES[int(digit)] for digit in f"{number:04d}") + "k"


def _paper(number: int, formats: Sequence[Format], sections: int) -> Paper:
    ending, media_type, write = formats[number % len(formats)]
    # words of its own, or search would take it for a repetition of another document's
    marker = (
        f"{word(number).capitalize()} {word(number + 3_000)} keeps {word(number + 6_000)} of {_THINGS[number % 7]}."
    )
    content = [(f"Part {part}", _body(number, part)) for part in range(sections)]
    heading, body = content[-1]
    content[-1] = (heading, f"{body} {marker}")
    return Paper(f"paper-{number:04d}.{ending}", write(f"Paper {number}", content), media_type, marker, sections)


def _body(number: int, part: int) -> str:
    day = (number * 31 + part * 7) % 365
    return f"Parcels of day {day} leave from gate {part + 1} after the bell, and their letters follow them by noon."


def _markdown(title: str, sections: Sequence[Section]) -> bytes:
    parts = "\n\n".join(f"## {heading}\n\n{body}" for heading, body in sections)
    return f"# {title}\n\n{parts}\n".encode()


def _text(title: str, sections: Sequence[Section]) -> bytes:
    return "\n\n".join([title.upper(), *(f"{heading.upper()}\n\n{body}" for heading, body in sections)]).encode()


def _html(title: str, sections: Sequence[Section]) -> bytes:
    parts = "".join(f"<h2>{heading}</h2><p>{body}</p>" for heading, body in sections)
    page = f"<html><head><title>{title}</title></head><body><main><h1>{title}</h1>{parts}</main></body></html>"
    return f"<!DOCTYPE html>{page}".encode()


def _word(title: str, sections: Sequence[Section]) -> bytes:
    document = docx.Document()
    document.add_heading(title, 1)
    for heading, body in sections:
        document.add_heading(heading, 2)
        document.add_paragraph(body)
    return saved(document)


def _pdf(title: str, sections: Sequence[Section]) -> bytes:
    lines = [(16.0, title)]
    for heading, body in sections:
        words = body.split()
        lines += [(14.0, heading), (10.0, " ".join(words[:14])), (10.0, " ".join(words[14:]))]
    pages = []
    for start in range(0, len(lines), LINES_A_PAGE):
        part = lines[start : start + LINES_A_PAGE]
        pages.append([(60.0, 780.0 - 18 * place, size, words) for place, (size, words) in enumerate(part)])
    return pdf(pages, title=title)


_PLAIN: tuple[Format, ...] = (
    ("md", "text/markdown", _markdown),
    ("txt", "text/plain", _text),
    ("html", "text/html", _html),
)
_FORMATS: tuple[Format, ...] = (
    *_PLAIN,
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", _word),
    ("md", "text/markdown", _markdown),
    ("pdf", "application/pdf", _pdf),
    ("html", "text/html", _html),
)
