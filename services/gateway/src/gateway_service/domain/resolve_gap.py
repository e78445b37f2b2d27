"""Closing a knowledge gap: a person's answer becomes a small document like any other, named by the question."""

import hashlib
import re
from collections.abc import AsyncIterator
from typing import Final

from contracts.gaps import CLOSE_GAP, GET_GAP, CloseGap, Gap, GetGap
from contracts.ids import DocumentId, GapId, uuid7
from contracts.ingest import REGISTER_DOCUMENT, RegisterDocument
from contracts.paging import Idempotency
from contracts.rest import GapResolution
from gateway_service.domain.ports import Inbox, Services
from gateway_service.domain.principal import Principal

REGISTER_S: Final = 5.0
_NAME_CHARS: Final = 100
_NOT_IN_NAMES: Final = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')


async def resolve_gap(
    gap_id: GapId, resolution: GapResolution, principal: Principal, *, services: Services, inbox: Inbox
) -> Gap:
    """Add the answer as knowledge and close the gap; without an answer it is dismissed.

    Twice with the same answer is once: the document is registered under a key made of gap and answer.

    Raises:
        NotFound: this business has no such gap.
        Unavailable: ingest, inference or the file store is away.
    """
    gap = (await services.ask(GET_GAP, GetGap(gap_id=gap_id), principal.scope)).gap
    document_id = None
    if resolution.answer is not None:
        document_id = await _register(
            gap, resolution.title or gap.question, resolution.answer, principal, services, inbox
        )
    return (await services.ask(CLOSE_GAP, CloseGap(gap_id=gap_id, document_id=document_id), principal.scope)).gap


async def _register(
    gap: Gap, title: str, answer: str, principal: Principal, services: Services, inbox: Inbox
) -> DocumentId:
    content = written(title, gap.question, answer).encode()
    digest = hashlib.sha256(content).hexdigest()
    name = str(uuid7())
    await inbox.put(principal.tenant_id, name, _once(content))
    request = RegisterDocument(
        document_id=DocumentId(uuid7()),
        inbox_name=name,
        filename=f"{_NOT_IN_NAMES.sub(' ', _line(title))[:_NAME_CHARS].strip(' .') or 'answer'}.md",
        size_bytes=len(content),
        idempotency=Idempotency(key=f"gap:{gap.id}:{digest}", body_sha256=digest),
    )
    try:
        registered = await services.ask(REGISTER_DOCUMENT, request, principal.scope, timeout_s=REGISTER_S)
    except BaseException:
        await inbox.drop(principal.tenant_id, name)
        raise
    return registered.document.id


def written(title: str, question: str, answer: str) -> str:
    """Word the document: the question stands above the answer, so that whoever asks it again finds it."""
    asked = "" if _line(title) == _line(question) else f"## {_line(question)}\n\n"
    return f"# {_line(title)}\n\n{asked}{answer.strip()}\n"


def _line(text: str) -> str:
    return " ".join(text.split()).lstrip("# ")


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
