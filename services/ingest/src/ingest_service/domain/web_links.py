"""Where a page or a sitemap leads to. Nothing that is found is trusted: every address is made normal and judged."""

import html
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from ingest_service.domain.errors import AddressRefused
from ingest_service.domain.tags import Tags
from ingest_service.domain.web_address import is_same_site, normal

LOOKED_AT: Final = 4 * 1024 * 1024
"""Bytes of a page that are searched for links."""
MOST_LINKS: Final = 50_000
"""Different addresses in it that are looked at: a sitemap holds no more."""
_NO_TAG: Final = re.compile(r"<(?![A-Za-z/!?])")
"""Nothing begins there; the parser takes each for a text of its own, 2 us a time."""
_SITEMAP: Final = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?>(?:<!--(?>.*?-->)\s*)*)<(?:urlset|sitemapindex)[\s>]", re.DOTALL
)
"""Atomic: else comments in a row could be parted in twice as many ways with each further one."""
_PLACE: Final = re.compile(r"<loc>\s*+(?:<!\[CDATA\[)?+([^<\]]{1,4096}+)(?:\]\]>)?+\s*+</loc>", re.IGNORECASE)
"""With the white space around an address. It never goes back: it would for each space of thousands."""
_NO_PAGES: Final = re.compile(
    r"\.(?:avif|bmp|css|exe|gif|gz|ico|iso|jpe?g|js|json|m4a|mp3|mp4|png|rss|svg|tar|tgz|ttf|wav|webm|webp|woff2?|zip)\Z",
    re.IGNORECASE,
)
_TRACKING: Final = re.compile(
    r"(?:utm_\w+|gclid|dclid|fbclid|msclkid|mc_[ce]id|_ga|_gl|yclid|igshid)(?:=|\Z)", re.IGNORECASE
)
"""What tells a site where a visitor comes from, and changes nothing of the page."""


def is_sitemap(data: bytes) -> bool:
    """A list of addresses by the protocol of sitemaps.org, or a list of such lists."""
    return _SITEMAP.match(data[:4_096]) is not None


def links_of(data: bytes, url: str) -> list[str]:
    """Same-site addresses that a page or sitemap leads to, in its order, each once and never its own."""
    text = data[:LOOKED_AT].decode("utf-8", errors="replace")
    found: Iterable[str]
    base = url
    if is_sitemap(data):
        found = (html.unescape(match.group(1)) for match in _PLACE.finditer(text))
    else:
        anchors = _Anchors()
        anchors.feed(_NO_TAG.sub("&lt;", text))
        found, base = anchors.found, anchors.base or url
    written = islice(dict.fromkeys(found), MOST_LINKS)
    return list(dict.fromkeys(_followed(written, url, base)))


def _followed(found: Iterable[str], url: str, base: str) -> Iterator[str]:
    try:
        base = normal(base, url)
    except AddressRefused:
        return
    for link in found:
        try:
            address = _untracked(normal(link, base))
        except AddressRefused:
            continue
        path = address.partition("?")[0]
        if address != url and is_same_site(address, url) and not _NO_PAGES.search(path):
            yield address


def _untracked(address: str) -> str:
    path, _, query = address.partition("?")
    kept = "&".join(part for part in query.split("&") if not _TRACKING.match(part))
    return f"{path}?{kept}" if kept else path


class _Anchors(Tags):
    """Collects what `<a href>` names, but for links that ask not to be followed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One opening tag."""
        given = dict(attrs)
        href = given.get("href")
        if not href:
            return
        if tag == "base":
            self.base = self.base or href
        elif tag == "a" and "nofollow" not in (given.get("rel") or "").lower():
            self.found.append(href)
