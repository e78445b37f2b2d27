# ruff: noqa: RUF001 - the words of many languages: letters that look like Latin ones are meant
"""Which of a text's terms it denies: `Sale items are not refunded` denies the items and the refund.

The words a negation reaches are guessed by nearness within a clause, as negation detectors since NegEx do (Chapman et
al. 2001), here to both sides, because languages differ in the side; `without` and `no` reach forward alone, unless
nothing follows them: `Sundays no, weekdays yes`.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Iterator
from collections.abc import Set as AbstractSet
from operator import itemgetter
from typing import Final, NamedTuple

from inference_service.domain.words import content_terms, terms

_NEGATORS: Final = {
    "en": "not no never cannot without none neither nor nobody nothing hardly unable except",
    "de": "nicht nein nie niemals ohne kein keine keinen keinem keiner keines weder nichts niemand ausgenommen",
    "es": "no nunca sin ningún ninguna ninguno ni jamás tampoco nada nadie",
    "fr": "pas non jamais sans aucun aucune ni rien personne",
    "it": "non mai senza nessun nessuna nessuno né niente",
    "pt": "não nunca sem nenhum nenhuma nem jamais nada",
    "nl": "niet nee nooit zonder geen noch niets",
    "ru": "не нет никогда без ни нельзя",
    "ar": "لا لم لن ليس ليست غير بدون دون",
}
_FORWARD_ONLY: Final = {
    "en": "no without except",
    "de": "ohne kein keine keinen keinem keiner keines",
    "es": "sin ningún ninguna ninguno",
    "fr": "sans aucun aucune",
    "it": "senza nessun nessuna",
    "pt": "sem nenhum nenhuma",
    "nl": "zonder geen",
    "ru": "без",
    "ar": "بدون دون",
}
"""Of the negators, those that deny what follows: `firms that build without a licence` are firms."""
_NEGATES: Final = {language: frozenset(words.split()) for language, words in _NEGATORS.items()}
_FORWARD: Final = {language: frozenset(words.split()) for language, words in _FORWARD_ONLY.items()}
_CONTRACTED: Final = ("n't", "n’t")
_UNSPACED_NEGATORS: Final = re.compile("(?:不(?!仅|但|过|同|少|断|管)|没|未|无(?!论|锡)|非(?!常|洲)|勿|别(?!的|人))")
_CLAUSE: Final = re.compile(
    r"[,.;:!?()\n，。；：！？、،؛؟]+|\b(?:but|however|while|whereas|although|which|whose|aber|sondern|während|obwohl|pero|sino|"
    r"mientras|aunque|cuy[oa]s?|mais|unless|außer|or(?= not\b)|oder(?= nicht\b))\b"
)
_NUMBERED: Final = re.compile(r"\bno\.\s*(?=\d)")
"""`Order no. 12` denies no order."""
_ANSWERED: Final = re.compile(r":(?=\s*(?:no|none|nein|keine?|non|não|nee|geen|нет|لا)\s*(?:[,.;!?)\n]|$))")
"""`Pets allowed: no` is one clause."""
_EITHER: Final = re.compile(r"\b(?:or|oder|o|ou|of|или|أو)\W+[^\W_]+\W*$")
"""`With milk or without`, `whether it is opened or not`: such an end denies nothing."""
_COSTS_NOTHING: Final = re.compile(
    r"\b(?:(?P<en>(?:at no|without)(?: extra| additional| further)? costs?|costs? (?:you )?nothing)"
    r"|(?P<de>ohne(?: weitere| zusätzliche)? kosten|kostet nichts))\b",
)
"""What says by a denial that a thing is free, and denies nothing else."""
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_REACH: Final = 3
"""Content words to each side."""
_UNSPACED_REACH: Final = 5
"""Characters after a negation where words are written together."""


class Clause(NamedTuple):
    """The terms of a clause (as `words.terms` makes them), and those of them that stand near a negation."""

    terms: frozenset[str]
    denied: frozenset[str]


def denied_terms(text: str, language: str) -> frozenset[str]:
    """Return the terms that stand near a negation in their clause."""
    return frozenset().union(*(_denied(clause, language) for clause in clauses(text)))


def read_clauses(text: str, language: str) -> tuple[Clause, ...]:
    """Return a text's clauses; none where nothing is denied, which most texts do."""
    denied = [(clause, _denied(clause, language)) for clause in clauses(text)]
    if not any(terms_ for _, terms_ in denied):
        return ()
    return tuple(Clause(frozenset(terms(clause, language)), terms_) for clause, terms_ in denied)


def denied_of(asked: AbstractSet[str], read: Iterable[Clause]) -> frozenset[str]:
    """Return which of the terms that are asked about are denied, each where it stands beside most of the others.

    `We take no item back, unless it is faulty: faulty items are covered` denies no item to who asks about faulty ones.
    """
    found: set[str] = set()
    for term in asked:
        holding = [clause for clause in read if term in clause.terms]
        most = max((len(clause.terms & asked) for clause in holding), default=0)
        if any(term in clause.denied for clause in holding if len(clause.terms & asked) == most):
            found.add(term)
    return frozenset(found)


def near(clause: str, language: str, cues: Container[str]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Give each cue of a clause in lower case with the content terms that it reaches, before it and after it."""
    words = _WORD.findall(clause)
    places = [i for i, word in enumerate(words) if word in cues]
    if not places:
        return
    wanted = {term for term in content_terms(clause, language) if not term.isdigit()}
    content = [(i, term) for i, word in enumerate(words) for term in terms(word, language)[:1] if term in wanted]
    found = [term for _, term in content]
    for place in places:
        at = bisect_left(content, place, key=itemgetter(0))
        behind = bisect_right(content, place, key=itemgetter(0))
        yield words[place], found[max(0, at - _REACH) : at], found[behind : behind + _REACH]


def clauses(text: str) -> list[str]:
    """Return a text's clauses in lower case."""
    said = _COSTS_NOTHING.sub(lambda found: "free" if found["en"] else "kostenlos", text.lower())
    return _CLAUSE.split(_ANSWERED.sub(" ", _NUMBERED.sub("", said)))


def _denied(clause: str, language: str) -> frozenset[str]:
    return frozenset(_in_unspaced(clause, language) if language in ("zh", "ja") else _in_clause(clause, language))


class _Negators:
    def __init__(self, language: str) -> None:
        self._words = _NEGATES.get(language, _NEGATES["en"])

    def __contains__(self, word: object) -> bool:
        return word in self._words or (isinstance(word, str) and word.endswith(_CONTRACTED))


def _in_clause(clause: str, language: str) -> set[str]:
    found: set[str] = set()
    forward = _FORWARD.get(language, _FORWARD["en"])
    for negator, before, after in near(clause, language, _Negators(language)):
        if after:
            found |= {*after} if negator in forward else {*before, *after}
        elif not _EITHER.search(clause):
            found |= {*before}
    return found


def _in_unspaced(clause: str, language: str) -> set[str]:
    found: set[str] = set()
    for match in _UNSPACED_NEGATORS.finditer(clause):
        found |= set(terms(clause[match.end() : match.end() + _UNSPACED_REACH], language))
    return found
