"""What a child says of a document, one JSON object a line: any number of `Advance`, then passages, then an ending.

It may have been taken over by the document, so that nothing is believed that is not of this shape. A passage names
neither its id nor its owner: whose it is, the service knows.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ingest_service.domain.blocks import Span
from ingest_service.domain.chunk import Passage
from ingest_service.domain.document import PageStart
from ingest_service.domain.manuscript import MOST_NOTES, MOST_PAGES

LONGEST_LINE: Final = 1024 * 1024
"""Bytes; a passage has some hundred."""
MOST_BYTES: Final = 160 * 1024 * 1024
"""Of all lines: three times the largest file."""

Count = Annotated[int, Field(ge=0, lt=2**31)]
Kept = Annotated[str, Field(max_length=200_000, pattern=r"^[^\x00]*$")]
"""A text that the database takes."""
LONGEST_NOTE: Final = 500
Short = Annotated[str, Field(max_length=2_000, pattern=r"^[^\x00]*$")]
Code = Annotated[str, Field(max_length=20, pattern=r"^[a-z-]+$")]
MediaType = Annotated[str, Field(max_length=120, pattern=r"^[\w.+-]+/[\w.+-]+$")]
Name = Annotated[str, Field(max_length=200, pattern=r"^[\w.:<>/-]*$")]


class Line(BaseModel):
    """Exactly what is declared."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Advance(Line):
    """So many of so many pages, slides or sheets are read; the last ones are `pictures`, which OCR reads."""

    kind: Literal["advance"] = "advance"
    done: Count
    of: Count
    pictures: Count = 0


class Cutting(Line):
    """One passage."""

    kind: Literal["passage"] = "passage"
    n: Count
    start: Count
    end: Count
    body: Kept
    headings: Annotated[tuple[Short, ...], Field(max_length=20)]
    lead: Kept
    page: Count | None
    language: Code | None
    above: Kept = ""
    pages: Annotated[tuple[tuple[Count, Count], ...], Field(max_length=MOST_PAGES)] = ()

    @classmethod
    def of(cls, passage: Passage) -> "Cutting":
        return cls(
            n=passage.n,
            start=passage.span.start,
            end=passage.span.end,
            body=passage.body,
            headings=passage.headings,
            lead=passage.lead,
            page=passage.page,
            language=passage.language,
            above=passage.above,
            pages=passage.pages,
        )

    def passage(self) -> Passage:
        return Passage(
            n=self.n,
            span=Span(self.start, self.end),
            body=self.body,
            headings=self.headings,
            lead=self.lead,
            page=self.page,
            language=self.language,
            above=self.above,
            pages=tuple(PageStart(*page) for page in self.pages),
        )


class Remark(Line):
    """What its owner should know of one page, or of the whole document."""

    page: Count | None
    reason: Annotated[str, Field(max_length=LONGEST_NOTE, pattern=r"^[^\x00]*$")]


class End(Line):
    """It was read."""

    kind: Literal["end"] = "end"
    title: Short | None
    media_type: MediaType
    language: Code | None
    pages: Count
    passages: Count
    notes: Annotated[tuple[Remark, ...], Field(max_length=MOST_NOTES)] = ()


class Refusal(Line):
    """It can never be read as it is; where a library broke on it, the error's class and the place in our code."""

    kind: Literal["refusal"] = "refusal"
    code: Name
    detail: Short
    media_type: MediaType | None = None
    error: Name = ""
    place: Name = ""


class Broken(Line):
    """The reader failed in a way that it did not foresee: the error's class, and the place in our code."""

    kind: Literal["broken"] = "broken"
    error: Name
    place: Name


ANY: Final[TypeAdapter[Advance | Cutting | End | Refusal | Broken]] = TypeAdapter(
    Annotated[Advance | Cutting | End | Refusal | Broken, Field(discriminator="kind")]
)


def encoded(line: Line) -> bytes:
    """As it travels."""
    return line.model_dump_json().encode("utf-8", "replace") + b"\n"
