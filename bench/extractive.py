"""How well the built-in answerer answers, and how honestly it declines.

    uv run python bench/extractive.py                       the bench's own shop and headings
    uv run python bench/extractive.py --xquad DIR           and XQuAD (questions_<lang>.jsonl, corpus_<lang>.jsonl)
    uv run python bench/extractive.py --xquad DIR --fit     prints the calibration fitted on both
    uv run python bench/extractive.py --show "shop en"      prints each answer of one of the bench's own sets

`shop` are a shop's documents in six languages; `headings` are short ones of eight businesses, each asked for itself,
whose headings are the answer, or name what is asked about above a text that does not answer it. Both are as ingest cuts
them. XQuAD is read in three ways: `withheld` leaves out the paragraphs of the questions marked so, and keeps their
articles' other ones; `without` leaves out each question's own paragraph in turn; `elsewhere` leaves out its whole
article. Passages are found by the answerer's own words and the embeddings, 6 a question. Precision and recall are of
answering.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import numpy as np

from contracts.ids import DocumentId
from inference_service.domain.extract import Evidence, Extraction, extract, gather_evidence
from inference_service.domain.model import Passage
from inference_service.domain.words import content_terms, terms
from ingest_service.domain.read_document import cut
from ingest_service.domain.sniff import read
from ingest_service.outbound.minilm_embedder import MiniLmEmbedder
from ingest_service.outbound.minilm_model import built_model_path
from ingest_service.outbound.minilm_tokenizer import MiniLmTokenizer

SHOP = Path(__file__).parent / "extractive"
PASSAGES = 6
LANGUAGES = ("en", "de", "es", "fr", "zh", "ar")


class Remembering:
    """The real embedder; each text is embedded once."""

    def __init__(self) -> None:
        self._real = MiniLmEmbedder(built_model_path())
        self._known: dict[str, list[float]] = {}
        self.texts = 0

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.texts += len(texts)
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, await self._real.embed(new), strict=True))
        return [self._known[text] for text in texts]

    def close(self) -> None:
        self._real.close()


@dataclass(frozen=True)
class Section:
    """A passage to be found: `key` names it, `article` the document it belongs to."""

    key: str
    article: str
    title: str
    heading: str
    text: str
    above: str = ""


@dataclass
class Case:
    """A question; without `answers` the right answer is that there is none."""

    question: str
    language: str
    answers: tuple[str, ...]
    gold: str = ""
    fold: str = ""
    is_withheld: bool = False
    passages: list[Passage] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


class Search:
    """BM25 over the answerer's own words, min-max summed with cosines; good enough to find six passages."""

    def __init__(self, language: str, embedder: Remembering) -> None:
        self.language = language
        self.embedder = embedder
        self._counts: dict[str, Counter[str]] = {}

    async def find(self, case: Case, sections: Sequence[Section]) -> None:
        asked = content_terms(case.question, self.language)
        counts = [self._count(section) for section in sections]
        frequency = Counter(term for count in counts for term in count)
        usual = sum(count.total() for count in counts) / len(counts)
        lexical = [self._bm25(asked, count, frequency, (len(counts), usual)) for count in counts]
        question, *vectors = await self.embedder.embed([case.question, *(f"{s.heading} {s.text}" for s in sections)])
        dense = np.asarray(vectors) @ np.asarray(question)
        share = 0.4 if self.language == "en" else 0.1
        score = (1 - share) * np.asarray(lexical) / (max(lexical) or 1) + share * (dense - dense.min()) / np.ptp(dense)
        best = [int(i) for i in np.argsort(-score, kind="stable")[:PASSAGES]]
        case.keys = [sections[i].key for i in best]
        articles = {s.article: number for number, s in enumerate(sections)}
        case.passages = [
            Passage(
                n, DocumentId(UUID(int=articles[s.article])), s.title, None, s.text, float(score[i]), s.heading, s.above
            )
            for n, (i, s) in enumerate(((i, sections[i]) for i in best), 1)
        ]

    def _count(self, section: Section) -> Counter[str]:
        if section.key not in self._counts:
            self._counts[section.key] = Counter(
                terms(f"{section.title} {section.heading} {section.text}", self.language)
            )
        return self._counts[section.key]

    @staticmethod
    def _bm25(asked: Sequence[str], count: Counter[str], df: Counter[str], size: tuple[int, float]) -> float:
        scale = 1.2 * (0.4 + 0.6 * count.total() / size[1])
        return sum(
            math.log(1 + (size[0] - df[term] + 0.5) / (df[term] + 0.5)) * count[term] * 2.2 / (count[term] + scale)
            for term in asked
            if count[term]
        )


