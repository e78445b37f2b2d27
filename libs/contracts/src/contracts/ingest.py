"""What the ingest service answers, does and says: documents and search."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from contracts.base import Contract, Event, Job, Nothing, Personal, Reply, Request
from contracts.channel import Fact, Rpc, Work
from contracts.ids import DocumentId, PassageId, TenantId
from contracts.paging import Idempotency, PageRequest

DOCUMENT_LIMIT_BYTES = 50 * 1024 * 1024
EMBED_AT_ONCE = 24
"""Texts whose vectors fit one reply, up to 4,096 numbers each."""
EMBED_CHARACTERS = 8_000
"""Of one text; no known model reads more, and `EMBED_AT_ONCE` of them fit one request."""
PAGE_DEPTH = 3
"""Links from the page that was asked for to the last one that is fetched with it."""
MOST_TAGS = 20
"""Of one document."""
TAG_CHARACTERS = 40
DocumentState = Literal["received", "parsing", "chunking", "embedding", "ready", "failed", "deleting"]
Seconds = Annotated[int, Field(ge=0)]


Tag = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        to_lower=True,
        min_length=1,
        max_length=TAG_CHARACTERS,
        pattern=r"^\w[\w .:+/-]*$",
    ),
]
"""A word or two by which a business tells its documents apart; large and small letters are the same."""


def _once_each(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tags))


Tags = Annotated[tuple[Tag, ...], Field(max_length=MOST_TAGS), AfterValidator(_once_each)]


class DocumentError(Contract):
    """Why a document could not be read, in words for its owner; of one that is ready: why not its newest version.

    Of one that is `received` (or being deleted): why it waits, and until when; the time is None once it is queued.
    """

    code: str
    detail: str
    page: int | None = None
    try_again_at: AwareDatetime | None = None
    filename: Personal[str | None] = None
    """Of the newest version, when that could not be read and has another name than the one that is found."""


class DocumentNote(Contract):
    """What was not read of a document, and why, in words for its owner; without a page it concerns all of it."""

    page: int | None
    reason: Personal[str]


class Document(Contract):
    """A business's document and how far it is; `progress` goes from 0 to 1.

    `media_type` is told from the bytes; `application/octet-stream` while nobody knows. `filename` and `size_bytes` of
    one that is ready are those of the version that is found.
    """

    id: DocumentId
    title: str
    filename: Personal[str]
    media_type: str
    size_bytes: int
    state: DocumentState
    progress: float
    pages: int
    passages: int
    language: str | None
    error: DocumentError | None
    created_at: datetime
    updated_at: datetime
    url: Personal[str | None] = None
    """Where it was fetched from; None for an upload."""
    notes: tuple[DocumentNote, ...] = ()
    tags: Personal[tuple[str, ...]] = ()
    eta_s: Seconds | None = None
    """Until it is ready; None when that is not known, as for what waits."""
    led_to: int | None = None
    """Documents that came of this one, and of those, and are there: files of an archive, pages that a page led to, but
    none that somebody brought in themselves. Told when one document is asked for, as are the two that follow."""
    led_to_ready: int | None = None
    led_to_failed: int | None = None
    came_of: DocumentId | None = None
    """The archive that it was in, or the page whose address somebody gave and that led to it; it stays when that is
    deleted. None for what somebody brought in themselves."""
    path: Personal[str | None] = None
    """Where in its archive it stood."""


def inbox_key(tenant_id: TenantId, inbox_name: str) -> str:
    """Where in the file store the gateway puts an upload, and where ingest takes it from."""
    return f"inbox/{tenant_id}/{inbox_name}"


class RegisterDocument(Request):
    """An upload that the gateway has put at `inbox_key` of the file store; ingest takes it from there."""

    document_id: DocumentId
    inbox_name: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    filename: Personal[Annotated[str, Field(min_length=1, max_length=255)]]
    size_bytes: Annotated[int, Field(ge=0, le=DOCUMENT_LIMIT_BYTES)]
    idempotency: Idempotency | None = None
    replaces: DocumentId | None = None
    """The document that this is the new version of; it keeps its id and its tags, and `document_id` is not used."""
    tags: Personal[Tags] = ()
    """Of a new document; those of an archive go to every file in it."""


class RegisterPage(Request):
    """A page of the web, or a sitemap; ingest fetches it, and pages that it leads to up to `depth` links away.

    They all get the `tags`.
    """

    document_id: DocumentId
    url: Personal[Annotated[str, Field(min_length=1, max_length=2_048)]]
    depth: Annotated[int, Field(ge=0, le=PAGE_DEPTH)] = 0
    idempotency: Idempotency | None = None
    tags: Personal[Tags] = ()


class DocumentReply(Reply):
    """One document."""

    document: Document


class GetDocument(Request):
    """One document by id."""

    document_id: DocumentId


class ListDocuments(PageRequest):
    """The business's documents, newest first."""

    state: DocumentState | None = None
    tag: Personal[Tag | None] = None
    filename: Personal[str | None] = None
    came_of: DocumentId | None = None
    """Only what its `led_to` counts."""


class Documents(Reply):
    """One page of documents."""

    items: tuple[Document, ...]
    next_cursor: str | None


class UpdateDocument(Request):
    """Change what its owner says of a document; what is not given stays."""

    document_id: DocumentId
    tags: Personal[Tags | None] = None


class DeleteDocument(Request):
    """Remove file, rows and vectors; with `led_to` also those of what its `led_to` counts."""

    document_id: DocumentId
    led_to: bool = False
    pages: bool = False
    """What gateways of the version before say instead of `led_to`."""


class ReprocessDocument(Request):
    """Read the stored file again."""

    document_id: DocumentId


