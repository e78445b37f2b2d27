"""A site's robots.txt, as far as it is for this visitor.

Protego keeps each rule once for every name that its group has: of four thousand names above four thousand rules, 130 kB
together, it made a gigabyte and stood still for 17 seconds. So all names but the one that is meant for us are made one.
"""

import re
from collections.abc import Iterable
from typing import Final

from protego import Protego

from ingest_service.domain.web_asks import AGENT

_NAMED: Final = re.compile(r"\s*user[-\s]*agent\s*+[:\s]\s*+(?P<name>[^#]+)", re.IGNORECASE)
"""As generously as Protego reads it: without its dash or its colon."""
_EVERYBODY: Final = "*"
_ANOTHER: Final = "another"


def rules_of(data: bytes) -> Protego:
    """The rules; slow for a long file. A mark of the encoding before them is none of them."""
    lines = data.decode("utf-8-sig", errors="replace").splitlines()
    names = [_name(line) for line in lines]
    ours = _ours(names)
    kept = (
        line if name is None else f"User-agent: {name if name == ours else _ANOTHER}"
        for line, name in zip(lines, names, strict=True)
    )
    return Protego.parse("\n".join(kept))


def _name(line: str) -> str | None:
    """The visitor that a line names; None for any other line."""
    named = _NAMED.match(line)
    if named is None:
        return None
    name = named["name"].strip().lower()
    return name if name == _EVERYBODY else name.replace(_EVERYBODY, "")


def _ours(names: Iterable[str | None]) -> str:
    """The name whose rules are for us: the longest that begins ours, or else everybody's."""
    ours = {name for name in names if name and AGENT.lower().startswith(name)}
    return max(ours, key=len, default=_EVERYBODY)
