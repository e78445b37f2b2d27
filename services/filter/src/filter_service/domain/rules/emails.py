"""E-mail addresses, as people write them; quoted local parts and address literals are left out.

Every word may be the beginning of an address: with this rule on, the last word of a piece waits for what follows it.
"""

from filter_service.domain.rules.rule import REDACTED, Match
from filter_service.domain.rules.shape import Shape
from filter_service.domain.window import Window

# Latin, Greek and Cyrillic letters with their marks, for addresses of EAI (RFC 6531) and international domains.
_LETTERS = "a-zß-ɏ\u0300-\u036fͰ-ϿЀ-ԯ"
_LOCAL = rf"[{_LETTERS}0-9_.%+\-]"
# RFC 5321 4.5.3.1.1.
_LONGEST_LOCAL = 64
_LABEL = rf"[{_LETTERS}0-9](?:[{_LETTERS}0-9\-]*[{_LETTERS}0-9])?"


class Emails:
    """Finds the longest address that begins at a place; one that is longer than the window is cut there."""

    kind = "email_address"

    def __init__(self) -> None:
        local = rf"{_LOCAL}{{1,{_LONGEST_LOCAL}}}+"
        self.opening = rf"(?<!{_LOCAL}){local}(?:\Z|@(?:\Z|[{_LETTERS}0-9]))"
        self._shape = Shape(
            opening=self.opening,
            whole=rf"{local}@(?:{_LABEL}\.)+[{_LETTERS}]{{2,}}(?![{_LETTERS}0-9])",
            begun=rf"{local}(?:@(?:[{_LETTERS}0-9][{_LETTERS}0-9.\-]*)?)?",
        )

    def at(self, window: Window, start: int) -> Match:
        """The address that begins at `start`."""
        return self._shape.at(window, start)

    def mask(self, text: str) -> str:
        """The first letter and the domain."""
        local, at, domain = text.partition("@")
        return f"{local[:1]}•••@{domain}" if at else REDACTED
