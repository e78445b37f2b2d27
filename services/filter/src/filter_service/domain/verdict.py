"""What the filter says about a whole text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowed:
    """Nothing in the text is to be blocked."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """The text must not go on; the kinds of what was found, in the order of the rules."""

    categories: tuple[str, ...]


Verdict = Allowed | Blocked