def sections_of(paths: Iterable[Path]) -> list[Section]:
    """Documents as ingest cuts them."""
    tokenizer = MiniLmTokenizer()
    return [
        Section(
            f"{path.stem}-{passage.n}",
            path.stem,
            found.title or path.stem,
            " > ".join(passage.headings),
            "\n".join(filter(None, (passage.lead, passage.body))),
            passage.above,
        )
        for path in sorted(paths)
        for found in [cut(read(path.read_bytes()), tokenizer)]
        for passage in found.passages
    ]


def own_cases(folder: Path, language: str) -> list[Case]:
    """The bench's own questions in a language."""
    rows = map(json.loads, (folder / "questions.jsonl").read_text().splitlines())
    mine = [row for row in rows if row["lang"] == language]
    return [
        Case(row["question"], language, tuple(row["answers"]), fold=row.get("document", f"shop{n % 8}"))
        for n, row in enumerate(mine)
    ]


def xquad_sections(folder: Path, language: str) -> list[Section]:
    rows = map(json.loads, (folder / f"corpus_{language}.jsonl").read_text().splitlines())
    return [Section(row["id"], row["id"][:3], "", "", row["text"]) for row in rows]


def xquad_cases(folder: Path, language: str) -> list[Case]:
    rows = map(json.loads, (folder / f"questions_{language}.jsonl").read_text().splitlines())
    return [
        Case(r["question"], language, tuple(r["answers"]), r["gold"], r["gold"][:3], is_withheld=r["withheld"])
        for r in rows
    ]


async def xquad(folder: Path, language: str, mode: str, embedder: Remembering) -> list[Case]:
    sections, cases = xquad_sections(folder, language), xquad_cases(folder, language)
    search = Search(language, embedder)
    withheld = {case.gold for case in cases if case.is_withheld}
    for case in cases:
        left_out = {
            "full": set(),
            "withheld": withheld,
            "without": {case.gold},
            "elsewhere": {section.key for section in sections if section.article == case.fold},
        }[mode]
        if case.gold in left_out:
            case.answers = ()
        await search.find(case, [section for section in sections if section.key not in left_out])
    return cases


async def shop(language: str, embedder: Remembering) -> list[Case]:
    cases, search = own_cases(SHOP, language), Search(language, embedder)
    sections = sections_of((SHOP / "documents").iterdir())
    for case in cases:
        await search.find(case, sections)
    return cases


async def headings(language: str, embedder: Remembering) -> list[Case]:
    cases, search = own_cases(SHOP / "headings", language), Search(language, embedder)
    sections = sections_of((SHOP / "headings").glob("*.md"))
    for case in cases:
        await search.find(case, [section for section in sections if section.article == case.fold])
    return cases


def report(name: str, cases: Sequence[Case], answers: Sequence[Extraction]) -> None:
    """Print one row of the table."""
    pairs = list(zip(cases, answers, strict=True))
    given = [(case, answer) for case, answer in pairs if answer.cited]
    could = [case for case in cases if case.answers]
    right = sum(bool(case.answers) for case, _ in given)
    held = sum(any(a.lower() in got.text.lower() for a in case.answers) for case, got in given)
    cited = [case.keys[n - 1] == case.gold for case, got in given if case.gold and case.answers for n in got.cited]
    accuracy = sum(bool(case.answers) == bool(answer.cited) for case, answer in pairs) / len(pairs)
    cells = (
        f"{len(cases):5}{len(could):6}{accuracy:9.3f}",
        f"{right / len(given):10.3f}" if given else f"{'-':>10}",
        f"{right / len(could):8.3f}" if could else f"{'-':>8}",
        f"{held / len(could):9.3f}" if could else f"{'-':>9}",
        f"{sum(cited) / len(cited):8.3f}" if cited else f"{'-':>8}",
        f"{sum(len(got.cited) for _, got in given) and sum(got.text.count('[') for _, got in given) / len(given):7.2f}",
    )
    print(f"{name:20}" + "".join(cells))


