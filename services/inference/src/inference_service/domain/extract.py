"""An answer without a model: the sentences of the found passages that answer the question, each with its citation.

Statements are ranked by how much of the question they name (terms weighed by their rarity in what was found) and by how
near they are in meaning (cosine of MiniLM's embeddings, for the languages it reads). Whether the best of them answers
at all is decided by a logistic regression over three such figures, so that a question the documents do not answer gets
a plain no.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Final, NamedTuple, Protocol

from inference_service.domain.asked_for import asked_units, asking_words, holds, may_tell, needs_no_words
from inference_service.domain.errors import EmbedderFailed
from inference_service.domain.model import Passage
from inference_service.domain.refusal import refusal
from inference_service.domain.statements import Statement, count_told, matches_of, statements_of, weighed
from inference_service.domain.words import content_terms, language_of, named, terms, told_in

Vector = Sequence[float]


class Embedder(Protocol):
    """Turns texts into vectors of unit length."""

    async def embed(self, texts: Sequence[str]) -> Sequence[Vector]:
        """Return one vector for each text, in order.

        Raises:
            EmbedderFailed: they cannot be had now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Extraction:
    """An answer and the sources it cites; `confidence` is the probability, 0 to 1, that it answers the question."""

    text: str
    cited: tuple[int, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an answer being there, each from 0 to 1.

    Attributes:
        coverage: share of the question's terms, weighed by rarity, that the best statement names.
        passage_coverage: the same for the best passage.
        cosine: of the question and the statement nearest to it; None when there are no embeddings.
    """

    coverage: float
    passage_coverage: float
    cosine: float | None


class Calibration(NamedTuple):
    """Weights of the logistic regression over `Evidence`, and what a cosine counts beside a coverage in the ranking."""

    bias: float
    coverage: float
    passage_coverage: float
    cosine: float = 0.0
    ranking: float = 0.0


# Fitted by `bench/extractive.py --fit` on XQuAD's development part and the bench's own shop.
ENGLISH: Final = Calibration(-7.11, 3.20, 2.96, 8.90, ranking=1.0)
COGNATE: Final = Calibration(-7.55, 3.97, 4.85, 6.40, ranking=0.4)
"""MiniLM was trained on English alone, but knows many words of the languages that share them."""
LEXICAL: Final = Calibration(-3.55, 4.76, 5.56)
"""Fitted on Chinese and Arabic; also for any language while there are no embeddings."""
_PRIOR: Final = math.log(2)
"""Two of three questions that a business is asked are taken to be in its documents; the fit saw as many of each."""

_COGNATES: Final = frozenset({"de", "es", "fr", "it", "pt", "nl", "ro"})

_EMBEDDED: Final = 24
"""Statements that are embedded for one question: some 50 ms on one core."""
_ASKED: Final = 64
"""Terms of a question that are looked for: a message of 16,000 characters must not hold the loop for a second."""
_MOST: Final = 3
_LONGEST: Final = 700
"""Characters of an answer from which on nothing is added."""
_HOPS: Final = 2
"""How many statements back a statement that refers back is followed."""
_COVERAGE_WEIGHT: Final = 0.6
_FITS: Final = 0.2
"""What it counts in the ranking that a statement says a span of time where `how long` was asked, and the like."""
_NEAR: Final = 0.18
"""How far below the best statement another of its passage may rank and still be shown; of other passages, 0.1 less."""
_ELSEWHERE: Final = 0.1
_SAME: Final = 0.8
"""Share of a statement's terms found in one that is shown already, from which on it says nothing new."""


class _Found(NamedTuple):
    """The statements of the passages, how much of the question each names, how near it is, whether it can answer it.

    `asked` are the question's terms.
    """

    asked: Collection[str]
    statements: list[Statement]
    matches: list[list[float]]
    coverage: list[float]
    cosine: dict[int, float]
    fits: list[bool]
    evidence: Evidence


async def extract(question: str, passages: Sequence[Passage], embedder: Embedder) -> Extraction:
    """Answer from the passages (best first), or say that they do not hold the answer, in the question's language."""
    language = language_of(question)
    read_as = language if language != "und" or not passages else language_of(passages[0].text)
    calibration = calibration_for(read_as)
    found = await _search(question, passages, read_as, embedder if calibration.ranking else None)
    if found is None:
        return Extraction(refusal(told_in(question)), (), 0.0)
    sure = confidence(found.evidence, calibration)
    if sure < 0.5:  # noqa: PLR2004 - as likely as not
        return Extraction(refusal(told_in(question)), (), sure)
    chosen = _choose(found, calibration)
    text = " ".join(f"{statement.sentence.text} [{statement.n}]" for statement in chosen)
    return Extraction(text, tuple(dict.fromkeys(statement.n for statement in chosen)), sure)


def calibration_for(language: str) -> Calibration:
    """Return the weights for a language, by what MiniLM makes of it."""
    if language == "en":
        return ENGLISH
    return COGNATE if language in _COGNATES else LEXICAL


def confidence(evidence: Evidence, calibration: Calibration) -> float:
    """Return the probability that the best statement answers the question."""
    if evidence.cosine is None:
        calibration = LEXICAL
    logit = (
        _PRIOR
        + calibration.bias
        + calibration.coverage * evidence.coverage
        + calibration.passage_coverage * evidence.passage_coverage
        + calibration.cosine * (evidence.cosine or 0.0)
    )
    return 1 / (1 + math.exp(-logit))


async def gather_evidence(
    question: str, passages: Sequence[Passage], language: str, embedder: Embedder
) -> Evidence | None:
    """Return what speaks for an answer; None when the passages say nothing. For calibration."""
    found = await _search(question, passages, language, embedder)
    return found and found.evidence


async def _search(
    question: str, passages: Sequence[Passage], language: str, embedder: Embedder | None
) -> _Found | None:
    wanted = content_terms(question, language)[:_ASKED]
    # a title that holds no more than the question only says what it is about
    statements = [
        one
        for one in statements_of(passages, language, question)
        if not (one.sentence.is_title and one.own <= set(wanted))
    ]
    asked = weighed(wanted, statements)
    if not statements or not asked:
        return None
    units = asked_units(question, language)
    # a heading names what is asked about, and not how much of it: it speaks for a statement that may tell that
    fits = [bool(units) and holds(statement.sentence.text, units, language) for statement in statements]
    matches = [
        matches_of(statement, asked, is_lent=not units or may_tell(statement.sentence.text, units, language))
        for statement in statements
    ]
    told = [
        fit and needs_no_words(units, f"{one.sentence.context} {one.sentence.text}")
        for one, fit in zip(statements, fits, strict=True)
    ]
    count_told(frozenset(terms(asking_words(units, language), language)), asked, statements, matches, told)
    total = sum(asked.values())
    coverage = [sum(match) / total for match in matches]
    of_passages: dict[int, list[float]] = {}
    for statement, match in zip(statements, matches, strict=True):
        known = of_passages.get(statement.n)
        of_passages[statement.n] = [*map(max, known, match)] if known else match
    cosine = await _cosines(question, statements, coverage, embedder)
    evidence = Evidence(
        max(coverage), max(map(sum, of_passages.values())) / total, max(cosine.values()) if cosine else None
    )
    return _Found(asked, statements, matches, coverage, cosine, fits, evidence)


async def _cosines(
    question: str, statements: Sequence[Statement], coverage: Sequence[float], embedder: Embedder | None
) -> dict[int, float]:
    """Return the cosines of the likeliest statements by their index; empty without embeddings.

    The likeliest are those that name most of the question and, of equals, those that were found first.
    """
    if embedder is None:
        return {}
    order = sorted(range(len(statements)), key=lambda i: (-coverage[i], statements[i].place))[:_EMBEDDED]
    try:
        asked, *vectors = await embedder.embed([question, *(statements[i].embedded_as for i in order)])
    except EmbedderFailed:
        return {}
    return {i: sum(map(mul, asked, vector)) for i, vector in zip(order, vectors, strict=True)}


def _choose(found: _Found, calibration: Calibration) -> list[Statement]:
    """Return the statements that belong in the answer, in reading order."""
    _, statements, matches, coverage, cosine, fits, _ = found
    candidates = list(cosine) or range(len(statements))
    ranks = {
        i: _COVERAGE_WEIGHT * coverage[i] + calibration.ranking * cosine.get(i, 0.0) + _FITS * fits[i]
        for i in candidates
    }
    best = max(ranks, key=ranks.__getitem__)
    near = {i: rank - _ELSEWHERE * (statements[i].n != statements[best].n) for i, rank in ranks.items()}
    chosen: list[Statement] = []
    for i in sorted(near, key=near.__getitem__, reverse=True):
        if near[i] < near[best] - _NEAR or len(chosen) == _MOST:
            break
        if _is_of_another(statements[i], statements[best]) and _names_less(matches[i], matches[best]):
            continue
        if not chosen or _adds(statements[i], chosen):
            chosen.append(statements[i])
    rule = _rule_beside(found, best, near)
    if rule is not None and rule not in chosen and _adds(rule, chosen):
        chosen.append(rule)
    for _ in range(_HOPS):
        referred = {statement.sentence.before for statement in chosen}
        chosen += [one for one in statements if one.sentence.text in referred and one not in chosen]
    return sorted(chosen, key=lambda statement: statement.place)


def _rule_beside(found: _Found, best: int, near: dict[int, float]) -> Statement | None:
    """Return the statement that the best may be an exception from, where a quantity is asked for.

    The best has a part of what is asked only from its heading (`Warranty`: poles are covered for five years); in the
    same document another statement of such a quantity names that part itself (the warranty is two years).
    """
    _, statements, _, _, _, fits, _ = found
    one = statements[best]
    inherited = [term for term in found.asked if named(term, one.context) and not named(term, one.own | one.referred)]
    rules = [
        i
        for i in near
        if fits[i]
        and fits[best]
        and statements[i].document == one.document
        and i != best
        and any(named(term, statements[i].own) for term in inherited)
    ]
    return statements[max(rules, key=near.__getitem__)] if rules else None


def _is_of_another(statement: Statement, best: Statement) -> bool:
    """Whether they are of two documents, or two entries: rows of prices, opening hours of two days."""
    both = statement.sentence.is_entry and best.sentence.is_entry and statement is not best
    return both or statement.document != best.document


def _names_less(match: Sequence[float], best: Sequence[float]) -> bool:
    """Whether it names a part of what the best does and nothing else: it is about something else of the kind."""
    return match != best and all(own <= of_best for own, of_best in zip(match, best, strict=True))


def _adds(statement: Statement, chosen: Sequence[Statement]) -> bool:
    """Whether a statement says something that the chosen ones do not, and there is room for it."""
    length = sum(len(other.sentence.text) for other in chosen) + len(statement.sentence.text)
    is_told = any(len(statement.own & other.own) >= _SAME * len(statement.own) for other in chosen)
    return length <= _LONGEST and not is_told
