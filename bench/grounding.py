# ruff: noqa: RUF001 - Chinese and Arabic marks are meant
"""How well the check of an answer tells what the cited passage bears out from what it does not.

    uv run python bench/grounding.py --data DIR          DIR holds scifact/ and xquad/ (JSON lines)
    uv run python bench/grounding.py --data DIR --fit    prints the weights fitted on all of it

Claims and their labels, each held against one passage:
  scifact      expert-written claims that an abstract supports or contradicts (as annotated)
  restated     an XQuAD question's words with its answer; false with the answer of another question of the article
  shortened    a sentence of the passage without its parentheses or last clause; false with one number changed, one
               negation put in or taken out, one name exchanged, or of another passage of the same article
Word-for-word quotations are shown, and left out of all sums: they are decided before anything is weighed. Weights and
thresholds are those fitted without the claim's own article or abstract (five folds). Intervals are 95 % of 1,000
bootstrap draws. P, R and F1 are of `supported`; `caught` is the share of the false claims that are refused.
"""

import argparse
import asyncio
import json
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import numpy as np

from contracts.ids import DocumentId, PassageId
from contracts.ingest import PassageHit
from inference_service.domain.claims import AnswerSentence
from inference_service.domain.quantities import quantities
from inference_service.domain.sentences import split_sentences
from inference_service.domain.spans import read_passage
from inference_service.domain.support import Match, matches, plausible, reads, with_cosines
from inference_service.domain.words import content_terms
from ingest_service.outbound.minilm_embedder import MiniLmEmbedder
from ingest_service.outbound.minilm_model import built_model_path

EACH = 120
"""Claims of one kind in one language, drawn with a fixed seed."""
FOLDS = 5
XQUAD = ("en", "de", "es", "zh", "ar")
AUXILIARY = re.compile(r"\b(is|are|was|were|can|could|will|would|has|have|had|must|should|may)\b(?! not)")
DENIED = re.compile(r"\b(is|are|was|were|can|could|will|would|has|have|had|must|should|may|did|do|does) not\b")


@dataclass
class Case:
    """One claim beside one passage."""

    kind: str
    language: str
    claim: str
    passage: str
    is_true: bool
    fold: int
    found: tuple[Match, ...] = field(default=())


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def scifact(folder: Path) -> Iterator[Case]:
    corpus = {str(row["id"]): str(row["text"]) for row in rows(folder / "corpus.jsonl")}
    for row in rows(folder / "queries_dev.jsonl"):
        for proof in row["evidence"]:  # type: ignore[attr-defined] # a list in the data
            yield Case(
                f"scifact {proof['label'].lower()}",
                "en",
                str(row["text"]),
                corpus[proof["doc"]],
                proof["label"] == "SUPPORT",
                int(proof["doc"]) % FOLDS,
            )


def restated(questions: Sequence[dict[str, object]], texts: dict[str, str], language: str) -> Iterator[Case]:
    by_article: dict[str, list[dict[str, object]]] = defaultdict(list)
    for row in questions:
        by_article[str(row["gold"])[:3]].append(row)
    for fold, article in enumerate(by_article.values()):
        for row in article:
            gold, answer = str(row["gold"]), _answer(row)
            stem = str(row["question"]).strip().strip("?？؟¿ ")
            yield Case("restated", language, f"{stem}: {answer}.", texts[gold], is_true=True, fold=fold % FOLDS)
            others = [_answer(other) for other in article if other["gold"] != gold]
            alike = [one for one in others if _has_digit(one) == _has_digit(answer) and one.lower() not in texts[gold]]
            if alike:
                wrong = f"{stem}: {random.choice(alike)}."
                yield Case("restated, other answer", language, wrong, texts[gold], is_true=False, fold=fold % FOLDS)


def _answer(row: dict[str, object]) -> str:
    return str(row["answers"][0])  # type: ignore[index] # a list in the data


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def altered(texts: dict[str, str], language: str) -> Iterator[Case]:
    by_article: dict[str, list[str]] = defaultdict(list)
    for key in texts:
        by_article[key[:3]].append(key)
    for fold, keys in enumerate(by_article.values()):
        names = sorted({name for key in keys for name in _names(texts[key], language)})
        for key in keys:
            others = [texts[other] for other in keys if other != key]
            for sentence in split_sentences(texts[key]):
                if len(content_terms(sentence, language)) < 6 or sentence.endswith("?"):
                    continue
                for kind, claim, is_true in _versions(sentence, texts[key], others, names, language):
                    yield Case(kind, language, claim, texts[key], is_true, fold % FOLDS)


def _versions(
    sentence: str, text: str, others: Sequence[str], names: Sequence[str], language: str
) -> Iterator[tuple[str, str, bool]]:
    short = _shortened(sentence, language)
    yield "quotation", sentence, True
    if short != sentence:
        yield "shortened", short, True
    if changed := _other_number(short, text, language):
        yield "number changed", changed, False
    if language == "en":
        if DENIED.search(short):
            yield "negation changed", DENIED.sub(r"\1", short, count=1), False
        elif AUXILIARY.search(short):
            yield "negation changed", AUXILIARY.sub(r"\1 not", short, count=1), False
        own = _names(short, language)
        strange = [name for name in names if name not in text]
        if own and strange:
            yield "name exchanged", short.replace(random.choice(own), random.choice(strange), 1), False
    if others:
        foreign = random.choice(split_sentences(random.choice(others)))
        if len(content_terms(foreign, language)) >= 6:
            yield "of another passage", _shortened(foreign, language), False


