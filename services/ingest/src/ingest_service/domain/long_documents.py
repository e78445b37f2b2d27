"""Places for documents that take long: fewer than there are slots, so that a short one never waits for their end."""

import contextlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from contracts.ids import DocumentId, TenantId
from ingest_service.domain.document import Document
from runtime.tenancy import TenantScope

LONG: Final = 512
"""Passages still to be embedded, from which on a document counts as long: some ten seconds of one core."""
MOST_KNOWN: Final = 1_000
"""Readings that are known to be long; of more the first are forgotten, and read once more to be known."""


class NoPlace(Exception):
    """A long document has to wait until another one is done."""


class LongDocuments:
    """At most `places` long documents are at work in this process, and one of each business.

    A business that sends several loses nothing by it: passages are embedded one after another anyway. One that had to
    wait is remembered, so that it is not read again only to be told the same.
    """

    def __init__(self, places: int, *, from_passages: int = LONG) -> None:
        self._places = places
        self._from_passages = from_passages
        self._at_work: set[TenantId] = set()
        self._waiting: OrderedDict[tuple[DocumentId, int], None] = OrderedDict()

    def check(self, scope: TenantScope, document: Document) -> None:
        """Before it is read.

        Raises:
            NoPlace: It is known to be long, and there still is no place for it.
        """
        if (document.id, document.generation) in self._waiting and not self._is_free_for(scope):
            raise NoPlace

    @contextlib.contextmanager
    def place(self, scope: TenantScope, document: Document, passages: int) -> Iterator[None]:
        """While `passages` of it are embedded; a short document needs none.

        Raises:
            NoPlace: It is long, and the places are taken, or the business's own.
        """
        reading = document.id, document.generation
        self._waiting.pop(reading, None)
        if passages < self._from_passages:
            yield
            return
        if not self._is_free_for(scope):
            self._waiting[reading] = None
            if len(self._waiting) > MOST_KNOWN:
                self._waiting.popitem(last=False)
            raise NoPlace
        self._at_work.add(scope.tenant_id)
        try:
            yield
        finally:
            self._at_work.remove(scope.tenant_id)

    def _is_free_for(self, scope: TenantScope) -> bool:
        return scope.tenant_id not in self._at_work and len(self._at_work) < self._places
