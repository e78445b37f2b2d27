"""Documents that are not cut as their business wants it are read anew, beside what is found of them."""

from collections.abc import Sequence
from typing import Protocol

from contracts.ids import DocumentId
from ingest_service.domain.cut_settings import DEFAULT
from ingest_service.domain.document import State
from ingest_service.domain.ports import Documents
from runtime.tenancy import TenantScope


class CutOtherwise(Protocol):
    """Every tenant's ready documents that are cut by other settings than their business has."""

    async def next(self) -> Sequence[tuple[TenantScope, DocumentId]]:
        """Of each business as many as its queue has room for beside what is read already."""
        ...


async def recut(cut_otherwise: CutOtherwise, documents: Documents) -> int:
    """Begin the next generation of some of them; how many. Nothing but their rows says which are left."""
    begun = 0
    for scope, document_id in await cut_otherwise.next():
        document = await documents.get(scope, document_id)
        wanted = await documents.cut_settings(scope)
        # another replica may have been here
        if document is not None and document.state is State.READY and (document.cut_by or DEFAULT) != wanted:
            await documents.read_again(scope, document_id)
            begun += 1
    return begun
