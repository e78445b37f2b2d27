"""Whether the documents bear out what a sentence of an answer claims: no model, the same verdict every time.

A claim is held against the best span of each passage it cites (of each that was found, when it cites none):

1. a quotation, word for word, is supported;
2. a number, sum, measure or date that the span does not have, or has of another thing, or a term that one side denies
   and the other does not, or that goes the opposite way there (`rises`, `falls`), is unsupported however alike the two
   are;
3. else a logistic regression decides over how much of the claim the span names (stems; character pairs where words are
   written together), how much its whole passage does, and the cosine of their embeddings.

This is a proxy of entailment and not entailment: it cannot see that who pays and who is paid were exchanged, that a
condition was left out, or that words are opposites which are not in its lists. `bench/grounding.py` measures how often
that matters.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Final, Literal, NamedTuple

from inference_service.domain.claims import AnswerSentence
from inference_service.domain.columns import is_of_another_column
from inference_service.domain.deadlines import starts
from inference_service.domain.negation import denied_of, denied_terms
from inference_service.domain.opposites import Tendency, are_opposed, is_prefixed, tendencies
from inference_service.domain.quantities import Quantity, missing, quantities
from inference_service.domain.spans import ReadPassage, Span, plain
from inference_service.domain.words import content_terms, named

Reason = Literal["quoted", "alike", "number", "denial", "name", "unlike", "no_passage", "language"]
Verdict = Literal["supported", "unsupported", "unverified"]
Vector = Sequence[float]


class Weights(NamedTuple):
    """Of the logistic regression; `cosine` is None where the embedder does not know the language."""

    bias: float
    coverage: float
    passage: float
    names: float
    cosine: float | None = None


# Fitted by `bench/grounding.py --fit`.
ENGLISH: Final = Weights(-5.34, 3.10, 0.00, 2.69, 1.27)
LEXICAL: Final = Weights(-9.94, 4.24, 5.82, 3.58)
"""For the languages that MiniLM does not read, and for any while there are no embeddings."""

_TRIED: Final = 2
"""Spans of a claim that are embedded: the likeliest by their words."""
_ASKED: Final = 64
"""Terms of a claim that are looked for: a sentence of 16,000 characters must not hold the loop."""
_CONTEXT: Final = 0.7
"""What a term counts that only title, headings or lead name."""
_NAME: Final = 2.0
"""What a name counts beside another term."""
_PER_SENTENCE: Final = 0.02
"""What a further sentence of the span must bring in coverage to be quoted."""
_FIRST_YEAR: Final = 1000
"""From here on a number of years is a date (`2014年`), which two sentences may share without saying it twice."""
_OBJECTED: Final = 0.2
"""How far an objection moves a span down among the candidates."""
_NO_NAMES: Final = frozenset({"de"})
"""Where every noun has a capital, a capital tells no name."""


class Match(NamedTuple):
    """A claim beside one span.

    `coverage` and `passage` are the shares of its terms that span and passage name, `names` how well the passage names
    the one of its names that it names worst; each goes from 0 to 1.
    """

    passage_read: ReadPassage
    span: Span
    coverage: float
    passage: float
    names: float
    objection: Literal["number", "denial"] | None
    is_quoted: bool = False
    cosine: float | None = None

    @property
    def embedded_as(self) -> str:
        """The span below its heading, or the document's title where it has none."""
        read = self.passage_read
        above = read.hit.heading or read.hit.title
        return f"{above}: {read.quote(self.span)}" if above else read.quote(self.span)

    @property
    def rank(self) -> float:
        """The likeliest by words alone, shorter spans before longer ones that add nothing."""
        return self.coverage - _PER_SENTENCE * len(self.span.parts) - _OBJECTED * bool(self.objection)


@dataclass(frozen=True, slots=True)
class Support:
    """What became of one claim.

    Attributes:
        score: 0 to 1, how surely the documents bear it out; from 0.5 on they do.
        reason: why: `quoted` and `alike` speak for it, `language` says that nobody can tell, the others speak against.
        match: the span that bears it out best; None when there was nothing to hold it against.
    """

    score: float
    reason: Reason
    match: Match | None

    @property
    def is_supported(self) -> bool:
        """Whether the claim stands."""
        return self.verdict == "supported"

    @property
    def is_unsupported(self) -> bool:
        """Whether the claim falls; one that is unverified does neither."""
        return self.verdict == "unsupported"

    @property
    def verdict(self) -> Verdict:
        """What the reason comes to."""
        if self.reason == "language":
            return "unverified"
        return "supported" if self.reason in ("quoted", "alike") else "unsupported"


class _Claimed(NamedTuple):
    terms: Mapping[str, float]
    names: frozenset[str]
    quantities: frozenset[Quantity]
    denied: frozenset[str]
    tends: frozenset[Tendency]
    counted_from: frozenset[int]


def matches(claim: AnswerSentence, passages: Sequence[ReadPassage], language: str) -> tuple[Match, ...]:
    """Return the likeliest spans for a claim, best first: those worth embedding."""
    within = [one for one in passages if not claim.cited or one.n in claim.cited]
    if not within:
        return ()  # before the claim's words are stemmed: most answers without knowledge get here
    said = _claimed(claim.text, language)
    found = [match for passage in within for match in _in_passage(claim, said, passage)]
    found.sort(key=lambda match: -match.rank)
    return tuple(found[:_TRIED])


