"""The same text twice in one result: boilerplate that many documents share must not take the places of the rest.

Texts are compared as w-shingles (Broder 1997): runs of three words. Containment rather than resemblance, because the
same sentences are cut together with different neighbours.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from ingest_service.domain.terms import words

SHINGLE: Final = 3
REPEATED: Final = 0.8
"""Share of a text's shingles that one shown text holds: sixty words in which a product's name differs twice."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Print:
    shingles: frozenset[tuple[str, ...]]
    numbers: frozenset[str]

    def repeats(self, shown: "_Print") -> bool:
        # two rows of a price list differ in a number alone, and say different things
        if not self.numbers <= shown.numbers:
            return False
        return len(self.shingles & shown.shingles) >= REPEATED * len(self.shingles)


def split_repeats(ranked: Iterable[T], k: int, text_of: Callable[[T], str]) -> tuple[list[T], list[T]]:
    """The best `k` that repeat no better one, and those met on the way that do; both best first."""
    kept: list[T] = []
    prints: list[_Print] = []
    repeated: list[T] = []
    for one in ranked:
        mark = _print(text_of(one))
        if any(mark.repeats(shown) for shown in prints):
            repeated.append(one)
            continue
        kept.append(one)
        prints.append(mark)
        if len(kept) == k:
            break
    return kept, repeated


def _print(text: str) -> _Print:
    found = words(text)
    shingles = frozenset(zip(*(found[place:] for place in range(SHINGLE)), strict=False)) or frozenset([tuple(found)])
    # most words are letters alone, which is told at once
    with_others = (word for word in found if not word.isalpha())
    return _Print(shingles, frozenset(word for word in with_others if any(letter.isdigit() for letter in word)))
