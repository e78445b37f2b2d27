"""How far a document is, as its owner is told: seldom enough, and never less than before, also after a crash."""

from typing import Final

from ingest_service.domain.document import Document, State
from ingest_service.domain.estimate import Expected
from ingest_service.domain.pages_read import READ_BY
from ingest_service.domain.ports import Documents
from runtime.clock import Clock
from runtime.tenancy import TenantScope

SAY_EVERY_S: Final = 0.5
_ORDER: Final = tuple(State)


class Fenced(Exception):
    """What this attempt does not count any more."""


class Progress:
    """Of one attempt, which goes on where an earlier one was; `share` goes from 0 to 1.

    `read_by` is the share at which reading ends.
    """

    def __init__(self, document: Document, scope: TenantScope, *, documents: Documents, clock: Clock) -> None:
        self._document = document
        self._scope = scope
        self._documents = documents
        self._clock = clock
        self._state = State.PARSING
        self._share = document.progress
        self._said_at = clock.monotonic_s()
        self.read_by = READ_BY

    async def begin(self) -> None:
        """Note that it is read from now on: what only waits is not said to be.

        Raises:
            Fenced: The attempt does not count any more.
        """
        await self._note(State.PARSING, self._share)

    async def say(self, state: State, share: float, expected: Expected | None = None) -> None:
        """Note it: a new state at once, within a state every half second; `expected`: when it will be ready, if known.

        Raises:
            Fenced: The attempt does not count any more.
        """
        now = self._clock.monotonic_s()
        is_news = share > self._share or expected is not None
        if state is self._state and (not is_news or now - self._said_at < SAY_EVERY_S):
            return
        if _ORDER.index(state) < _ORDER.index(self._state):
            return
        await self._note(state, max(share, self._share), expected)

    async def _note(self, state: State, share: float, expected: Expected | None = None) -> None:
        self._state, self._share, self._said_at = state, share, self._clock.monotonic_s()
        if not await self._documents.advance(self._scope, self._document, state, self._share, expected=expected):
            raise Fenced