def judge(found: Sequence[Match], language: str) -> Support:
    """Decide from the candidates; with their cosines when they have them."""
    if not found:
        return Support(0.0, "no_passage", None)
    return _verdict(plausible(found), language)


def plausible(found: Sequence[Match]) -> Match:
    """Return the candidate that decides: one that nothing speaks against, if there is one."""
    return max(found, key=lambda match: match.rank + (match.cosine or 0.0))


def with_cosines(found: Sequence[Match], claim: Vector, spans: Sequence[Vector]) -> tuple[Match, ...]:
    """Add the cosines of a claim and its candidates, given their unit vectors."""
    return tuple(
        match._replace(cosine=sum(map(mul, claim, vector))) for match, vector in zip(found, spans, strict=True)
    )


def reads(language: str) -> bool:
    """Whether the embedder knows the language well enough to ask it."""
    return language in ("en", "und")


def probability(match: Match, language: str) -> float:
    """Return the regression's figure, before objections."""
    weights = ENGLISH if reads(language) and match.cosine is not None else LEXICAL
    logit = weights.bias + weights.coverage * match.coverage + weights.passage * match.passage
    logit += weights.names * match.names
    if weights.cosine is not None and match.cosine is not None:
        logit += weights.cosine * match.cosine
    return 1 / (1 + math.exp(-logit))


def _verdict(match: Match, language: str) -> Support:
    if match.is_quoted:
        return Support(1.0, "quoted", match)
    score = probability(match, language)
    if match.objection is not None:
        return Support(min(score, 0.5) / 2, match.objection, match)
    return Support(score, "alike" if score >= 0.5 else "unlike", match)  # noqa: PLR2004 - as likely as not


def _claimed(text: str, language: str) -> _Claimed:
    asked = [term for term in content_terms(text, language) if not term.isdigit()]
    weights = dict.fromkeys(asked[:_ASKED], 1.0)
    names: set[str] = set()
    if language not in _NO_NAMES:
        names = weights.keys() & {
            term for word in text.split()[1:] if word[:1].isupper() for term in content_terms(word, language)
        }
        weights |= dict.fromkeys(names, _NAME)
    return _Claimed(
        weights,
        frozenset(names),
        quantities(text, language),
        denied_terms(text, language),
        tendencies(text, language),
        starts(text, language),
    )


def _in_passage(claim: AnswerSentence, said: _Claimed, passage: ReadPassage) -> Iterator[Match]:
    told = plain(claim.text)
    is_quoted = told in passage.statements
    # a quotation is shown with all of its words, where they stand together
    holding = [span for span in passage.spans if told in plain(passage.quote(span))] if is_quoted else []
    total = sum(said.terms.values()) or 1.0
    # what a heading denies it lends to nobody who asserts it
    lent = passage.context - (passage.denied - said.denied)
    whole = passage.terms | lent
    of_passage = sum(weight * named(term, whole) for term, weight in said.terms.items()) / total
    names = min((named(name, whole) for name in said.names), default=1.0)
    for span in holding or passage.spans:
        coverage = sum(
            weight * max(named(term, span.terms), _CONTEXT * named(term, lent)) for term, weight in said.terms.items()
        )
        yield Match(passage, span, coverage / total, of_passage, names, _objection(said, span, passage), is_quoted)


def _objection(said: _Claimed, span: Span, passage: ReadPassage) -> Literal["number", "denial"] | None:
    if missing(said.quantities, span.quantities | passage.context_quantities) or _is_of_another(said, span, passage):
        return "number"
    if said.counted_from and span.counted_from and not said.counted_from & span.counted_from:
        return "number"
    # What one sentence denies says nothing of its neighbour: the one that names most of the claim is asked.
    core = max(span.parts or (span,), key=lambda one: len(one.terms & said.terms.keys()))
    if is_of_another_column(said.terms.keys(), said.quantities, core.cells):
        return "number"
    denied_there = denied_of(said.terms.keys(), core.clauses)
    denied_here = said.denied & core.terms
    is_denial_lost = bool(denied_here) and not denied_here & denied_there
    is_denial_added = bool(denied_there) and not denied_there & said.denied
    is_opposite = are_opposed(said.tends, span.tends) or is_prefixed(said.terms.keys(), core.terms)
    return "denial" if is_denial_lost or is_denial_added or is_opposite else None


def _is_of_another(said: _Claimed, span: Span, passage: ReadPassage) -> bool:
    """Whether a quantity stands in the span, but where the sentence or row that names most of the claim has another.

    `The large tent costs 40 euros. The small tent costs 25 euros.` does not say that the small one costs 40.
    """
    if not span.parts or not said.quantities:
        return False
    named_in = [len(part.terms & said.terms.keys()) for part in span.parts]
    cores = [part for part, count in zip(span.parts, named_in, strict=True) if count == max(named_in)]
    return any(
        all(_has_another(one, said, core) for core in cores)
        for one in said.quantities
        if one.unit and not _is_year(one) and missing(frozenset({one}), passage.context_quantities)
    )


def _is_year(one: Quantity) -> bool:
    return one.unit == "year" and len(one.value) >= len(str(_FIRST_YEAR)) and "." not in one.value


def _has_another(one: Quantity, said: _Claimed, core: Span) -> bool:
    if not missing(frozenset({one}), core.quantities):
        return False
    rivals = frozenset(other for other in core.quantities if other.unit == one.unit)
    return bool(missing(rivals, said.quantities))
