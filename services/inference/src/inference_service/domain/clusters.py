"""Questions that mean the same, gathered one by one as they come: incremental leader clustering (Hartigan 1975).

A question joins the group whose centre and words it is nearest to, when it is near enough, else it begins one. No
question is looked at twice and no group is ever split, so what a person has read keeps its number.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import mul
from typing import Final

from contracts.ids import GapId, MessageId
from inference_service.domain.support import reads
from inference_service.domain.words import content_terms, language_of

Vector = Sequence[float]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near two questions must be.

    Attributes:
        words: how much of the likeness are shared words; the rest is the cosine.
        near: from which likeness on two questions mean the same.
    """

    words: float
    near: float


BY_MEANING: Final = Likeness(words=0.1, near=0.6)
"""Where MiniLM knows the language; chosen by `bench/gaps.py`."""
BY_WORDS: Final = Likeness(words=0.8, near=0.5)
"""For the other languages, whose words count for more; a guess, no set was at hand to measure it."""
_UNKNOWN: Final = "und"
"""The language of a question that is too short to tell it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and its unit vector."""

    id: MessageId
    text: str
    vector: Vector

    @property
    def language(self) -> str:
        """The two-letter code, `und` when nothing speaks for one."""
        return language_of(self.text)


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that mean the same.

    Attributes:
        question: its first one, whose words a further one is compared with.
        centre: mean of its questions' vectors, of unit length.
        count: how many there are.
    """

    id: GapId
    language: str
    question: str
    centre: Vector
    count: int


@dataclass(frozen=True, slots=True)
class Sorted:
    """Where questions went: the groups that are new or changed, and the group of each question."""

    groups: tuple[Group, ...]
    gap_ids: dict[MessageId, GapId]


def group_of(asked: Asked, gap_id: GapId) -> Group:
    """Begin a group with its first question."""
    return Group(gap_id, asked.language, asked.text, asked.vector, 1)


def nearest(asked: Asked, groups: Sequence[Group], likeness: Likeness | None = None) -> Group | None:
    """Return the group that a question belongs to; None when it is near enough to none in its language.

    A question too short to tell its language (`Kayak available?`) may belong to one of any, and others to its group.
    `likeness` is what the language asks for, unless another one is to be tried.
    """
    own = asked.language
    near = 0.0
    best: Group | None = None
    for group in groups:
        if _UNKNOWN not in (own, group.language) and own != group.language:
            continue
        language = group.language if own == _UNKNOWN else own
        asks = likeness or (BY_MEANING if reads(language) else BY_WORDS)
        cosine = sum(map(mul, asked.vector, group.centre))
        shared = _shared(_terms(asked.text, language), _terms(group.question, language))
        alike = (1 - asks.words) * cosine + asks.words * shared
        if alike >= max(near, asks.near):
            best, near = group, alike
    return best


def joined(group: Group, asked: Asked) -> Group:
    """Return the group with one question more, its centre moved."""
    total = [group.count * one + other for one, other in zip(group.centre, asked.vector, strict=True)]
    length = math.hypot(*total) or 1.0
    return replace(group, centre=[number / length for number in total], count=group.count + 1)


@lru_cache(maxsize=2_000)
def _terms(question: str, language: str) -> frozenset[str]:
    return frozenset(content_terms(question, language))


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    """Dice's coefficient."""
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 0.0
