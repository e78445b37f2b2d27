"""How well the check of an answer tells what the cited passage bears out from what it does not.

    uv run python bench/grounding.py --data DIR          DIR holds scifact/ and xquad/ (JSON lines)
    uv run python bench/grounding.py --data DIR --fit    prints the weights fitted on all of it
    uv run python bench/grounding.py --data DIR --foreign    claims in another language than their passage alone

Claims and their labels, each held against one passage:
  scifact      expert-written claims that an abstract supports or contradicts (as annotated)
  restated     an XQuAD question's words with its answer; false with the answer of another question of the article
  shortened    a sentence of the passage without its parentheses or last clause; false with one number changed, one
               negation put in or taken out, one name exchanged, or of another passage of the same article
Word-for-word quotations are shown, and left out of all sums: they are decided before anything is weighed. Weights and
thresholds are those fitted without the claim's own article or abstract (five folds); each kind of claim weighs the same
in the fit, whatever its number. `unseen` is as served, fitted without any claim of the same family (scifact, restated,
or made of sentences) either. Intervals are 95 % of 1,000 bootstrap draws. P, R and F1 are of `supported`; `caught` is
the share of the false claims that are refused. What is said in another language than its passage comes last
(`grounding_foreign.py`), and amounts that belong to a neighbour (`grounding_amounts.py`).
"""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import numpy as np
from grounding_amounts import amounts_table
from grounding_claims import FOLDS, Case, all_cases
from grounding_foreign import foreign_cases, foreign_table

from contracts.ids import DocumentId, PassageId
from contracts.ingest import PassageHit
from inference_service.domain.claims import AnswerSentence
from inference_service.domain.spans import read_passage
from inference_service.domain.support import Match, matches, plausible, reads, with_cosines
from ingest_service.outbound.minilm_embedder import MiniLmEmbedder
from ingest_service.outbound.minilm_model import built_model_path


async def look(cases: Sequence[Case], embedder: MiniLmEmbedder) -> float:
    """Find each claim's candidates with their cosines; returns ms of CPU a claim, embedding not counted."""
    spent = 0.0
    known: dict[str, Sequence[float]] = {}

    async def vectors(texts: Sequence[str]) -> list[Sequence[float]]:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, await embedder.embed(new), strict=True))
        return [known[text] for text in texts]

    for case in cases:
        sentence = AnswerSentence(0, len(case.claim), case.claim, (1,), is_claim=True)
        began = time.thread_time()
        found = matches(sentence, (read_passage(1, _hit(case), case.language),), case.language)
        spent += time.thread_time() - began
        claim, *spans = await vectors([case.claim, *(match.embedded_as for match in found)])
        case.found = with_cosines(found, claim, spans)
    return spent / len(cases) * 1000


def _hit(case: Case) -> PassageHit:
    return PassageHit(
        passage_id=PassageId(UUID(int=1)),
        document_id=DocumentId(UUID(int=1)),
        title=case.title,
        heading="",
        page=None,
        start=0,
        end=len(case.passage),
        text=case.passage,
        language=None,
        score=1.0,
        dense=None,
        bm25=None,
    )


def features(best: Match, columns: int) -> list[float]:
    return [best.coverage, best.passage, best.names, best.cosine or 0.0][:columns]


def fit(x: np.ndarray, y: np.ndarray, share: np.ndarray, *, ridge: float = 0.003, steps: int = 1000) -> np.ndarray:
    """Logistic regression, each row weighing its share; returns bias and weights, none of which speaks against."""
    mean, spread = x.mean(0), x.std(0) + 1e-9
    scaled, w, b = (x - mean) / spread, np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        off = (1 / (1 + np.exp(-(scaled @ w + b))) - y) * share
        w = np.maximum(w - 0.5 * (scaled.T @ off + ridge * w), 0.0)
        b -= 0.5 * off.sum()
    return np.concatenate([[b - (w / spread * mean).sum()], w / spread])


def fitted(cases: Sequence[Case], columns: int) -> np.ndarray:
    """The weights of one group, over the candidates that nothing objects to: of the others they decide nothing."""
    unobjected = [(case, [match for match in case.found if match.objection is None]) for case in cases]
    open_ = [(case, plausible(found)) for case, found in unobjected if found]
    kinds = Counter(case.kind for case, _ in open_)
    of_label = Counter({case.kind: case.is_true for case, _ in open_}.values())
    share = [0.5 / of_label[case.is_true] / kinds[case.kind] for case, _ in open_]
    x, y = [features(best, columns) for _, best in open_], [float(case.is_true) for case, _ in open_]
    return fit(np.array(x), np.array(y), np.array(share))


def by_folds(cases: Sequence[Case], decide: Callable[[Sequence[Case], Sequence[Case]], list[bool]]) -> dict[int, bool]:
    """The verdict of each case (by id), learned on the other folds; each group of languages for itself."""
    said: dict[int, bool] = {}
    for group in (True, False):
        mine = [case for case in cases if reads(case.language) == group]
        for fold in range(FOLDS):
            test = [case for case in mine if case.fold == fold]
            said |= dict(zip(map(id, test), decide([c for c in mine if c.fold != fold], test), strict=True))
    return said


