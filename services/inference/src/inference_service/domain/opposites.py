"""Which way a text says that things go: `the fee rises` and `the fee is lower` are of one thing, and of opposite ways.

As with denials the things that a word speaks of are guessed by nearness within a clause. A clause that compares two
things (`higher than`) says one of each, and so nothing.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from inference_service.domain.negation import clauses, near
from inference_service.domain.words import terms

_PAIRS: Final = {
    "en": "increase increases increased increasing rise rises rose risen rising raise raises raised grow grows grew "
    "grown higher highest more most greater greatest larger longer faster elevated elevates accelerate "
    "accelerates accelerated upregulates upregulated exacerbate exacerbates exacerbated exacerbation / "
    "decrease decreases decreased decreasing fall falls fell fallen falling drop drops dropped reduce reduces "
    "reduced reducing reduction lower lowers lowered lowest less least fewer fewest smaller shorter slower "
    "slow slows slowed decline declines declined diminish diminishes diminished inhibit inhibits inhibited "
    "suppress suppresses suppressed downregulates downregulated prevent prevents prevented; improve improves "
    "improved improving better enhance enhances enhanced strengthen strengthens strengthened promote promotes "
    "promoted / worse worsen worsens worsened impair impairs impaired weaken weakens weakened; open opens "
    "opened / closed closes shut; before until / after; include includes included including / exclude excludes "
    "excluded excluding; allow allows allowed permit permits permitted / forbid forbids forbidden prohibit "
    "prohibits prohibited; accept accepts accepted / refuse refuses refused reject rejects rejected; minimum "
    "/ maximum; free / cost costs; always / only",
    "de": "mehr höher höhere höheren erhöht erhöhen steigt steigen gestiegen größer größere länger schneller / "
    "weniger niedriger niedrigere sinkt sinken gesunken senkt gesenkt verringert reduziert kleiner kleinere "
    "kürzer langsamer; besser verbessert verbessern / schlechter verschlechtert verschlechtern; geöffnet "
    "offen öffnet / geschlossen schließt; inklusive enthalten einschließlich / exklusive ausgeschlossen; "
    "erlaubt gestattet / verboten untersagt; mindestens / höchstens maximal; kostenlos gratis kostenfrei / "
    "kostet kosten; immer stets / nur",
    "es": "aumenta aumentan aumentó aumentado sube suben subió mayor mayores / disminuye disminuyen disminuyó "
    "reduce reducen redujo reducido baja bajan bajó menor menores; mejora mejoran mejor / empeora empeoran "
    "peor; abierto abierta abiertos abiertas abre abren / cerrado cerrada cerrados cerradas cierra cierran; "
    "antes / después; incluye incluyen incluido incluida / excluye excluyen excluido excluida; permite "
    "permiten permitido permitida / prohíbe prohíben prohibido prohibida; mínimo / máximo; gratis gratuito "
    "gratuita / cuesta cuestan; siempre / solo sólo solamente únicamente",
    "fr": "augmente augmentent augmenté augmentation hausse / diminue diminuent diminué baisse baissé réduit "
    "réduite; ouvert ouverte ouverts ouvertes / fermé fermée fermés fermées; avant / après; inclus incluse "
    "incluses inclut / exclu exclue exclus exclues exclut; autorisé autorisée permis / interdit interdite; "
    "minimum / maximum; gratuit gratuite / coûte coûtent; toujours / seulement uniquement",
}
"""Words of one way and of the other behind a stroke; a semicolon ends a pair.

How good a thing is stands apart from how much there is of it: what reduces errors improves.
"""
_WAYS: Final = {
    language: {
        word: (axis, way)
        for axis, pair in enumerate(pairs.split(";"))
        for way, words in zip((True, False), pair.split("/"), strict=True)
        for word in words.split()
    }
    for language, pairs in _PAIRS.items()
}
_COMPARES: Final = re.compile(r"\b(?:than|compared|versus|vs|als|(?:mayor|menor|mejor|peor)(?:es)? que)\b")
_PREFIXES: Final = ("un", "non", "in", "im", "ir", "de", "dys")
_LIKE_NEGATIVES: Final = (
    "inflammable inhabit inhabitable inhabited default delight deliberate denominate deposit depress describe "
    "description determine implant imprint imprison impress impression increase incorporate inherit infringe "
    "inscription insight install instance intimidate"
)
_NO_NEGATIVES: Final = frozenset((*_LIKE_NEGATIVES.split(), *terms(_LIKE_NEGATIVES, "en")))
"""What only begins like a negative: the inflammable is flammable, and an insight is no lack of sight."""
_SHORTEST: Final = 5
"""Letters of a term behind its prefix: `inform` is not the opposite of a form."""


class Tendency(NamedTuple):
    """A term and which way it goes, on one of a language's axes."""

    term: str
    axis: int
    way: bool


def tendencies(text: str, language: str) -> frozenset[Tendency]:
    """Return which way the terms of a text go, as far as it says so; empty where the words are not known."""
    ways = _WAYS.get(language)
    return frozenset(_said(text, language, ways)) if ways else frozenset()


def are_opposed(claimed: AbstractSet[Tendency], there: AbstractSet[Tendency]) -> bool:
    """Whether terms that go one way in the claim go only the other way there, and none goes only the same way."""
    against = {one for one in claimed if one._replace(way=not one.way) in there}
    return bool(against - there) and not claimed & there - against


def is_prefixed(claimed: AbstractSet[str], there: AbstractSet[str]) -> bool:
    """Whether a term of one side is the other side's with a negative prefix: `inaccurate`, `accurate`."""
    return _undoes(claimed, there) or _undoes(there, claimed)


def _said(text: str, language: str, ways: dict[str, tuple[int, bool]]) -> Iterator[Tendency]:
    for clause in clauses(text):
        if _COMPARES.search(clause):
            continue
        for word, before, after in near(clause, language, ways):
            yield from (Tendency(term, *ways[word]) for term in (*before, *after))


def _undoes(one: AbstractSet[str], other: AbstractSet[str]) -> bool:
    for term in one - other - _NO_NEGATIVES:
        for prefix in _PREFIXES:
            bare = term.removeprefix(prefix)
            if bare != term and len(bare) >= _SHORTEST and bare in other and bare not in one:
                return True
    return False