def _shortened(sentence: str, language: str) -> str:
    without = re.sub(r"\s*[(（][^()（）]*[)）]", "", sentence)
    head = re.split(r"[,，،;；](?=[^,，،;；]*$)", without)[0]
    is_enough = head != without and len(content_terms(head, language)) >= 5 and len(head) > 0.5 * len(without)
    return head.rstrip(".。 ") + "." if is_enough else without


def _other_number(sentence: str, text: str, language: str) -> str:
    found = re.search(r"(?<![\d.,\w])\d+(?![\d.,]*\d)", sentence)
    if found is None:
        return ""
    there = {one.value for one in quantities(text, language)}
    number = next(n for n in range(int(found.group()) + random.randint(1, 9), 10**9) if str(n) not in there)
    return sentence[: found.start()] + str(number) + sentence[found.end() :]


def _names(text: str, language: str) -> list[str]:
    found = re.findall(r"(?<=[a-z,] )[A-Z][a-z]{2,}(?: [A-Z][a-z]+)*", text) if language == "en" else []
    return sorted(set(found))


def drawn(cases: Iterable[Case]) -> list[Case]:
    groups: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.kind, case.language].append(case)
    return [case for group in groups.values() for case in random.sample(group, min(EACH, len(group)))]


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
        found = matches(sentence, (read_passage(1, _hit(case.passage), case.language),), case.language)
        spent += time.thread_time() - began
        claim, *spans = await vectors([case.claim, *(m.passage_read.quote(m.span) for m in found)])
        case.found = with_cosines(found, claim, spans)
    return spent / len(cases) * 1000


def _hit(text: str) -> PassageHit:
    return PassageHit(
        passage_id=PassageId(UUID(int=1)),
        document_id=DocumentId(UUID(int=1)),
        title="",
        heading="",
        page=None,
        start=0,
        end=len(text),
        text=text,
        language=None,
        score=1.0,
        dense=None,
        bm25=None,
    )


def features(case: Case, columns: int) -> list[float]:
    best = plausible(case.found)
    return [best.coverage, best.passage, best.names, best.cosine or 0.0][:columns]


def fit(x: np.ndarray, y: np.ndarray, *, ridge: float = 0.003, steps: int = 1000) -> np.ndarray:
    """Logistic regression, both labels weighing the same; returns bias and weights."""
    mean, spread = x.mean(0), x.std(0) + 1e-9
    scaled, w, b = (x - mean) / spread, np.zeros(x.shape[1]), 0.0
    share = np.where(y > 0, 0.5 / max(y.mean(), 1e-9), 0.5 / max(1 - y.mean(), 1e-9)) / len(y)
    for _ in range(steps):
        off = (1 / (1 + np.exp(-(scaled @ w + b))) - y) * share
        w -= 0.5 * (scaled.T @ off + ridge * w)
        b -= 0.5 * off.sum()
    return np.concatenate([[b - (w / spread * mean).sum()], w / spread])


def fitted(cases: Sequence[Case], columns: int) -> np.ndarray:
    """The weights of one group, over the claims that nothing objects to: of the others they decide nothing."""
    open_ = [case for case in cases if plausible(case.found).objection is None]
    return fit(np.array([features(c, columns) for c in open_]), np.array([float(c.is_true) for c in open_]))


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
            and float(np.dot(weights, [1.0, *features(case, columns)])) > 0
            for case in test
        ]

    return decide


def as_served(train: Sequence[Case], test: Sequence[Case]) -> list[bool]:
    columns = 4 if test and reads(test[0].language) else 3
    return weighed(columns, objects=True)(train, test)


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
    "with objections": as_served,
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
        print(f"{'method':20}{'P':>7}{'R':>7}{'F1':>7}{'95 %':>16}{'caught':>9}")
        for name, said in verdicts.items():
            mine = np.array([said[id(case)] for case in chosen])
            p, r, f1, caught = figures(mine, true)
            low, high = interval(mine, true)
            print(f"{name:20}{p:7.3f}{r:7.3f}{f1:7.3f}   [{low:.3f} {high:.3f}]{caught:9.3f}")
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
    random.seed(7)
    cases = list(scifact(args.data / "scifact"))
    for language in XQUAD:
        texts = {str(row["id"]): str(row["text"]) for row in rows(args.data / "xquad" / f"corpus_{language}.jsonl")}
        cases += restated(rows(args.data / "xquad" / f"questions_{language}.jsonl"), texts, language)
        cases += altered(texts, language)
    cases = drawn(cases)
    embedder = MiniLmEmbedder(built_model_path())
    try:
        spent_ms = await look(cases, embedder)
    finally:
        embedder.close()
    (print_weights if args.fit else table)(cases)
    print(f"\n{spent_ms:.1f} ms CPU to read one passage and hold one claim against it, without embedding")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with scifact/ and xquad/")
    parser.add_argument("--fit", action="store_true", help="print fitted weights instead of measuring")
    asyncio.run(main(parser.parse_args()))
