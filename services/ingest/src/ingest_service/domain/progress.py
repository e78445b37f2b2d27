"""How far one attempt at a document is, as its owner is told: seldom enough, and never less than before."""

from typing import Final

from ingest_service.domain.document import Document, State
from ingest_service.domain.ports import Documents
from runtime.clock import Clock
from runtime.tenancy import TenantScope

SAY_EVERY_S: Final = 0.5


class Fenced(Exception):
    """What this attempt does not count any more."""


class Progress:
    """Of one attempt; `share` goes from 0 to 1."""

    def __init__(self, document: Document, scope: TenantScope, *, documents: Documents, clock: Clock) -> None:
        self._document = document
        self._scope = scope
        self._documents = documents
        self._clock = clock
        self._state = document.state
        self._share = 0.0
        self._said_at = clock.monotonic_s()

    async def say(self, state: State, share: float) -> None:
        """Note it: a new state at once, within a state every half second.

        Raises:
            Fenced: The attempt does not count any more.
        """
        now = self._clock.monotonic_s()
        is_due = state is not self._state or now - self._said_at >= SAY_EVERY_S
        if share < self._share or not is_due:
            return
        self._state, self._share, self._said_at = state, share, now
        if not await self._documents.advance(self._scope, self._document, state, share):
            raise Fenced
