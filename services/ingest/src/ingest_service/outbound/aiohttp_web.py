"""Pages of the web, fetched as a polite and careful visitor: robots.txt, pauses, limits, and public networks alone.

Names are looked up once, and the connection goes to the very addresses that were judged, so that a name cannot lead
elsewhere between the look and the call. Redirects are followed by hand: each goes through the same gate.
"""

import asyncio
import socket
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from protego import Protego

from contracts.ingest import DOCUMENT_LIMIT_BYTES
from ingest_service.domain.errors import AddressRefused, DocumentRefused, PageGone, PageRefused
from ingest_service.domain.web_address import Network, is_public, literal, normal, origin
from ingest_service.domain.web_page import Fetched, SiteAway

AGENT: Final = "LumoraBot"
MOST_REDIRECTS: Final = 5
ROBOTS_KEPT_S: Final = 3_600.0
MOST_SITES: Final = 256
"""Whose rules are kept; a site that was forgotten is asked for them again."""
ROBOTS_BYTES: Final = 512 * 1024
"""RFC 9309 section 2.5 asks for at least 500 kibibytes."""
LONGEST_PAUSE_S: Final = 10.0
"""Of a `Crawl-delay`; who asks for more is visited no faster than this."""
PAUSE_S: Final = 0.2
WHOLE_S, CONNECT_S, SILENCE_S = 60, 5, 15
"""The most time for a page, for a connection, and between two pieces."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
HEADERS: Final = {"User-Agent": f"{AGENT}/1.0", "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@dataclass
class _Site:
    """What is known of one origin."""

    robots: Protego | None = None
    read_at: float = 0.0
    visited_at: float = 0.0
    visitors: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class AiohttpWeb:
    """Implements `Web`.

    Args:
        allowed: Networks that may be fetched from although they are not public: a company's own.
    """

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._gate = _Gate(allowed)
        self._sites: OrderedDict[str, _Site] = OrderedDict()
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Fetched | None:
        """Implements `Web.get`."""
        conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {name: value for name, value in conditions.items() if value}
        for _ in range(MOST_REDIRECTS + 1):
            async with self._turn_at(origin(url)) as site:
                await self._ask_robots(site, url)
                await _pause(site)
                async with self._asked(url, headers) as answer:
                    if answer.status == HTTPStatus.NOT_MODIFIED:
                        return None
                    if answer.status not in _REDIRECTS:
                        return await _taken(url, answer)
                    target = answer.headers.get("Location", "")
            url = normal(target, url)
        raise PageRefused("The page redirects too often.")

    @asynccontextmanager
    async def _turn_at(self, place: str) -> AsyncIterator[_Site]:
        """One visit at a time to a site; what is known of those visited longest ago is forgotten."""
        site = self._sites.setdefault(place, _Site())
        self._sites.move_to_end(place)
        site.visitors += 1
        try:
            async with site.turn:
                yield site
        finally:
            site.visitors -= 1
            self._forget()

    def _forget(self) -> None:
        """What is too much or too old; never a site that somebody is at or waits for: it would be visited twice."""
        too_old = time.monotonic() - ROBOTS_KEPT_S
        for place, site in list(self._sites.items()):
            if site.visited_at > too_old and len(self._sites) <= MOST_SITES:
                return
            if not site.visitors:
                del self._sites[place]

    async def close(self) -> None:
        """Close its connections."""
        if self._session is not None:
            await self._session.close()

    async def _ask_robots(self, site: _Site, url: str) -> None:
        if site.robots is None or time.monotonic() - site.read_at > ROBOTS_KEPT_S:
            site.robots = await self._robots(f"{origin(url)}/robots.txt")
            site.read_at = time.monotonic()
        if not site.robots.can_fetch(url, AGENT):
            raise PageRefused("The site's robots.txt asks not to fetch this page.", code="robots_refused")

    async def _robots(self, url: str) -> Protego:
        """The site's rules; none when it has no such file, or when it redirects (RFC 9309 lets a visitor stop there).

        Raises:
            SiteAway: The site fails, which forbids everything for now.
        """
        async with self._asked(url, {}) as answer:
            if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise SiteAway(f"The site answers its robots.txt with status {answer.status}.")
            data = await answer.content.read(ROBOTS_BYTES) if answer.status == HTTPStatus.OK else b""
        return Protego.parse(data.decode("utf-8", errors="replace"))

    @asynccontextmanager
    async def _asked(self, url: str, headers: dict[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        self._gate.judge(url)
        try:
            async with self._connected().get(url, headers=headers, allow_redirects=False) as answer:
                yield answer
        except aiohttp.ClientConnectorDNSError as error:
            if isinstance(error.os_error, _NotPublic):
                raise AddressRefused("This address leads into a private network.") from error
            raise PageRefused("The host of this address is not known.", code="host_not_found") from error
        except aiohttp.InvalidURL as error:
            raise AddressRefused("This is not an address of a web page.") from error
        except TimeoutError as error:
            raise SiteAway("The site does not answer in time.") from error
        except aiohttp.ClientError as error:
            raise SiteAway("The site cannot be reached.") from error

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(resolver=self._gate, limit=8, limit_per_host=2, use_dns_cache=False)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=WHOLE_S, sock_connect=CONNECT_S, sock_read=SILENCE_S),
                headers=HEADERS,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session


async def _taken(url: str, answer: aiohttp.ClientResponse) -> Fetched:
    """The page, unpacked; what is counted against the limit is unpacked too."""
    if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        raise PageGone("There is no page at this address.")
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SiteAway(f"The site answers with status {answer.status}.")
    if answer.status != HTTPStatus.OK:
        raise PageRefused(f"The site refuses the page (status {answer.status}).")
    parts, size = [], 0
    async for part in answer.content.iter_chunked(64 * 1024):
        parts.append(part)
        size += len(part)
        if size > DOCUMENT_LIMIT_BYTES:
            raise DocumentRefused("The page is larger than 50 MiB.", code="too_large")
    return Fetched(url, b"".join(parts), answer.headers.get("ETag"), answer.headers.get("Last-Modified"))


async def _pause(site: _Site) -> None:
    """Wait until the site has had the pause that it asks for."""
    asked = site.robots.crawl_delay(AGENT) if site.robots else None
    pause_s = min(max(asked or 0.0, PAUSE_S), LONGEST_PAUSE_S)
    await asyncio.sleep(max(0.0, site.visited_at + pause_s - time.monotonic()))
    site.visited_at = time.monotonic()


class _NotPublic(OSError):
    """The name has an address that is not public."""


class _Gate(AbstractResolver):
    """Looks names up and lets public addresses through; one that is not public refuses the name."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = tuple(allowed)
        self._system = ThreadedResolver()

    def judge(self, url: str) -> None:
        """Refuse an address that spells out one that is not public: such a one is not looked up.

        Raises:
            AddressRefused: It leads into a private network.
        """
        host = urlsplit(url).hostname or ""
        if literal(host) is not None and not self._may_call(host):
            raise AddressRefused("This address leads into a private network.")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Every address of a name, if all of them may be called."""
        found = await self._system.resolve(host, port, family)
        if not all(self._may_call(result["host"]) for result in found):
            raise _NotPublic(host)
        return found

    async def close(self) -> None:
        """Nothing is held."""
        await self._system.close()

    def _may_call(self, host: str) -> bool:
        address = literal(host)
        return address is not None and (is_public(address) or any(address in network for network in self._allowed))
