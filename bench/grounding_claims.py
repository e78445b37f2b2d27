# ruff: noqa: RUF001 - Chinese and Arabic marks are meant
"""The labelled claims that bench/grounding.py and bench/unsupported.py hold against passages."""

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from inference_service.domain.quantities import quantities
from inference_service.domain.sentences import split_sentences
from inference_service.domain.support import Match
from inference_service.domain.words import content_terms

EACH = 120
"""Claims of one kind in one language, drawn with a fixed seed."""
FOLDS = 5
XQUAD = ("en", "de", "es", "zh", "ar")
AUXILIARY = re.compile(r"\b(is|are|was|were|can|could|will|would|has|have|had|must|should|may)\b(?! not)")
CLAUSE_END = re.compile(r"[,，،;；](?!\d)(?=(?:[^,，،;；]|,(?=\d))*$)")
"""The last of a sentence; `1,442` is a number."""
DENIED = re.compile(r"\b(is|are|was|were|can|could|will|would|has|have|had|must|should|may|did|do|does) not\b")


@dataclass
class Case:
    """One claim beside one passage of a document with that title."""

    kind: str
    language: str
    claim: str
    passage: str
    is_true: bool
    fold: int
    title: str = ""
    found: tuple[Match, ...] = field(default=())

    @property
    def family(self) -> str:
        """Which way the claim came about."""
        first = self.kind.split(" ")[0].rstrip(",")
        return first if first in ("scifact", "restated") else "sentences"


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def scifact(folder: Path) -> Iterator[Case]:
    corpus = {str(row["id"]): (str(row["title"]), str(row["text"])) for row in rows(folder / "corpus.jsonl")}
    for row in rows(folder / "queries_dev.jsonl"):
        for proof in row["evidence"]:  # type: ignore[attr-defined] # a list in the data
            title, text = corpus[proof["doc"]]
            yield Case(
                f"scifact {proof['label'].lower()}",
                "en",
                str(row["text"]),
                text,
                proof["label"] == "SUPPORT",
                int(proof["doc"]) % FOLDS,
                title,
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
    if changed := other_number(short, text, language):
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
    head = CLAUSE_END.split(without)[0]
    is_enough = head != without and len(content_terms(head, language)) >= 5 and len(head) > 0.5 * len(without)
    return head.rstrip(".。 ") + "." if is_enough else without


def other_number(sentence: str, text: str, language: str) -> str:
    found = re.search(r"(?<![\d.,\w])\d+(?![\d.,]*\d)", sentence)
    if found is None:
        return ""
    there = {one.value for one in quantities(text, language)}
    number = next(n for n in range(int(found.group()) + random.randint(1, 9), 10**9) if str(n) not in there)
    return sentence[: found.start()] + str(number) + sentence[found.end() :]


def _names(text: str, language: str) -> list[str]:
    found = re.findall(r"(?<=[a-z,] )[A-Z][a-z]{2,}(?: [A-Z][a-z]+)*", text) if language == "en" else []
    return sorted(set(found))


def drawn(cases: Iterable[Case], *, each: int = EACH) -> list[Case]:
    groups: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.kind, case.language].append(case)
    return [case for group in groups.values() for case in random.sample(group, min(each, len(group)))]


def all_cases(data: Path) -> list[Case]:
    """Those of `scifact/` and `xquad/` in a folder, drawn with a fixed seed."""
    random.seed(7)
    cases = list(scifact(data / "scifact"))
    for language in XQUAD:
        texts = {str(row["id"]): str(row["text"]) for row in rows(data / "xquad" / f"corpus_{language}.jsonl")}
        cases += restated(rows(data / "xquad" / f"questions_{language}.jsonl"), texts, language)
        cases += altered(texts, language)
    return drawn(cases)