async def table(sets: dict[str, list[Case]], embedder: Remembering) -> None:
    print(
        f"{'set':20}{'asked':>5}{'has':>6}{'accuracy':>9}{'precision':>10}{'recall':>8}{'answered':>9}{'source':>8}"
        f"{'quotes':>7}"
    )
    for name, cases in sets.items():
        report(name, cases, [await extract(case.question, case.passages, embedder) for case in cases])
    every = [case for cases in sets.values() for case in cases]
    embedder.texts = 0
    began = time.process_time()
    for case in every:
        await extract(case.question, case.passages, embedder)
    spent = (time.process_time() - began) / len(every) * 1000
    print(f"\n{spent:.1f} ms CPU a question without embedding, {embedder.texts / len(every):.1f} texts to embed")


def fit(rows: np.ndarray, wanted: np.ndarray, *, ridge: float = 0.01, steps: int = 3000) -> np.ndarray:
    """Logistic regression by gradient descent on standardised columns; returns bias and weights as used."""
    mean, spread = rows.mean(0), rows.std(0) + 1e-9
    scaled = (rows - mean) / spread
    weights, bias = np.zeros(rows.shape[1]), 0.0
    for _ in range(steps):
        off = 1 / (1 + np.exp(-(scaled @ weights + bias))) - wanted
        weights -= 0.3 * (scaled.T @ off / len(wanted) + ridge * weights)
        bias -= 0.3 * off.mean()
    return np.concatenate([[bias - (weights / spread * mean).sum()], weights / spread])


async def calibrate(sets: dict[str, list[Case]], embedder: Remembering) -> None:
    """Fit each group of languages; the accuracy is that of weights fitted without the same article or eighth."""
    for group, spoken, columns in (
        ("ENGLISH", ("en",), 3),
        ("COGNATE", ("de", "es", "fr"), 3),
        ("LEXICAL", ("zh", "ar"), 2),
    ):
        rows, wanted, folds = [], [], []
        for name, cases in sets.items():
            for case in cases if name.startswith(("shop", "full", "without")) else ():
                if case.language not in spoken:
                    continue
                evidence = await gather_evidence(case.question, case.passages, case.language, embedder)
                copies = 3 if name.startswith("shop") else 1  # the small set counts as the large ones do
                rows += [_row(evidence)[:columns]] * copies
                wanted += [float(bool(case.answers))] * copies
                folds += [case.fold] * copies
        x, y, f = np.array(rows), np.array(wanted), np.array(folds)
        hits = [
            ((x[f == a] @ (w := fit(x[f != a], y[f != a]))[1:] + w[0] > 0) == y[f == a]) for a in sorted(set(folds))
        ]
        weights = ", ".join(f"{weight:.2f}" for weight in fit(x, y))
        print(f"{group} = Calibration({weights})   accuracy {np.concatenate(hits).mean():.3f} on {len(y)} rows")


def _row(evidence: Evidence | None) -> list[float]:
    if evidence is None:
        return [0.0, 0.0, 0.0]
    return [evidence.coverage, evidence.passage_coverage, evidence.cosine or 0.0]


async def show(cases: Sequence[Case], embedder: Remembering) -> None:
    for case in cases:
        got = await extract(case.question, case.passages, embedder)
        is_right = any(a.lower() in got.text.lower() for a in case.answers) if case.answers else not got.cited
        print(f"{'  ' if is_right else '! '}{got.confidence:.2f} {case.question}\n       {got.text}")


async def own_sets(embedder: Remembering) -> dict[str, list[Case]]:
    sets = {f"shop {language}": await shop(language, embedder) for language in LANGUAGES}
    return sets | {f"headings {language}": await headings(language, embedder) for language in ("en", "de", "es")}


async def xquad_sets(folder: Path, embedder: Remembering) -> dict[str, list[Case]]:
    return {
        f"{mode} {language}": await xquad(folder, language, mode, embedder)
        for language in LANGUAGES
        if (folder / f"corpus_{language}.jsonl").exists()
        for mode in ("withheld", "full", "without", "elsewhere")
    }


async def main(args: argparse.Namespace) -> None:
    random.seed(0)
    embedder = Remembering()
    try:
        sets = await own_sets(embedder)
        if args.show:
            await show(sets[args.show], embedder)
            return
        if args.xquad:
            sets |= await xquad_sets(args.xquad, embedder)
        await (calibrate if args.fit else table)(sets, embedder)
    finally:
        embedder.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--xquad", type=Path, help="folder with XQuAD's corpus_<lang>.jsonl and questions_<lang>.jsonl")
    parser.add_argument("--fit", action="store_true", help="fit the calibration instead of measuring")
    parser.add_argument("--show", default="", metavar="SET", help="print the answers of `shop en` and the like")
    asyncio.run(main(parser.parse_args()))
