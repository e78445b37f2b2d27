"""From bytes to passages: the port to whoever reads, and what is pure about it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from contracts.ids import PassageId
from ingest_service.domain import language, media_types
from ingest_service.domain.blocks import Kind
from ingest_service.domain.chunk import Passage, chunk
from ingest_service.domain.cut_settings import DEFAULT, CutSettings
from ingest_service.domain.document import Document, Note, Reading, StoredPassage, title_of
from ingest_service.domain.errors import EmptyDocument, of_kind
from ingest_service.domain.manuscript import Manuscript
from ingest_service.domain.pages_read import PagesRead
from ingest_service.domain.passage_index import passage_id
from ingest_service.domain.ports import TokenCounter

LONGEST_TITLE: Final = 300
"""Characters; a whole paragraph may be set as a heading, or an e-mail's subject hold all of it."""
_SLIDES: Final = frozenset({media_types.PPTX, media_types.ODP})


@dataclass(frozen=True, slots=True)
class Cut:
    """A document's passages before they belong to anybody; `title` is None when the document says none itself."""

    title: str | None
    media_type: str
    language: str | None
    pages: int
    passages: Sequence[Passage]
    notes: Sequence[Note] = ()


Say = Callable[[PagesRead], Awaitable[None]]


class Reader(Protocol):
    """Reads and cuts documents, whatever they are and do; never blocks the event loop."""

    async def read(self, data: bytes, say: Say, settings: CutSettings = DEFAULT) -> Cut:
        """The document's passages. As soon as all of it is read and cutting begins, `say` hears of the last page.

        `say` is awaited in order; what it raises ends the reading.

        Raises:
            DocumentRefused: It can never be read as it is, or not within the limits.
            Unavailable: The reader is away; the same may succeed later.
        """
        ...


def cut(manuscript: Manuscript, counter: TokenCounter, settings: CutSettings = DEFAULT) -> Cut:
    """The passages of a manuscript, each with its own language or else the document's.

    Raises:
        EmptyDocument: Nothing in it can be searched.
    """
    with of_kind(manuscript.media_type):
        passages = chunk(manuscript, counter, settings)
        # signs and emoji alone can neither be found by a word nor mean anything to a model
        if not passages or not any(map(str.isalnum, manuscript.text)):
            raise EmptyDocument("The document has no text in it: not a single letter or digit.")
    spoken = _known(language.detect(manuscript.text))
    return Cut(
        title=_shortened(manuscript.title or _title_above(manuscript)),
        media_type=manuscript.media_type,
        language=spoken,
        pages=len(manuscript.pages) or 1,
        passages=[replace(passage, language=_known(language.detect(passage.body)) or spoken) for passage in passages],
        notes=manuscript.notes,
    )


def _title_above(manuscript: Manuscript) -> str | None:
    """The first heading, where all others are below it, or it is a first slide's.

    Of headings side by side, as those of clauses, questions and sheets, the first says nothing of what the others hold.
    """
    headings = [block for block in manuscript.blocks if block.kind is Kind.HEADING]
    if not headings:
        return None
    first, *others = headings
    is_above = all(block.level > first.level for block in others)
    return first.title if is_above or manuscript.media_type in _SLIDES else None


def _shortened(title: str | None) -> str | None:
    if title is None or len(title) <= LONGEST_TITLE:
        return title
    return f"{title[: LONGEST_TITLE - 1].rstrip()}\u2026"


def reading_of(document: Document, cutting: Cut) -> Reading:
    """The passages as this document's, with ids that depend on document, generation and number alone."""
    title = cutting.title or title_of(document.filename, document.path)
    return Reading(
        title=title,
        media_type=cutting.media_type,
        language=cutting.language,
        pages=cutting.pages,
        passages=[_stored(document, title, passage) for passage in cutting.passages],
        notes=cutting.notes,
    )


def _stored(document: Document, title: str, passage: Passage) -> StoredPassage:
    return StoredPassage(
        id=PassageId(passage_id(document.id, document.generation, passage.n)),
        document_id=document.id,
        title=title,
        n=passage.n,
        start=passage.span.start,
        end=passage.span.end,
        heading=" > ".join(passage.headings),
        lead=passage.lead,
        body=passage.body,
        page=passage.page,
        language=passage.language,
        above=passage.above,
        pages=passage.pages,
    )


def _known(code: str) -> str | None:
    return None if code == language.UNDETERMINED else code
