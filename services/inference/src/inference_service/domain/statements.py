"""The statements of the found passages, and how much of a question each names."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from contracts.ids import DocumentId
from inference_service.domain.codes import codes_in, is_about_another
from inference_service.domain.model import Passage
from inference_service.domain.ranges import amounts_in, enclosed
from inference_service.domain.sentences import Sentence, sentences, told_titles
from inference_service.domain.words import named, terms

_CONTEXT: Final = 0.5
"""What a term of the question counts that only the heading names; one in the statement referred back to, 0.95."""
_REFERRED: Final = 0.95


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a passage with its terms, and its place in the reading order of all."""

    n: int
    document: DocumentId
    place: int
    sentence: Sentence
    own: frozenset[str]
    context: frozenset[str]
    referred: frozenset[str]

    @property
    def embedded_as(self) -> str:
        sentence = self.sentence
        heading = f"{sentence.context}: " if sentence.context else ""
        return f"{heading}{sentence.before} {sentence.text}" if sentence.before else heading + sentence.text


def statements_of(passages: Sequence[Passage], language: str, question: str) -> list[Statement]:
    """Return what the passages say, each thing once: overlapping passages repeat each other.

    Nothing that is about another product, part or fault than the one whose code was asked for.
    """
    codes, amounts = codes_in(question), amounts_in(question, language)
    found: dict[str, Statement] = {}
    for passage in passages:
        for sentence in (*told_titles(passage.above), *sentences(passage.text, passage.heading)):
            whole = replace(sentence, context=sentence.context or passage.title)
            if is_about_another(f"{passage.title} {whole.context} {whole.before} {whole.text}", codes):
                continue
            own, context, referred = (
                frozenset(terms(text, language))
                for text in (whole.text, f"{passage.title} {whole.context}", whole.before)
            )
            own |= enclosed(amounts, whole.text, language)
            one = Statement(passage.n, passage.document_id, len(found), whole, own, context, referred)
            found.setdefault(whole.text.casefold(), one)
    return list(found.values())


def weighed(asked: Sequence[str], statements: Sequence[Statement]) -> dict[str, float]:
    """Weigh the question's terms by their inverse document frequency (BM25's) over the statements.

    A term that nothing names weighs most: it is the strongest sign that the answer is not there. One that statements
    name themselves is as rare as those, though a heading above all of them may have it.
    """
    total = len(statements)
    named_in = Counter(term for each in statements for term in each.own | each.referred)
    stood_above = Counter(term for each in statements for term in each.context)
    counts = {term: named_in[term] or stood_above[term] for term in asked}
    return {term: math.log(1 + (total - count + 0.5) / (count + 0.5)) for term, count in counts.items()}


def matches_of(statement: Statement, asked: dict[str, float], *, is_lent: bool) -> list[float]:
    """Return, for each term of the question, its weight times how well the statement names it.

    `is_lent`: the words of its heading are lent to it.
    """
    context = _CONTEXT if is_lent else 0.0
    places = ((statement.own, 1.0), (statement.referred, _REFERRED), (statement.context, context))
    return [weight * max(factor * named(term, there) for there, factor in places) for term, weight in asked.items()]


def count_told(
    asking: frozenset[str],
    asked: dict[str, float],
    statements: Sequence[Statement],
    matches: Sequence[list[float]],
    told: Sequence[bool],
) -> None:
    """Take what asks for a quantity for named where one is told of all else that is asked about.

    A sum answers what a thing costs without saying that it costs that.
    """
    subject = [term for term in asked if term not in asking]
    for statement, match, is_told in zip(statements, matches, told, strict=True):
        around = statement.own | statement.referred | statement.context
        is_of_it = any(named(term, statement.own) for term in subject) and all(named(term, around) for term in subject)
        if is_told and is_of_it:
            match[:] = [max(has, asked[term] * (term in asking)) for has, term in zip(match, asked, strict=True)]
