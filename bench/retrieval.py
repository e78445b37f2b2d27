"""Retrieval quality of ingest: BM25, dense and hybrid on the same passages, by the engine and the model that serve.

    uv run python bench/retrieval.py --data DIR      DIR holds scifact/ and xquad/ (JSON lines as their READMEs say)

A document's rank is that of its best passage. nDCG@10 with binary relevance (Jarvelin and Kekalainen 2002).
"""

import argparse
import asyncio
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from contracts.ids import DocumentId, PassageId, TenantId, uuid7
from ingest_service.domain import language, terms
from ingest_service.domain.chunk import chunk
from ingest_service.domain.fuse import Found
from ingest_service.domain.passage_index import IndexedPassage, passage_id
from ingest_service.domain.search import search
from ingest_service.domain.sniff import read
from ingest_service.outbound.edge_index import EdgeIndex
from ingest_service.outbound.minilm_embedder import MiniLmEmbedder
from ingest_service.outbound.minilm_model import built_model_path
from runtime.tenancy import TenantScope


@dataclass(frozen=True)
class Query:
    text: str
    relevant: frozenset[str]


@dataclass(frozen=True)
class Collection:
    name: str
    documents: dict[str, str]
    queries: list[Query]


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


def xquad(folder: Path) -> Iterable[Collection]:
    for path in sorted(folder.glob("corpus_*.jsonl")):
        code = path.stem.removeprefix("corpus_")
        documents = {str(row["id"]): str(row["text"]) for row in rows(path)}
        queries = [
            Query(str(row["question"]), frozenset({str(row["gold"])}))
            for row in rows(folder / f"questions_{code}.jsonl")
        ]
        yield Collection(f"xquad {code}", documents, queries)


@dataclass(frozen=True)
class Bench:
    embedder: MiniLmEmbedder
    index: EdgeIndex

    async def run(self, collection: Collection) -> None:
        scope = TenantScope(TenantId(uuid7()), "service:bench")
        begin = time.perf_counter()
        owners = await self.fill(scope, collection)
        filled = time.perf_counter()
        rankings = [
            await search(query.text, scope, embedder=self.embedder, index=self.index) for query in collection.queries
        ]
        seconds = time.perf_counter() - filled
        legs: dict[str, Callable[[Found], float | None]] = {
            "bm25": lambda found: found.bm25,
            "dense": lambda found: found.dense,
            "hybrid": lambda found: found.score,
        }
        for name, key in legs.items():
            figures = [
                figure(ranked(ranking, key, owners), query)
                for ranking, query in zip(rankings, collection.queries, strict=True)
            ]
            means = [sum(column) / len(figures) for column in zip(*figures, strict=True)]
            print(f"{collection.name:10} {name:7}" + "".join(f"{mean:10.3f}" for mean in means))
        print(
            f"           {len(collection.documents)} documents, {len(owners)} passages in {filled - begin:.1f} s;"
            f" {seconds / len(collection.queries) * 1e3:.1f} ms a query"
        )

    async def fill(self, scope: TenantScope, collection: Collection) -> dict[PassageId, str]:
        """Chunk, embed and index; returns whose passage each one is."""
        owners: dict[PassageId, str] = {}
        bodies: list[tuple[DocumentId, PassageId, str]] = []
        for name, text in collection.documents.items():
            document_id = DocumentId(uuid5(NAMESPACE_OID, name))
            for passage in chunk(read(text.encode()), self.embedder):
                key = passage_id(document_id, 1, passage.n)
                owners[key] = name
                bodies.append((document_id, key, passage.full_text))
        for start in range(0, len(bodies), 64):
            part = bodies[start : start + 64]
            vectors = await self.embedder.embed([text for _, _, text in part])
            await self.index.upsert(
                scope,
                [
                    IndexedPassage(key, document_id, 1, language.detect(text), vector, terms.passage_vector(text))
                    for (document_id, key, text), vector in zip(part, vectors, strict=True)
                ],
            )
        for document_id in {document_id for document_id, _, _ in bodies}:
            await self.index.show(scope, document_id, 1)
        return owners


def ranked(found: Sequence[Found], key: Callable[[Found], float | None], owners: dict[PassageId, str]) -> list[str]:
    scored = [(score, owners[passage.id]) for passage in found if (score := key(passage)) is not None]
    scored.sort(key=lambda pair: pair[0], reverse=True)
    return list(dict.fromkeys(owner for _, owner in scored))


def figure(ranking: Sequence[str], query: Query) -> tuple[float, float, float]:
    gains = [1.0 if name in query.relevant else 0.0 for name in ranking]
    dcg = sum(gain / math.log2(place + 2) for place, gain in enumerate(gains[:10]))
    best = sum(1 / math.log2(place + 2) for place in range(min(10, len(query.relevant))))
    return dcg / best, sum(gains[:5]) / len(query.relevant), sum(gains[:100]) / len(query.relevant)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder with scifact/ and xquad/")
    parser.add_argument("--only", default="", help="run only collections whose name starts with this")
    arguments = parser.parse_args()
    collections = [scifact(arguments.data / "scifact"), *xquad(arguments.data / "xquad")]
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(MiniLmEmbedder(built_model_path(), threads=2), EdgeIndex.open(Path(folder)))
        print(f"{'':10} {'':7}{'nDCG@10':>10}{'recall@5':>10}{'recall@100':>12}")
        for collection in collections:
            if collection.name.startswith(arguments.only):
                await bench.run(collection)
        await bench.index.close()
        bench.embedder.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
