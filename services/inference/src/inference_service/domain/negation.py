# ruff: noqa: RUF001 - the words of many languages: letters that look like Latin ones are meant
"""Which of a text's terms it denies: `Sale items are not refunded` denies the items and the refund.

The words a negation reaches are guessed by nearness within a clause, as negation detectors since NegEx do (Chapman et
al. 2001), here to both sides, because languages differ in the side; `without` and `no` reach forward alone, unless
nothing follows them: `Sundays no, weekdays yes`.
"""

import re
from collections.abc import Container, Iterator
from typing import Final

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
    r"mientras|aunque|cuy[oa]s?|mais|unless|außer)\b"
)
_NUMBERED: Final = re.compile(r"\bno\.\s*(?=\d)")
"""`Order no. 12` denies no order."""
_ANSWERED: Final = re.compile(r":(?=\s*(?:no|none|nein|keine?|non|não|nee|geen|нет|لا)\s*(?:[,.;!?)\n]|$))")
"""`Pets allowed: no` is one clause."""
_EITHER: Final = re.compile(r"\b(?:or|oder|o|ou|of|или|أو)\W+[^\W_]+\W*$")
"""`With milk or without`, `whether it is opened or not`: such an end denies nothing."""
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_REACH: Final = 3
"""Content words to each side."""
_UNSPACED_REACH: Final = 5
"""Characters after a negation where words are written together."""


def denied_terms(text: str, language: str) -> frozenset[str]:
    """Return the terms (as `words.terms` makes them) that stand near a negation in their clause."""
    found: set[str] = set()
    for clause in clauses(text):
        found |= _in_unspaced(clause, language) if language in ("zh", "ja") else _in_clause(clause, language)
    return frozenset(found)


def near(clause: str, language: str, cues: Container[str]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Give each cue of a clause in lower case with the content terms that it reaches, before it and after it."""
    words = _WORD.findall(clause)
    places = [i for i, word in enumerate(words) if word in cues]
    if not places:
        return
    wanted = {term for term in content_terms(clause, language) if not term.isdigit()}
    content = [(i, term) for i, word in enumerate(words) for term in terms(word, language)[:1] if term in wanted]
    for place in places:
        before = [term for i, term in content if i < place][-_REACH:]
        yield words[place], before, [term for i, term in content if i > place][:_REACH]


def clauses(text: str) -> list[str]:
    """Return a text's clauses in lower case."""
    return _CLAUSE.split(_ANSWERED.sub(" ", _NUMBERED.sub("", text.lower())))


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