class KnowledgeSettings(Contract):
    """How a business's documents are cut into passages.

    `passage_tokens`: the most of one passage with the headings above it, as MiniLM counts them. `overlap`: where a
    paragraph is cut, its last sentence is repeated in the next passage if it is at most this share of one.
    """

    passage_tokens: Annotated[int, Field(ge=64, le=220)]
    overlap: Annotated[float, Field(ge=0, le=0.5)]


class GetKnowledgeSettings(Request):
    """The business's own, or the platform's."""


class PutKnowledgeSettings(Request):
    """Cut documents so from now on; those that are ready are read anew, a few at a time, and found meanwhile."""

    settings: KnowledgeSettings


class KnowledgeSettingsReply(Reply):
    """As they are now."""

    settings: KnowledgeSettings


class SearchFilters(Contract):
    """Search within what meets all of these; an empty tuple and None mean everything.

    `tags`: documents with one of them. `…_since` is a document's first moment that counts, `…_until` the first that
    does not; a document is updated whenever anything of it changes, its reading and its tags too.
    """

    document_ids: Annotated[tuple[DocumentId, ...], Field(max_length=100)] = ()
    languages: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    tags: Personal[Tags] = ()
    created_since: AwareDatetime | None = None
    created_until: AwareDatetime | None = None
    updated_since: AwareDatetime | None = None
    updated_until: AwareDatetime | None = None


class Search(Request):
    """The passages that fit a question best."""

    query: Personal[Annotated[str, Field(min_length=1, max_length=4_000)]]
    k: Annotated[int, Field(ge=1, le=100)] = 8
    filters: SearchFilters = SearchFilters()


class PageStart(Contract):
    """A page, from 1, and the first of its characters in the document's text."""

    start: int
    page: int


class PassageHit(Contract):
    """A passage found. `start` and `end` are character offsets in the document's text; `page` is where it begins.

    `dense` is the cosine, `bm25` the raw score; None when that leg did not find it. `above` holds the headings directly
    before it as they stand in the document: its text up to `start` ends with them. `pages` tells where each page begins
    in `above` and the passage, the first at their own beginning; it is empty where all of it stands on `page`.
    """

    passage_id: PassageId
    document_id: DocumentId
    title: str
    heading: str
    page: int | None
    start: int
    end: int
    text: Personal[str]
    language: str | None
    score: float
    dense: float | None
    bm25: float | None
    above: Personal[str] = ""
    pages: tuple[PageStart, ...] = ()


class SearchReply(Reply):
    """Best first."""

    items: tuple[PassageHit, ...]


class Embed(Request):
    """Texts to embed with the one model that documents are embedded with.

    A reply holds 100,000 numbers: as many texts as that allows, and `EMBED_AT_ONCE` with any model. Given a `model`,
    no other one answers. Texts that nobody waits for are not `is_urgent`: they queue behind those of documents.
    """

    texts: Personal[Annotated[tuple[str, ...], Field(min_length=1, max_length=256)]]
    model: str | None = None
    is_urgent: bool = True


class Embeddings(Reply):
    """One unit vector for each text, in order; `tokens` of all texts, as MiniLM's tokenizer counts them."""

    model: str
    vectors: tuple[tuple[float, ...], ...]
    tokens: int = 0


class IndexDocument(Job):
    """Parse, chunk, embed and index a document, or finish deleting it, as its row says."""

    document_id: DocumentId


class DocumentProgressed(Event):
    """A document moved on."""

    document_id: DocumentId
    state: DocumentState
    progress: float
    error_code: str | None = None
    eta_s: Seconds | None = None


class DocumentDeleted(Event):
    """A document, its file, rows and vectors are gone."""

    document_id: DocumentId


INGEST = Work("ingest", IndexDocument, owner="ingest", stream="INGEST")

DOCUMENT_PROGRESSED = Fact(
    "ingest", "document_progressed", DocumentProgressed, key="document_id", consumers=(), listeners=("gateway",)
)
DOCUMENT_DELETED = Fact("ingest", "document_deleted", DocumentDeleted, key="document_id", consumers=("learning",))

_EDGE = ("gateway",)
REGISTER_DOCUMENT = Rpc("ingest", "register_document", RegisterDocument, DocumentReply, callers=_EDGE)
REGISTER_PAGE = Rpc("ingest", "register_page", RegisterPage, DocumentReply, callers=_EDGE)
GET_DOCUMENT = Rpc("ingest", "get_document", GetDocument, DocumentReply, callers=_EDGE)
LIST_DOCUMENTS = Rpc("ingest", "list_documents", ListDocuments, Documents, callers=_EDGE)
UPDATE_DOCUMENT = Rpc("ingest", "update_document", UpdateDocument, DocumentReply, callers=_EDGE)
DELETE_DOCUMENT = Rpc("ingest", "delete_document", DeleteDocument, Nothing, callers=_EDGE)
REPROCESS_DOCUMENT = Rpc("ingest", "reprocess_document", ReprocessDocument, DocumentReply, callers=_EDGE)
GET_SETTINGS = Rpc("ingest", "get_settings", GetKnowledgeSettings, KnowledgeSettingsReply, callers=_EDGE)
PUT_SETTINGS = Rpc("ingest", "put_settings", PutKnowledgeSettings, KnowledgeSettingsReply, callers=_EDGE)
SEARCH = Rpc("ingest", "search", Search, SearchReply, callers=("gateway", "inference"), timeout_s=3)
# A vector depends on the text alone, whoever asks.
EMBED = Rpc("ingest", "embed", Embed, Embeddings, callers=("gateway", "inference", "learning"), is_tenant_scoped=False)
