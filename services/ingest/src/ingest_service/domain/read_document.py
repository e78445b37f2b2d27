"""A document's bytes as its passages; pure, and slow for a long document: call it in a thread."""

from contracts.ids import PassageId
from ingest_service.domain import language
from ingest_service.domain.chunk import Passage, chunk
from ingest_service.domain.document import Document, Reading, StoredPassage, title_of
from ingest_service.domain.errors import EmptyDocument
from ingest_service.domain.manuscript import Manuscript
from ingest_service.domain.passage_index import passage_id
from ingest_service.domain.ports import TokenCounter


def cut(document: Document, manuscript: Manuscript, counter: TokenCounter) -> Reading:
    """The passages of a manuscript, with ids that depend on document, generation and number alone.

    Raises:
        EmptyDocument: Nothing in it can be searched.
    """
    passages = chunk(manuscript, counter)
    if not passages:
        raise EmptyDocument("The document has no text in it.")
    spoken = language.detect(manuscript.text)
    headings = passages[0].headings
    title = manuscript.title or (headings[0] if headings else title_of(document.filename))
    return Reading(
        title=title,
        media_type=manuscript.media_type,
        language=None if spoken == language.UNDETERMINED else spoken,
        pages=len(manuscript.pages) or 1,
        passages=[_stored(document, title, passage, spoken) for passage in passages],
    )


def _stored(document: Document, title: str, passage: Passage, spoken: str) -> StoredPassage:
    own = language.detect(passage.body)
    code = spoken if own == language.UNDETERMINED else own
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
        language=None if code == language.UNDETERMINED else code,
    )
