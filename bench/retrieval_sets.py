"""The collections that bench/retrieval.py asks: public ones from a folder, and the bench's own in bench/retrieval/."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

OWN = Path(__file__).parent / "retrieval"
FULL_SETS = {
    "scifact": {"bm25": 0.686, "dense": 0.645, "hybrid": 0.730},
    "xquad ar": {"bm25": 0.887},
    "xquad de": {"bm25": 0.913},
    "xquad en": {"bm25": 0.955},
    "xquad es": {"bm25": 0.949, "dense": 0.665},
    "xquad zh": {"bm25": 0.962, "dense": 0.287},
}
"""nDCG@10 once measured with a plain BM25, MiniLM and a min-max sum on the full sets, which are larger and harder."""


FEWEST_LEFT, SHORTEST, LONGEST = 3, 40, 260
"""Sentences that a document keeps, and characters of one that asks for it."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")

CROSSED = ("de>en", "es>en", "zh>en", "ar>en", "en>de", "es>de", "en>es", "de>es")


@dataclass(frozen=True)
class Query:
    text: str
    relevant: frozenset[str]


@dataclass(frozen=True)
class Collection:
    name: str
    documents: dict[str, str]
    queries: list[Query]


def collections(data: Path | None, asked: str) -> Iterator[Collection]:
    """Every collection there is; without `data` the bench's own alone, `sentences` where it is asked for."""
    if data is not None and asked == "sentences":
        yield sentences(scifact(data / "scifact"))
    elif data is not None:
        yield scifact(data / "scifact")
        of_languages = list(xquad(data / "xquad"))
        yield from of_languages
        yield from crossed({one.name.split()[1]: one for one in of_languages})
    for path in sorted(OWN.glob("shop_*.json")):
        yield shop(path)


def rows(*paths: Path) -> Iterable[dict[str, object]]:
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def scifact(folder: Path) -> Collection:
    documents = {
        str(row["id"]): f"# {row['title']}\n\n{row['text']}" for row in rows(*sorted(folder.glob("corpus*.jsonl")))
    }
    queries = [
        Query(str(row["text"]), frozenset(map(str, row["relevant"])))  # type: ignore[call-overload]  # a list in the data
        for row in rows(*sorted(folder.glob("queries*.jsonl")))
    ]
    return Collection("scifact", documents, queries)


def sentences(held: Collection) -> Collection:
    """The same documents without their last sentence, where it is one of usual length; it asks for what is left."""
    documents, queries = dict(held.documents), list[Query]()
    for name, text in held.documents.items():
        head, body = text.split("\n\n", 1)
        *before, last = _SENTENCE_END.split(body.strip())
        if len(before) >= FEWEST_LEFT and SHORTEST < len(last) < LONGEST:
            documents[name] = f"{head}\n\n{' '.join(before)}"
            queries.append(Query(last, frozenset({name})))
    return Collection("sentences", documents, queries)


def xquad(folder: Path) -> Iterator[Collection]:
    for path in sorted(folder.glob("corpus_*.jsonl")):
        code = path.stem.removeprefix("corpus_")
        documents = {str(row["id"]): str(row["text"]) for row in rows(path)}
        queries = [
            Query(str(row["question"]), frozenset({str(row["gold"])}))
            for row in rows(folder / f"questions_{code}.jsonl")
        ]
        yield Collection(f"xquad {code}", documents, queries)


def crossed(of_languages: dict[str, Collection]) -> Iterator[Collection]:
    """Questions in another language than the documents: XQuAD is parallel."""
    for asked, held in (pair.split(">") for pair in CROSSED):
        if asked in of_languages and held in of_languages:
            yield Collection(f"xquad {asked}>{held}", of_languages[held].documents, of_languages[asked].queries)


def shop(path: Path) -> Collection:
    """A shop's rules, a passage each: {"passages": {id: text}, "questions": [[question, id]]}."""
    held = json.loads(path.read_text(encoding="utf-8"))
    queries = [Query(question, frozenset({answer})) for question, answer in held["questions"]]
    return Collection(path.stem.replace("_", " "), held["passages"], queries)


@dataclass(frozen=True)
class Repeating:
    """Products whose pages repeat the same paragraphs; a question has an answer beside the repeated one."""

    documents: dict[str, str]
    questions: list[tuple[str, str]]
    """A question, and words of the passage that must be among the first."""


def repeating() -> Repeating:
    held = json.loads((OWN / "repeating.json").read_text(encoding="utf-8"))
    documents = dict(held["documents"])
    for product in held["products"]:
        paragraphs = [product["text"], *(text.replace("{name}", product["name"]) for text in held["repeated"])]
        documents[product["name"]] = f"# {product['name']}\n\n" + "\n\n".join(
            f"## {heading}\n\n{text}" for heading, text in zip(held["headings"], paragraphs, strict=True)
        )
    return Repeating(documents, [(question, words) for question, words in held["questions"]])
