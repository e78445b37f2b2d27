"""Closing a knowledge gap: a person's answer becomes a small document like any other, named by the question."""

import hashlib
import re
from collections.abc import AsyncIterator
from typing import Final

from contracts.gaps import CLOSE_GAP, GET_GAP, CloseGap, Gap, GetGap
from contracts.ids import DocumentId, GapId, uuid7
from contracts.ingest import GET_DOCUMENT, REGISTER_DOCUMENT, Document, GetDocument, RegisterDocument
from contracts.paging import Idempotency
from contracts.rest import GapResolution
from gateway_service.domain.ports import Inbox, Services
from gateway_service.domain.principal import Principal
from runtime.errors import NotFound
from runtime.tenancy import TenantScope

REGISTER_S: Final = 5.0
_NAME_CHARS: Final = 100
_NOT_IN_NAMES: Final = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')


async def resolve_gap(
    gap_id: GapId, resolution: GapResolution, principal: Principal, *, services: Services, inbox: Inbox
) -> Gap:
    """Add the answer as knowledge and close the gap; without an answer it is dismissed.

    Twice with the same answer is once: the document is registered under a key made of gap and answer. Another answer
    is a new version of that document, as long as it is there.

    Raises:
        NotFound: this business has no such gap.
        Conflict: the answer before is still being read.
        Unavailable: ingest, inference or the file store is away.
    """
    gap = (await services.ask(GET_GAP, GetGap(gap_id=gap_id), principal.scope)).gap
    document_id = None
    if resolution.answer is not None:
        title = resolution.title or gap.question
        document_id = await _add(gap, title, resolution.answer, scope=principal.scope, services=services, inbox=inbox)
    return (await services.ask(CLOSE_GAP, CloseGap(gap_id=gap_id, document_id=document_id), principal.scope)).gap


async def _add(
    gap: Gap, title: str, answer: str, *, scope: TenantScope, services: Services, inbox: Inbox
) -> DocumentId:
    """Register the document, or a new version of the one that holds the gap's answer."""
    content = written(title, gap.question, answer).encode()
    digest = hashlib.sha256(content).hexdigest()
    filename = f"{_NOT_IN_NAMES.sub(' ', _line(title))[:_NAME_CHARS].strip(' .') or 'answer'}.md"
    answered = gap.document_id if gap.document_id and await _is_there(gap.document_id, scope, services) else None
    key = Idempotency(key=f"gap:{gap.id}:{digest}", body_sha256=digest)
    request = RegisterDocument(
        document_id=DocumentId(uuid7()),
        inbox_name=str(uuid7()),
        filename=filename,
        size_bytes=len(content),
        # A new version needs no key, and may have none: the key of an answer that was replaced tells of its first time.
        idempotency=None if answered else key,
        replaces=answered,
    )
    document = await _register(request, content, scope, services, inbox)
    if not answered and document.id != request.document_id and not await _is_there(document.id, scope, services):
        # It was deleted since: a key tells of the first answer for a day, whatever became of it.
        anew = request.model_copy(update={"idempotency": None, "inbox_name": str(uuid7())})
        document = await _register(anew, content, scope, services, inbox)
    return document.id


async def _register(
    request: RegisterDocument, content: bytes, scope: TenantScope, services: Services, inbox: Inbox
) -> Document:
    await inbox.put(scope.tenant_id, request.inbox_name, _once(content))
    try:
        registered = await services.ask(REGISTER_DOCUMENT, request, scope, timeout_s=REGISTER_S)
    except BaseException:
        await inbox.drop(scope.tenant_id, request.inbox_name)
        raise
    return registered.document


async def _is_there(document_id: DocumentId, scope: TenantScope, services: Services) -> bool:
    try:
        found = await services.ask(GET_DOCUMENT, GetDocument(document_id=document_id), scope)
    except NotFound:
        return False
    return found.document.state != "deleting"


def written(title: str, question: str, answer: str) -> str:
    """Word the document: the question stands above the answer, so that whoever asks it again finds it."""
    asked = "" if _line(title) == _line(question) else f"## {_line(question)}\n\n"
    return f"# {_line(title)}\n\n{asked}{answer.strip()}\n"


def _line(text: str) -> str:
    return " ".join(text.split()).lstrip("# ")


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
