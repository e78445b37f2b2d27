# ruff: noqa: RUF001 - the words of many languages: letters that look like Latin ones are meant
"""Which of a text's terms it denies: `Sale items are not refunded` denies the items and the refund.

The words a negation reaches are guessed by nearness within a clause, as negation detectors since NegEx do (Chapman et
al. 2001), here to both sides, because languages differ in the side.
"""

import re
from typing import Final

from inference_service.domain.words import content_terms, terms

_NEGATORS: Final = {
    "en": "not no never cannot without none neither nor nobody nothing hardly unable except",
    "de": "nicht nie niemals ohne kein keine keinen keinem keiner keines weder nichts niemand ausgenommen",
    "es": "no nunca sin ningún ninguna ninguno ni jamás tampoco nada nadie",
    "fr": "pas jamais sans aucun aucune ni rien personne",
    "it": "non mai senza nessun nessuna nessuno né niente",
    "pt": "não nunca sem nenhum nenhuma nem jamais nada",
    "nl": "niet nooit zonder geen noch niets",
    "ru": "не нет никогда без ни нельзя",
    "ar": "لا لم لن ليس ليست غير بدون دون",
}
_NEGATES: Final = {language: frozenset(words.split()) for language, words in _NEGATORS.items()}
_CONTRACTED: Final = ("n't", "n’t")
_UNSPACED_NEGATORS: Final = re.compile("(?:不(?!仅|但|过|同|少|断|管)|没|未|无(?!论|锡)|非(?!常|洲)|勿|别(?!的|人))")
_CLAUSE: Final = re.compile(
    r"[,.;:!?()\n，。；：！？、،؛؟]+|\b(?:but|however|aber|sondern|pero|sino|mais|unless|außer)\b"
)
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_REACH: Final = 3
"""Content words to each side."""
_UNSPACED_REACH: Final = 5
"""Characters after a negation where words are written together."""


def denied_terms(text: str, language: str) -> frozenset[str]:
    """Return the terms (as `words.terms` makes them) that stand near a negation in their clause."""
    found: set[str] = set()
    for clause in _CLAUSE.split(text.lower()):
        found |= _in_unspaced(clause, language) if language in ("zh", "ja") else _in_clause(clause, language)
    return frozenset(found)


def _in_clause(clause: str, language: str) -> set[str]:
    negators = _NEGATES.get(language, _NEGATES["en"])
    words = _WORD.findall(clause)
    is_negator = [word in negators or word.endswith(_CONTRACTED) for word in words]
    if not any(is_negator):
        return set()
    wanted = {term for term in content_terms(clause, language) if not term.isdigit()}
    content = [(i, term) for i, word in enumerate(words) for term in terms(word, language)[:1] if term in wanted]
    found: set[str] = set()
    for place, negates in enumerate(is_negator):
        if negates:
            found |= {term for _, term in [one for one in content if one[0] < place][-_REACH:]}
            found |= {term for _, term in [one for one in content if one[0] > place][:_REACH]}
    return found


def _in_unspaced(clause: str, language: str) -> set[str]:
    found: set[str] = set()
    for match in _UNSPACED_NEGATORS.finditer(clause):
        found |= set(terms(clause[match.end() : match.end() + _UNSPACED_REACH], language))
    return found
