"""An upload becomes a document: refused early if it can never be read, stored once for each content."""

from dataclasses import dataclass, replace

from contracts.ids import DocumentId
from ingest_service.domain import sniff
from ingest_service.domain.document import Document, received
from ingest_service.domain.errors import DocumentRefused, EmptyDocument
from ingest_service.domain.ports import Documents, Files, Upload
from runtime.clock import Clock
from runtime.errors import NotFound
from runtime.tenancy import TenantScope


@dataclass(frozen=True, slots=True)
class Arrival:
    """An upload's place in the inbox and what it shall be called."""

    document_id: DocumentId
    inbox_name: str
    filename: str
    tags: tuple[str, ...] = ()


async def examine(arrival: Arrival, scope: TenantScope, *, files: Files) -> Upload:
    """Look at the upload before anything is stored; what is refused leaves the inbox.

    Raises:
        NotFound: There is no such upload.
        DocumentRefused: It is empty, or begins like a kind of file that is not read.
    """
    upload = await files.inspect(scope, arrival.inbox_name)
    if upload is None:
        raise NotFound
    try:
        if upload.size_bytes == 0:
            raise EmptyDocument("The document is empty.")
        sniff.refuse_foreign(upload.head)
    except DocumentRefused:
        await files.discard(scope, arrival.inbox_name)
        raise
    return upload


async def replace_document(
    known: DocumentId, arrival: Arrival, upload: Upload, scope: TenantScope, *, documents: Documents, files: Files
) -> Document:
    """The document `known`, which is read anew from the upload; what was read of it is found until then.

    Raises:
        NotFound: There is no such document.
        Conflict: It is being read, or another document has this content.
    """
    document = await documents.get(scope, known)
    version = document and replace(
        document, filename=arrival.filename, size_bytes=upload.size_bytes, sha256=upload.sha256
    )
    replaced = version and await documents.replace(
        scope, version, keep=lambda: files.keep(scope, arrival.inbox_name, upload.sha256)
    )
    if replaced is None:
        raise NotFound
    return replaced


async def register_document(
    arrival: Arrival, upload: Upload, scope: TenantScope, *, documents: Documents, files: Files, clock: Clock
) -> Document:
    """The document; the same bytes again are the same one, read anew if it failed, unless it is being deleted."""
    content = (upload.size_bytes, upload.sha256)
    document = received(arrival.document_id, arrival.filename, clock.now(), content=content, tags=arrival.tags)
    return await documents.add(scope, document, keep=lambda: files.keep(scope, arrival.inbox_name, upload.sha256))
