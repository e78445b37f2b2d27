"""What is known of the sites that are visited: their rules, whose turn it is, and whether they are left alone."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final

from protego import Protego

from ingest_service.domain.put_off import LONGEST_ASKED_BY_SITE_S
from ingest_service.domain.web_page import LeftAlone, SiteAway

RULES_KEPT_S: Final = 3_600.0
MOST_SITES: Final = 256
"""That are known; one that was forgotten is asked for its rules again."""
MOST_RULES: Final = 2 * 1024 * 1024
"""Bytes of the rules of all of them: rules take fifty times as much memory as they have bytes."""
SILENT_VISITS: Final = 3
LEFT_ALONE_S: Final = 60.0
"""After so many visits in a row that it did not answer: hundreds of pages would each wait for it."""
PATIENT_VISITS: Final = 5
"""That a site answers by asking for patience, in a row; from then on waiting for it is a try: one of its hundreds of
pages is visited each time, and it would be weeks until each had been as often as it may."""


class Silent(SiteAway):
    """It does not answer, or cannot be connected to."""


@dataclass
class Site:
    """One origin.

    So many visits in a row were `silent`, or `asked` for patience; nobody goes there before `open_at`, for what it
    `said`. Whoever waits for one that is one or the other too often has used up a try.
    """

    robots: Protego | None = None
    rules_bytes: int = 0
    read_at: float = 0.0
    visited_at: float = 0.0
    wanted_at: float = 0.0
    visitors: int = 0
    silent: int = 0
    asked: int = 0
    open_at: float = 0.0
    said: str = ""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @contextmanager
    def visited(self) -> Iterator[None]:
        """Note how a visit ends.

        Raises:
            LeftAlone: The site asked for it.
            SiteAway: It was silent, or asked, too often, which counts as one more try.
        """
        left_s = self.open_at - time.monotonic()
        if left_s > 0:
            is_try = self.silent or self.asked >= PATIENT_VISITS
            raise (SiteAway if is_try else LeftAlone)(self.said, retry_after_s=left_s)
        try:
            yield
        except Silent as silence:
            self.silent += 1
            if self.silent >= SILENT_VISITS:
                self._close(LEFT_ALONE_S, silence)
            raise
        except Exception as answer:
            self.silent = 0
            self.asked = self.asked + 1 if isinstance(answer, SiteAway) else 0
            if isinstance(answer, SiteAway):
                self._close(min(answer.retry_after_s or 0.0, LONGEST_ASKED_BY_SITE_S), answer)
            raise
        else:
            self.silent = self.asked = 0

    def _close(self, for_s: float, why: SiteAway) -> None:
        self.open_at, self.said = time.monotonic() + for_s, why.detail


class Sites:
    """Those that were visited last."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Site] = OrderedDict()

    @asynccontextmanager
    async def turn_at(self, place: str) -> AsyncIterator[Site]:
        """One visit at a time to a site; what is known of those not visited for longest is forgotten.

        Raises:
            SiteAway: It is to be left alone.
        """
        site = self._known.setdefault(place, Site())
        self._known.move_to_end(place)
        site.wanted_at = time.monotonic()
        site.visitors += 1
        try:
            async with site.turn:
                with site.visited():
                    yield site
        finally:
            site.visitors -= 1
            self._forget()

    def _forget(self) -> None:
        """What is too much or too old; never a site that somebody is at or waits for: it would be visited twice."""
        too_old = time.monotonic() - RULES_KEPT_S
        rules_bytes = sum(site.rules_bytes for site in self._known.values())
        for place, site in list(self._known.items()):
            if site.wanted_at > too_old and len(self._known) <= MOST_SITES and rules_bytes <= MOST_RULES:
                return
            if not site.visitors:
                rules_bytes -= site.rules_bytes
                del self._known[place]
