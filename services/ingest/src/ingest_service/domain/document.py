"""A document and the states it goes through.

received -> parsing -> chunking -> embedding -> ready
    any of these, but ready -> failed      it cannot be read, and trying again would not help
    any of these, but ready -> ready       the same, but an earlier reading is there: it is found as before
    ready, failed -> received              asked to be read again, as the next generation
    any of these, but ready -> received    put off: it cannot be read for now, and says why and until when
    any -> deleting -> (gone)
"""

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath, PurePosixPath
from typing import Final, NamedTuple

from contracts.ids import DocumentId, PassageId
from ingest_service.domain import media_types
from ingest_service.domain.cut_settings import CutSettings

_CELL_END: Final = re.compile(r"(?<!\\)\|")


class State(enum.StrEnum):
    """Where a document is."""

    RECEIVED = "received"
    PARSING = "parsing"
    CHUNKING = "chunking"
    EMBEDDING = "embedding"
    READY = "ready"
    FAILED = "failed"
    DELETING = "deleting"

    @property
    def is_at_rest(self) -> bool:
        """Nothing is to be done until somebody asks for it."""
        return self in {State.READY, State.FAILED}


class Cause(enum.StrEnum):
    """What kept a document from being read for now; each has its own number of tries."""

    SITE = "site"
    OURS = "ours"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a document could not be used, in words for its owner; `page` counts from 1.

    `media_type` is what its file is, None where that was not told; it is not kept with the others.
    """

    code: str
    detail: str
    page: int | None = None
    media_type: str | None = None


class Note(NamedTuple):
    """What its owner should know of the reading; `page` counts from 1, None when it concerns the whole document."""

    page: int | None
    reason: str


class File(NamedTuple):
    """What a document was sent as, or fetched."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a business.

    A `failure` of one that is ready is that of its newest reading: what is found of it is an earlier one.
    `generation` rises when it is to be read anew; `attempt` when a worker takes it, or when what one began must not
    count any more. `cut_by` is chosen by a generation's first attempt and stays, so that each attempt goes on with the
    same passages; None before that, and for what was read when there was no choice. `expected_at`: when it will be
    ready, by the pace of the last attempt that embedded; it counts while the document is embedded. `put_off`: how
    often this generation could not be read for now, by cause; `try_again_at` while it waits, with why as its `failure`,
    which stays until it is read.
    `came_of`: the archive that it was in, or the page whose address somebody gave and that led to it, also when that is
    gone; None when somebody brought it in themselves. `path`: where in the archive it stood; None for all else.
    `found_in`: the file that was read when it was last ready; `filename`, `size_bytes` and `sha256` are the newest's.
    """

    id: DocumentId
    title: str
    filename: str
    media_type: str
    size_bytes: int
    sha256: str
    state: State
    progress: float
    pages: int
    passages: int
    language: str | None
    failure: Failure | None
    generation: int
    attempt: int
    created_at: datetime
    updated_at: datetime
    url: str | None = None
    notes: Sequence[Note] = ()
    cut_by: CutSettings | None = None
    tags: tuple[str, ...] = ()
    expected_at: datetime | None = None
    try_again_at: datetime | None = None
    put_off: Mapping[Cause, int] = field(default_factory=dict)
    came_of: DocumentId | None = None
    path: str | None = None
    found_in: File | None = None

    @property
    def file(self) -> File:
        """The newest, or the one that is found as that could not be read."""
        is_older = self.state is State.READY and self.failure is not None
        return (self.found_in if is_older else None) or File(self.filename, self.size_bytes)


class PageStart(NamedTuple):
    """A page and the first of its characters in the document's text."""

    start: int
    page: int


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as it is kept. `start` and `end` are character offsets in the document's text.

    `heading` holds the headings it stands under, outermost first; `lead` a table's header or a list's introduction;
    `above` those headings that stand directly before it, word for word up to `start`; `pages` where each page begins in
    `above` and body, if there are several.
    """

    id: PassageId
    document_id: DocumentId
    title: str
    n: int
    start: int
    end: int
    heading: str
    lead: str
    body: str
    page: int | None
    language: str | None
    above: str = ""
    pages: tuple[PageStart, ...] = ()

    @property
    def full_text(self) -> str:
        """What is embedded and matched."""
        return "\n".join(part for part in (self.heading, self.lead, self.body) if part)

    @property
    def text(self) -> str:
        """What is shown: the body, after what it needs to be understood."""
        if not self.lead:
            return self.body
        # without its rule a header is taken for a row, and no row below it has names
        rule = _rule(self.lead) if "|" in self.body.partition("\n")[0] else ""
        return f"{self.lead}\n{rule}{self.body}"


def _rule(header: str) -> str:
    """The line below a table's header in Markdown; empty for what is none."""
    cells = _CELL_END.findall(header.strip().strip("|"))
    return f"|{'---|' * (len(cells) + 1)}\n" if "|" in header and "\n" not in header else ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What came out of reading a document."""

    title: str
    media_type: str
    language: str | None
    pages: int
    passages: Sequence[StoredPassage]
    notes: Sequence[Note] = ()


def received(
    document_id: DocumentId,
    filename: str,
    now: datetime,
    *,
    content: tuple[int, str] = (0, ""),
    url: str | None = None,
    tags: tuple[str, ...] = (),
    came_of: DocumentId | None = None,
) -> Document:
    """A document that nobody has read yet; `content` is its size in bytes and its SHA-256 (hex)."""
    return Document(
        id=document_id,
        title=title_of(filename) if url is None else url.partition("://")[2],
        filename=filename,
        media_type=media_types.UNKNOWN,
        size_bytes=content[0],
        sha256=content[1],
        state=State.RECEIVED,
        progress=0.0,
        pages=0,
        passages=0,
        language=None,
        failure=None,
        generation=1,
        attempt=0,
        created_at=now,
        updated_at=now,
        url=url,
        tags=tags,
        came_of=came_of,
    )


def title_of(filename: str, path: str | None = None) -> str:
    """A file's name without ending, for as long as nothing better is known; with its folder in an archive.

    Many folders have a file of the same name, such as README.
    """
    name = PurePath(filename.replace("\\", "/")).stem or filename
    folder = str(PurePosixPath(path).parent) if path else "."
    return name if folder == "." else f"{folder}/{name}"
