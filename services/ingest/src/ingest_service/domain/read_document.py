"""A document's bytes as its passages; pure, and slow for a long document: call it in a thread."""

from contracts.ids import PassageId
from ingest_service.domain import language, sniff
from ingest_service.domain.chunk import Passage, chunk
from ingest_service.domain.document import Document, Reading, StoredPassage, title_of
from ingest_service.domain.errors import EmptyDocument
from ingest_service.domain.passage_index import passage_id
from ingest_service.domain.ports import TokenCounter


def cut(document: Document, text: sniff.Text, counter: TokenCounter) -> Reading:
    """The passages of a text, with ids that depend on document, generation and number alone.

    Raises:
        EmptyDocument: Nothing in it can be searched.
    """
    passages = chunk(text, counter)
    if not passages:
        raise EmptyDocument("The document has no text in it.")
    spoken = language.detect(text.text)
    headings = passages[0].headings
    title = headings[0] if headings else title_of(document.filename)
    return Reading(
        title=title,
        media_type=text.kind,
        language=None if spoken == language.UNDETERMINED else spoken,
        pages=1,
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
        page=None,
        language=None if code == language.UNDETERMINED else code,
    )
