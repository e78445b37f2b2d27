"""What of a web page nobody sees: hidden parts, boxes that ask about cookies, letters of no size."""

import re
from typing import Final

from lxml.etree import _Element as Element

_HIDDEN: Final = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_WITHOUT_SIZE: Final = re.compile(
    r"font-size\s*:\s*(?:0+(?:\.0*)?|\.0+)(?:px|r?em|p[tc]|ex|%)?\s*(?:;|!|$)", re.IGNORECASE
)
_CONSENT: Final = re.compile(
    r"cookie[-_]?(?:banner|bar|box|consent|dialog|layer|message|modal|notice|notification|overlay|popup|warning)"
    r"|\b(?:onetrust|cybotcookiebot|usercentrics|borlabs-cookie|cmplz-cookie)",
    re.IGNORECASE,
)
"""What asks visitors to agree to cookies, by the names that such boxes have."""
_WHOLE: Final = frozenset({"html", "body"})
_MAIN: Final = ("main", "article", "h1")
"""What no box of a page is or holds, whatever it is called: a page may be about cookies, or say that it shows a box."""


def is_hidden(element: Element) -> bool:
    """Whether nobody sees it; a page itself is shown in the end, even if it waits for a script first."""
    if element.tag in _WHOLE:
        return False
    style = element.get("style") or ""
    is_said = element.get("hidden") is not None or element.get("aria-hidden") == "true"
    return is_said or _HIDDEN.search(style) is not None or _asks_to_agree(element) or _is_without_size(element, style)


def _asks_to_agree(element: Element) -> bool:
    named = f"{element.get('id') or ''} {element.get('class') or ''}"
    return _CONSENT.search(named) is not None and next(element.iter(*_MAIN), None) is None


def _is_without_size(element: Element, style: str) -> bool:
    """Letters of no size, unless what is in it may have one: newsletters set rows so to close gaps."""
    return _WITHOUT_SIZE.search(style) is not None and not any(
        "font-size" in (inner.get("style") or "").lower() or inner.get("class") for inner in element.iterdescendants()
    )
