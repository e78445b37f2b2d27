"""What a page asks of visitors like this one: not to be kept, its links not to be followed."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ingest_service.domain.tags import Tags

AGENT: Final = "LumoraBot"
LOOKED_AT: Final = 256 * 1024
"""Bytes of a page that are searched: the elements stand in its head."""
_VALUED: Final = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
"""Rules with a colon of their own; before any other one stands whom the rules behind it are for."""


class Asks(NamedTuple):
    """`noindex` and `nofollow`, as `X-Robots-Tag` and `<meta name="robots">` say them to all, or to this visitor."""

    not_to_keep: bool
    not_to_follow: bool


NOTHING: Final = Asks(not_to_keep=False, not_to_follow=False)


def asks_of(data: bytes, header: Iterable[str] = ()) -> Asks:
    """Of a page's bytes and its `X-Robots-Tag`s; slow for a long page."""
    meta = _Meta()
    head = data[:LOOKED_AT]
    if b"<meta" in head.lower():
        meta.feed(head.decode("utf-8", errors="replace"))
    rules = {rule for line in (*header, *meta.found) for rule in _rules(line)}
    return Asks(not rules.isdisjoint({"noindex", "none"}), not rules.isdisjoint({"nofollow", "none"}))


def _rules(line: str) -> Iterator[str]:
    is_for_us = True
    for part in line.lower().split(","):
        name, colon, rule = (word.strip() for word in part.partition(":"))
        if not colon:
            name, rule = "", name
        elif name in _VALUED:
            continue
        else:
            is_for_us = name == AGENT.lower()
        if is_for_us:
            yield rule


class _Meta(Tags):
    """Collects what `<meta name="robots">` says."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One opening tag."""
        given = dict(attrs)
        if tag == "meta" and (given.get("name") or "").strip().lower() in {"robots", AGENT.lower()}:
            self.found.append(given.get("content") or "")
