"""Documents that moved on, told to the people of their business who have a page open."""

from contracts.errors import ERRORS
from contracts.frames import DocumentProgress
from contracts.ingest import DOCUMENT_PROGRESSED, DocumentError, DocumentProgressed
from gateway_service.domain.chat_ports import Clients
from runtime.bus import Bus
from runtime.tenancy import TenantScope


async def listen(bus: Bus, clients: Clients) -> None:
    """Hear the fact live, on every replica; a page that missed one asks for the document itself."""

    async def on_progressed(fact: DocumentProgressed, scope: TenantScope) -> None:
        clients.tell_people(scope.tenant_id, frame_of(fact).dump())

    # of the thousands that an import makes most are of businesses whose people have no page open here
    await bus.listen(DOCUMENT_PROGRESSED, on_progressed, of=lambda tenant_id: bool(clients.people_of(tenant_id)))


def frame_of(fact: DocumentProgressed) -> DocumentProgress:
    """What people are told of it."""
    known = ERRORS.get(fact.error_code or "")
    error = DocumentError(code=fact.error_code or "", detail=known.title) if known is not None else None
    return DocumentProgress(
        document_id=fact.document_id, state=fact.state, progress=fact.progress, error=error, eta_s=fact.eta_s
    )
