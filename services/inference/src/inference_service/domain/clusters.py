"""Questions that mean the same, gathered one by one as they come: incremental leader clustering (Hartigan 1975).

A question joins the group whose centre and words it is nearest to, when it is near enough, else it begins one. No
question is looked at twice and no group is ever split, so what a person has read keeps its number.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
        terms: content terms of its first question.
        centre: mean of its questions' vectors, of unit length.
        count: how many there are.
    """

    id: GapId
    language: str
    terms: frozenset[str]
    centre: Vector
    count: int


@dataclass(frozen=True, slots=True)
class Sorted:
    """Where questions went: the groups that are new or changed, and the group of each question."""

    groups: tuple[Group, ...]
    gap_ids: dict[MessageId, GapId]


def group_of(asked: Asked, gap_id: GapId) -> Group:
    """Begin a group with its first question."""
    return Group(gap_id, asked.language, _terms(asked), asked.vector, 1)


def nearest(asked: Asked, groups: Sequence[Group], likeness: Likeness | None = None) -> Group | None:
    """Return the group that a question belongs to; None when it is near enough to none in its language.

    `likeness` is what the language asks for, unless another one is to be tried.
    """
    language, own = asked.language, _terms(asked)
    likeness = likeness or (BY_MEANING if reads(language) else BY_WORDS)
    near = likeness.near
    best: Group | None = None
    for group in groups:
        if group.language != language:
            continue
        cosine = sum(map(mul, asked.vector, group.centre))
        alike = (1 - likeness.words) * cosine + likeness.words * _shared(own, group.terms)
        if alike >= near:
            best, near = group, alike
    return best


def joined(group: Group, asked: Asked) -> Group:
    """Return the group with one question more, its centre moved."""
    total = [group.count * one + other for one, other in zip(group.centre, asked.vector, strict=True)]
    length = math.hypot(*total) or 1.0
    return replace(group, centre=[number / length for number in total], count=group.count + 1)


def _terms(asked: Asked) -> frozenset[str]:
    return frozenset(content_terms(asked.text, asked.language))


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    """Dice's coefficient."""
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 0.0