def cosine_only(train: Sequence[Case], test: Sequence[Case]) -> list[bool]:
    def best(case: Case) -> float:
        return max(match.cosine or 0.0 for match in case.found)

    steps = [n / 100 for n in range(0, 100, 2)]
    threshold = max(steps, key=lambda t: _f1([best(c) >= t for c in train], [c.is_true for c in train]))
    return [best(case) >= threshold for case in test]


def weighed(columns: int, *, objects: bool) -> Callable[[Sequence[Case], Sequence[Case]], list[bool]]:
    def decide(train: Sequence[Case], test: Sequence[Case]) -> list[bool]:
        weights = fitted(train, columns)
        return [
            (not objects or plausible(case.found).objection is None)
            and float(np.dot(weights, [1.0, *features(plausible(case.found), columns)])) > 0
            for case in test
        ]

    return decide


def as_served(train: Sequence[Case], test: Sequence[Case]) -> list[bool]:
    columns = 4 if test and reads(test[0].language) else 3
    return weighed(columns, objects=True)(train, test)


def of_unseen_kinds(train: Sequence[Case], test: Sequence[Case]) -> list[bool]:
    """As served, each family of claims decided by what the other families teach."""
    said: dict[int, bool] = {}
    for family in {case.family for case in test}:
        mine = [case for case in test if case.family == family]
        said |= dict(zip(map(id, mine), as_served([c for c in train if c.family != family], mine), strict=True))
    return [said[id(case)] for case in test]


def _f1(said: Sequence[bool], true: Sequence[bool]) -> float:
    return figures(np.array(said), np.array(true))[2]


def figures(said: np.ndarray, true: np.ndarray) -> tuple[float, float, float, float]:
    right = float((said & true).sum())
    p, r = right / max(said.sum(), 1), right / max(true.sum(), 1)
    caught = float((~said & ~true).sum()) / max((~true).sum(), 1)
    return p, r, 2 * p * r / (p + r) if p + r else 0.0, caught


def interval(said: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    generator = np.random.default_rng(0)
    draws = [generator.integers(0, len(true), len(true)) for _ in range(1_000)]
    low, high = np.percentile([figures(said[d], true[d])[2] for d in draws], [2.5, 97.5])
    return float(low), float(high)


METHODS = {
    "always supported": lambda _train, test: [True for _ in test],
    "cosine only": cosine_only,
    "words only": weighed(3, objects=False),
    "words and cosine": weighed(4, objects=False),
    "served: and objections": as_served,
    "unseen kinds": of_unseen_kinds,
}


def table(cases: Sequence[Case]) -> None:
    counted = [case for case in cases if case.kind != "quotation"]
    verdicts = {name: by_folds(counted, decide) for name, decide in METHODS.items()}
    for title, chosen in (
        ("English", [c for c in counted if reads(c.language)]),
        ("de es zh ar", [c for c in counted if not reads(c.language)]),
    ):
        true = np.array([case.is_true for case in chosen])
        print(f"\n{title}: {len(chosen)} claims, {true.sum()} true")
        print(f"{'method':24}{'P':>7}{'R':>7}{'F1':>7}{'95 %':>16}{'caught':>9}")
        for name, said in verdicts.items():
            mine = np.array([said[id(case)] for case in chosen])
            p, r, f1, caught = figures(mine, true)
            low, high = interval(mine, true)
            print(f"{name:24}{p:7.3f}{r:7.3f}{f1:7.3f}   [{low:.3f} {high:.3f}]{caught:9.3f}")
    print(f"\n{'judged supported':26}{'claims':>7}" + "".join(f"{name.split(' ')[0]:>9}" for name in METHODS))
    for kind in sorted({case.kind for case in counted}):
        mine_ = [case for case in counted if case.kind == kind]
        shares = [np.mean([said[id(case)] for case in mine_]) for said in verdicts.values()]
        mark = "+" if mine_[0].is_true else "-"
        print(f"{mark} {kind:24}{len(mine_):7}" + "".join(f"{share:9.3f}" for share in shares))
    quotations = [case for case in cases if case.kind == "quotation"]
    print(f"+ {'quotation':24}{len(quotations):7}   quoted: {np.mean([c.found[0].is_quoted for c in quotations]):.3f}")


def print_weights(cases: Sequence[Case]) -> None:
    counted = [case for case in cases if case.kind != "quotation"]
    for name, columns, group in (("ENGLISH", 4, True), ("LEXICAL", 3, False)):
        weights = fitted([case for case in counted if reads(case.language) == group], columns)
        print(f"{name} = Weights({', '.join(f'{weight:.2f}' for weight in weights)})")


async def main(args: argparse.Namespace) -> None:
    cases = all_cases(args.data)
    embedder = MiniLmEmbedder(built_model_path())
    try:
        if args.foreign:
            await foreign_table(foreign_cases(args.data), embedder, _hit)
            return
        spent_ms = await look(cases, embedder)
        (print_weights if args.fit else table)(cases)
        if not args.fit:
            await foreign_table(foreign_cases(args.data), embedder, _hit)
            await amounts_table(embedder, _hit)
    finally:
        embedder.close()
    print(f"\n{spent_ms:.1f} ms CPU to read one passage and hold one claim against it, without embedding")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with scifact/ and xquad/")
    parser.add_argument("--foreign", action="store_true", help="claims in another language than their passage alone")
    parser.add_argument("--fit", action="store_true", help="print fitted weights instead of measuring")
    asyncio.run(main(parser.parse_args()))
