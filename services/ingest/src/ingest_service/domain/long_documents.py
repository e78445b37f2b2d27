"""Documents that take long, and fewer places for them than there are slots: a short one never waits for their end."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Coroutine, Iterator
from typing import Any, Final, TypeVar

from contracts.ids import DocumentId
from ingest_service.domain.document import Document
from ingest_service.domain.places import NoPlace, Places
from runtime.tenancy import TenantScope

LONG: Final = 512
"""Passages still to be embedded, from which on a document counts as long: some ten seconds of one core."""
LONG_S: Final = 10.0
"""Seconds of reading from which on it does, whatever comes of it: a scan is read for minutes."""
MOST_KNOWN: Final = 1_000
"""Readings that are known to be long; of more the first are forgotten, and begun once more to be known."""
T = TypeVar("T")
_Reading = tuple[DocumentId, int]


class LongDocuments:
    """At most `places` long documents are at work in this process, and one of each business.

    A business that sends several loses nothing by it: passages are embedded one after another anyway. One that had to
    wait is remembered, and begun again only when there is a place for all of it.
    """

    def __init__(self, places: int, *, from_passages: int = LONG, from_s: float = LONG_S) -> None:
        self.from_passages, self.from_s = from_passages, from_s
        self._places = Places(places)
        self._waiting: OrderedDict[_Reading, None] = OrderedDict()

    @contextlib.contextmanager
    def turn(self, scope: TenantScope, document: Document) -> Iterator["Turn"]:
        """While a document is read and embedded.

        Raises:
            NoPlace: It is known to be long, and there still is no place for it.
        """
        with contextlib.ExitStack() as until_its_end:
            turn = Turn(self, scope, (document.id, document.generation), until_its_end)
            if (document.id, document.generation) in self._waiting:
                turn.take()
            yield turn

    def take(self, scope: TenantScope, reading: _Reading, until_its_end: contextlib.ExitStack) -> None:
        """Take a place, or remember that this reading waits for one. Raises NoPlace."""
        self._waiting.pop(reading, None)
        try:
            until_its_end.enter_context(self._places.one(scope))
        except NoPlace:
            self._waiting[reading] = None
            if len(self._waiting) > MOST_KNOWN:
                self._waiting.popitem(last=False)
            raise


class Turn:
    """One reading of a document, short until it shows to be long."""

    def __init__(
        self, long: LongDocuments, scope: TenantScope, reading: _Reading, until_its_end: contextlib.ExitStack
    ) -> None:
        self._long, self._scope, self._reading = long, scope, reading
        self._until_its_end = until_its_end
        self._has_place = False

    def take(self) -> None:
        """It is long. Raises NoPlace: the places are taken, or the business's own."""
        if not self._has_place:
            self._long.take(self._scope, self._reading, self._until_its_end)
            self._has_place = True

    def embeds(self, passages: int) -> None:
        """So many passages are left to be embedded. Raises NoPlace."""
        if passages >= self._long.from_passages:
            self.take()

    async def reads(self, reading: Coroutine[Any, Any, T]) -> T:
        """What the reading gives; where it takes long and there is no place, it is broken off. Raises NoPlace."""
        task = asyncio.ensure_future(reading)
        try:
            await asyncio.wait({task}, timeout=self._long.from_s)
            if not task.done():
                self.take()
            return await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
