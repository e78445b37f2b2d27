"""Two rankings as one: a weighted sum of scores, each relative to the best of its leg."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from contracts.ids import PassageId
from ingest_service.domain.passage_index import Hit

# The embedding model knows English only, so its say depends on the language of the query. The weights were tuned by
# bench/retrieval.py: on SciFact's development part, every question taken as English, each weight from 0.6 to 0.8 gives
# nDCG@10 from 0.853 to 0.858, where BM25 has 0.787 and the model 0.800, and on English XQuAD each up to 0.65 gives
# 0.998. In German every weight from 0.4 on falls below BM25 alone, and reciprocal rank fusion falls far below it
# (Spanish 0.92, 0.99). In other scripts 0.05 gained 0.002 to 0.005 (Arabic, Russian, Thai) and lost 0.009 (Greek):
# there meaning orders only what no word finds.
ENGLISH_DENSE: Final = 0.6
UNDECIDED_DENSE: Final = 0.25
OTHER_LATIN_DENSE: Final = 0.1
OTHER_DENSE: Final = 0.0
FOREIGN_DENSE: Final = 0.6
"""Where the question is in another Latin language than what was found: they share few words, and some by chance."""
_OTHER_SCRIPTS: Final = frozenset(
    {"ar", "el", "fa", "he", "hi", "hy", "ja", "km", "ko", "lo", "my", "ru", "ta", "th", "uk", "ur", "zh"}
)


class Found(NamedTuple):
    """A passage with its place in the joint ranking (0 to 1) and what each leg said; None: it was not found there."""

    id: PassageId
    score: float
    dense: float | None
    bm25: float | None


def dense_weight(spoken: Sequence[str]) -> float:
    """The say of the dense leg, 0 to 1, for a query that may be in these languages, likeliest first."""
    if spoken == ("en",):
        return ENGLISH_DENSE
    if spoken and spoken[0] == "en":
        return UNDECIDED_DENSE
    return OTHER_DENSE if spoken and spoken[0] in _OTHER_SCRIPTS else OTHER_LATIN_DENSE


def may_be_foreign(spoken: Sequence[str]) -> bool:
    """Whether it matters for such a query which language the passages are in."""
    return len(spoken) == 1 and dense_weight(spoken) == OTHER_LATIN_DENSE


def fuse(dense: Sequence[Hit], sparse: Sequence[Hit], weight: float, depth: int | None) -> list[Found]:
    """Every passage of either leg, best first; equal scores keep the order of the legs, the sparse one first.

    What a leg of `depth` hits does not name may be as good there as its last one, and no better. Taken for nothing, an
    article that words alone tell from a thousand others of its kind stood below a hundred that are near in meaning.
    Without a `depth` each leg was asked for all, and what it does not name has nothing of it.
    """
    # cheap steps, because there are hundreds: a share is a multiplication, and an id is hashed once or twice
    of_bm25 = (1 - weight) * _share_of_best(sparse)
    of_cosine = weight * _share_of_best(dense)
    unseen_bm25, unseen_cosine = _below(sparse, depth), _below(dense, depth)
    cosines = dict(dense)
    found = [
        Found(
            passage,
            of_bm25 * max(bm25, 0.0) + of_cosine * max(unseen_cosine if cosine is None else cosine, 0.0),
            cosine,
            bm25,
        )
        for passage, bm25, cosine in ((key, score, cosines.pop(key, None)) for key, score in sparse)
    ]
    found += [
        Found(passage, of_cosine * max(cosine, 0.0) + of_bm25 * unseen_bm25, cosine, None)
        for passage, cosine in cosines.items()
    ]
    return sorted(found, key=attrgetter("score"), reverse=True)


def _below(leg: Sequence[Hit], depth: int | None) -> float:
    """The most that a passage has which a leg does not name: 0 where it names all that it found."""
    return max(leg[-1].score, 0.0) if depth is not None and len(leg) >= depth else 0.0


def _share_of_best(leg: Sequence[Hit]) -> float:
    """What a score is multiplied by to be a share of the best of its leg; 0 where the best is none."""
    highest = max((hit.score for hit in leg), default=0.0)
    return 1 / highest if highest > 0 else 0.0
