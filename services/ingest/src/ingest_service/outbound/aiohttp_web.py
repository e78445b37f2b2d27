"""Pages of the web, fetched as a polite and careful visitor: robots.txt, pauses, limits, and public networks alone.

Names are looked up once, and the connection goes to the very addresses that were judged, so that a name cannot lead
elsewhere between the look and the call. Redirects are followed by hand: each goes through the same gate.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from contracts.ingest import DOCUMENT_LIMIT_BYTES
from ingest_service.domain.errors import AddressRefused, DocumentRefused, PageGone, PageRefused
from ingest_service.domain.web_address import Network, is_public, literal, normal, origin
from ingest_service.domain.web_asks import AGENT
from ingest_service.domain.web_page import Fetched, SiteAway, VisitorLeaves
from ingest_service.outbound.robots import rules_of
from ingest_service.outbound.sites import RULES_KEPT_S, Silent, Site, Sites
from runtime.retry_after import seconds_of

MOST_REDIRECTS: Final = 5
ROBOTS_BYTES: Final = 512 * 1024
"""RFC 9309 section 2.5 asks for at least 500 kibibytes."""
LONGEST_PAUSE_S: Final = 10.0
"""Of a `Crawl-delay`; who asks for more is visited no faster than this."""
PAUSE_S: Final = 0.2
LOOKUPS_AT_ONCE: Final = 16
WHOLE_S, CONNECT_S, SILENCE_S = 60, 5, 15
"""The most time for a page with its rules and redirects, for a connection, and between two pieces."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
HEADERS: Final = {"User-Agent": f"{AGENT}/1.0", "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class AiohttpWeb:
    """Implements `Web`.

    Args:
        allowed: Networks that may be fetched from although they are not public: a company's own.
    """

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._gate = _Gate(allowed)
        self._sites = Sites()
        self._session: aiohttp.ClientSession | None = None
        self._visits: set[asyncio.Task[Fetched | None]] = set()
        self._leaves = False

    async def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Fetched | None:
        """Implements `Web.get`."""
        if self._leaves:
            raise VisitorLeaves
        visit = asyncio.ensure_future(self._get(url, etag=etag, last_modified=last_modified))
        self._visits.add(visit)
        try:
            return await visit
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._leaves and not (task and task.cancelling()):
                raise VisitorLeaves from None
            raise
        finally:
            self._visits.discard(visit)

    async def leave(self) -> None:
        """End all visits and begin no more: the process stops."""
        self._leaves = True
        for visit in self._visits:
            visit.cancel()

    async def _get(self, url: str, *, etag: str | None, last_modified: str | None) -> Fetched | None:
        conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {name: value for name, value in conditions.items() if value}
        left_s: float = WHOLE_S
        for _ in range(MOST_REDIRECTS + 1):
            async with self._sites.turn_at(origin(url)) as site:
                begun = time.monotonic()
                try:
                    async with asyncio.timeout(left_s):
                        found = await self._visit(site, url, headers)
                except TimeoutError as error:
                    raise Silent("The site does not answer in time.") from error
                left_s -= time.monotonic() - begun
            if not isinstance(found, str):
                return found
            url = normal(found, url)
        raise PageRefused("The page redirects too often.")

    async def _visit(self, site: Site, url: str, headers: dict[str, str]) -> Fetched | str | None:
        """The page, where it is elsewhere, or None when it is unchanged."""
        await self._ask_robots(site, url)
        await _pause(site)
        async with self._asked(url, headers) as answer:
            if answer.status == HTTPStatus.NOT_MODIFIED:
                return None
            if answer.status in _REDIRECTS:
                return answer.headers.get("Location", "")
            return await _taken(url, answer)

    async def close(self) -> None:
        """Close its connections."""
        if self._session is not None:
            await self._session.close()
        await self._gate.close()

    async def _ask_robots(self, site: Site, url: str) -> None:
        if site.robots is None or time.monotonic() - site.read_at > RULES_KEPT_S:
            data = await self._robots(f"{origin(url)}/robots.txt")
            site.robots, site.rules_bytes = await asyncio.to_thread(rules_of, data), len(data)
            site.read_at = time.monotonic()
        if not site.robots.can_fetch(url, AGENT):
            raise PageRefused("The site's robots.txt asks not to fetch this page.", code="robots_refused")

    async def _robots(self, url: str) -> bytes:
        """The site's rules; none when it has no such file, or when it redirects (RFC 9309 lets a visitor stop there).

        Raises:
            SiteAway: The site fails, which forbids everything for now.
        """
        async with self._asked(url, {}) as answer:
            if _is_away(answer.status):
                raise _away(f"The site answers its robots.txt with status {answer.status}.", answer)
            return await _beginning(answer, ROBOTS_BYTES) if answer.status == HTTPStatus.OK else b""

    @asynccontextmanager
    async def _asked(self, url: str, headers: dict[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        self._gate.judge(url)
        try:
            async with self._connected().get(url, headers=headers, allow_redirects=False) as answer:
                yield answer
        except aiohttp.ClientConnectorDNSError as error:
            if isinstance(error.os_error, _NotPublic):
                raise AddressRefused("This address leads into a private network.") from error
            if error.os_error.errno == socket.EAI_AGAIN:
                raise Silent("The name of the site's host cannot be looked up for now.") from error
            raise PageRefused("The host of this address is not known.", code="host_not_found") from error
        except aiohttp.InvalidURL as error:
            raise AddressRefused("This is not an address of a web page.") from error
        except TimeoutError as error:
            raise Silent("The site does not answer in time.") from error
        except aiohttp.ClientError as error:
            raise Silent("The site cannot be reached.") from error

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            # no limit here: a site gets one visit at a time, and those that hang must not keep others out
            connector = aiohttp.TCPConnector(resolver=self._gate, limit=0, use_dns_cache=False)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S),
                headers=HEADERS,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session


async def _beginning(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """So many bytes, or all there are, in however many pieces they come."""
    data = b""
    async for part in answer.content.iter_chunked(64 * 1024):
        data += part
        if len(data) >= most:
            break
    return data[:most]


async def _taken(url: str, answer: aiohttp.ClientResponse) -> Fetched:
    """The page, unpacked; what is counted against the limit is unpacked too."""
    if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        raise PageGone("There is no page at this address.")
    if _is_away(answer.status):
        raise _away(f"The site answers with status {answer.status}.", answer)
    if answer.status != HTTPStatus.OK:
        raise PageRefused(f"The site refuses the page (status {answer.status}).")
    parts, size = [], 0
    async for part in answer.content.iter_chunked(64 * 1024):
        parts.append(part)
        size += len(part)
        if size > DOCUMENT_LIMIT_BYTES:
            raise DocumentRefused("The page is larger than 50 MiB.", code="too_large")
    robots = tuple(answer.headers.getall("X-Robots-Tag", ()))
    return Fetched(url, b"".join(parts), _mark(answer, "ETag"), _mark(answer, "Last-Modified"), robots)


def _mark(answer: aiohttp.ClientResponse, name: str) -> str | None:
    """What the site knows the page by; None where it is no text, which can be neither kept nor said again."""
    value = answer.headers.get(name, "")
    return value if value.isprintable() and value else None


def _is_away(status: int) -> bool:
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _away(detail: str, answer: aiohttp.ClientResponse) -> SiteAway:
    return SiteAway(detail, retry_after_s=seconds_of(answer.headers.get("Retry-After", "")))


async def _pause(site: Site) -> None:
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
        # of its own: a name server that hangs would take the threads of everything else
        self._threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="names")

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
        look = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        infos = await asyncio.get_running_loop().run_in_executor(self._threads, look)
        found = [_result(host, info) for info in infos]
        if not all(self._may_call(result["host"]) for result in found):
            raise _NotPublic(host)
        return found

    async def close(self) -> None:
        """Look nothing up any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _may_call(self, host: str) -> bool:
        address = literal(host)
        return address is not None and (is_public(address) or any(address in network for network in self._allowed))


def _result(host: str, info: tuple[Any, ...]) -> ResolveResult:
    family, _, protocol, _, address = info
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address[0], port=address[1], family=family, proto=protocol, flags=flags)
