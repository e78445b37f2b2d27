"""What every rule is asked."""

from dataclasses import dataclass
from typing import Protocol

from filter_service.domain.window import Window

REDACTED = "[redacted]"
HIDDEN = "••••"


@dataclass(frozen=True, slots=True)
class Match:
    """What a rule sees at one place: where the longest match ends, and whether it may still become longer.

    Attributes:
        end: the raw index behind the match; -1 when there is none so far.
        is_open: what follows the window may still make a match, or a longer one.
        runs_on: folded characters that belong to the match as long as they follow it, however many they are. Nothing
            else is looked for among them.
    """

    end: int
    is_open: bool
    runs_on: frozenset[str] = frozenset()


NOTHING = Match(end=-1, is_open=False)


class Rule(Protocol):
    """One kind of forbidden content.

    Attributes:
        kind: the stable word that a verdict, a metric and a stored decision name it by.
        opening: a regular expression over folded text that matches wherever `at` could see anything but `NOTHING`; it
            may match elsewhere too. A text that ends inside the opening matches. `""` when there is nothing to find.
    """

    @property
    def kind(self) -> str: ...

    @property
    def opening(self) -> str: ...

    def at(self, window: Window, start: int) -> Match:
        """What begins at the folded index `start`, which is the first of a raw character."""
        ...

    def mask(self, text: str) -> str:
        """What may stand in place of this raw match so that its owner still knows it."""
        ...


def last_four(text: str) -> str:
    """The mask of a number: its last four letters or digits."""
    return f"{HIDDEN} {''.join(filter(str.isalnum, text))[-4:]}"
