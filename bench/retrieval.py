"""Retrieval of ingest: quality of BM25, dense and hybrid by the engine and the model that serve, repeats, and speed.

    make bench-retrieval                       the bench's own sets (bench/retrieval/)
    make bench-retrieval DATA=DIR              and scifact/ and xquad/ in DIR (JSON lines as their READMEs say)
    make bench-retrieval ARGS="--only quality --sets xquad"      --only repeats
    make bench-retrieval DATA=DIR ARGS="--only quality --sets sentences --of 5183"
    make bench-retrieval ARGS="--only speed --passages 10000"    bench/retrieval_speed.py says how

A document's rank is that of its best passage. nDCG@10 with binary relevance (Jarvelin and Kekalainen 2002). `full set`
is what a plain BM25, MiniLM and a min-max sum once reached on the full sets, which are larger and harder. `better leg`:
hybrid's nDCG@10 less that of the better leg, with its 95 % interval and the share of paired bootstrap samples of the
queries (Efron and Tibshirani 1993) in which hybrid is below it. `served` are the hundred passages that a search gives
when it is asked for as many as it may be: repeated ones are moved back, and several may be of one document. `usual` is
hybrid as an answer has it, with each leg read less deep.

A part of a collection is easier than the whole. With `--of` documents each leg is read to the same share of the
passages as it would be among so many, and recall@100 is looked for at the same share of the ranks: what is among the
best 18 of 930 is usually among the best 100 of 5,183. `sentences` (only when asked for) are SciFact's abstracts without
their last sentence, which asks for the rest: 819 questions where SciFact's part has 126.
"""

import argparse
import asyncio
import math
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from retrieval_sets import FULL_SETS, Collection, Query, collections, repeating
from retrieval_speed import speed

from contracts.ids import DocumentId, PassageId, TenantId, uuid7
from ingest_service.domain import language, terms
from ingest_service.domain.chunk import chunk
from ingest_service.domain.distinct import split_repeats
from ingest_service.domain.fuse import Found
from ingest_service.domain.passage_index import IndexedPassage, passage_id
from ingest_service.domain.search import DEEPER, DEPTH, search
from ingest_service.domain.sniff import read
from ingest_service.outbound.edge_index import EdgeIndex
from ingest_service.outbound.minilm_embedder import MiniLmEmbedder
from ingest_service.outbound.minilm_model import built_model_path
from ingest_service.outbound.minilm_tokenizer import MiniLmTokenizer
from runtime.tenancy import TenantScope

SAMPLES = 10_000
SHOWN = 6
"""Passages that an answer stands on."""
MOST = 100
"""Passages that a search can be asked for."""
SIZES = (1_000, 10_000, 50_000)
"""Passages among which the speed of a search is measured."""
LEGS: dict[str, Callable[[Found], float | None]] = {
    "bm25": lambda found: found.bm25,
    "dense": lambda found: found.dense,
    "hybrid": lambda found: found.score,
}


@dataclass(frozen=True)
class Held:
    """A passage in the index: whose it is and what it says."""

    owner: str
    text: str


@dataclass(frozen=True)
class Bench:
    embedder: MiniLmEmbedder
    tokenizer: MiniLmTokenizer
    index: EdgeIndex

    async def fill(self, scope: TenantScope, documents: dict[str, str]) -> dict[PassageId, Held]:
        """Chunk, embed and index."""
        bodies = [
            (name, passage.n, passage.full_text)
            for name, text in documents.items()
            for passage in chunk(read(text.encode()), self.tokenizer)
        ]
        held: dict[PassageId, Held] = {}
        for start in range(0, len(bodies), 64):
            part = bodies[start : start + 64]
            vectors = await self.embedder.embed([text for _, _, text in part])
            points = [_point(name, n, text, vector) for (name, n, text), vector in zip(part, vectors, strict=True)]
            await self.index.upsert(scope, points)
            held |= {point.id: Held(name, text) for point, (name, _, text) in zip(points, part, strict=True)}
        for name in documents:
            await self.index.show(scope, _document(name), 1)
        return held

    async def ask(self, query: str, scope: TenantScope, k: int = SHOWN, share: float = 1.0) -> list[Found]:
        depth = max(DEPTH, DEEPER * k)
        return await search(
            query,
            scope,
            embedder=self.embedder,
            index=self.index,
            depth=round(depth * share),
            thoroughly=depth > DEPTH,
        )


def _document(name: str) -> DocumentId:
    return DocumentId(uuid5(NAMESPACE_OID, name))


def _point(name: str, n: int, text: str, vector: Sequence[float]) -> IndexedPassage:
    document_id = _document(name)
    key = passage_id(document_id, 1, n)
    return IndexedPassage(key, document_id, 1, language.detect(text), vector, terms.passage_vector(text))


def own_scope() -> TenantScope:
    return TenantScope(TenantId(uuid7()), "service:bench")


async def quality(bench: Bench, collection: Collection, of: int) -> None:
    share = len(collection.documents) / of if of else 1.0
    deep = round(MOST * share)
    scope = own_scope()
    held = await bench.fill(scope, collection.documents)
    rankings = [await bench.ask(query.text, scope, MOST, share) for query in collection.queries]
    by_leg = {
        leg: [
            figure(ranked(ranking, score, held), query, deep)
            for ranking, query in zip(rankings, collection.queries, strict=True)
        ]
        for leg, score in LEGS.items()
    }
    by_leg["served"] = [
        figure(served(ranking, held, deep), query, deep)
        for ranking, query in zip(rankings, collection.queries, strict=True)
    ]
    by_leg["usual"] = [
        figure(ranked(await bench.ask(query.text, scope, share=share), LEGS["hybrid"], held), query, deep)
        for query in collection.queries
    ]
    better = max(("bm25", "dense"), key=lambda leg: statistics.fmean(row[0] for row in by_leg[leg]))
    for leg, rows in by_leg.items():
        means = [statistics.fmean(column) for column in zip(*rows, strict=True)]
        known = FULL_SETS.get(collection.name, {}).get(leg)
        line = f"{collection.name:11} {leg:7}" + "".join(f"{mean:11.3f}" for mean in means)
        line += f"{known:10.3f}" if known else f"{'-':>10}"
        if leg == "hybrid":
            line += f"   {better:5} {paired(by_leg[better], rows)}"
        print(line)
    print(f"{'':11} {len(collection.documents)} documents, {len(held)} passages, {len(rankings)} queries")


def ranked(found: Sequence[Found], score_of: Callable[[Found], float | None], held: dict[PassageId, Held]) -> list[str]:
    scored = [(score, held[passage.id].owner) for passage in found if (score := score_of(passage)) is not None]
    scored.sort(key=lambda pair: pair[0], reverse=True)
    return list(dict.fromkeys(owner for _, owner in scored))


def served(found: Sequence[Found], held: dict[PassageId, Held], most: int) -> list[str]:
    distinct, repeated = split_repeats(found, most, lambda one: held[one.id].text)
    return list(dict.fromkeys(held[one.id].owner for one in (distinct + repeated)[:most]))


def figure(ranking: Sequence[str], query: Query, deep: int) -> tuple[float, float, float]:
    """nDCG@10, recall@5 and recall@`deep` of one query."""
    gains = [1.0 if name in query.relevant else 0.0 for name in ranking]
    dcg = sum(gain / math.log2(place + 2) for place, gain in enumerate(gains[:10]))
    best = sum(1 / math.log2(place + 2) for place in range(min(10, len(query.relevant))))
    return dcg / best, sum(gains[:5]) / len(query.relevant), sum(gains[:deep]) / len(query.relevant)


def paired(leg: Sequence[tuple[float, ...]], hybrid: Sequence[tuple[float, ...]]) -> str:
    """How much better hybrid is: mean, 95 % interval, share of the samples in which it is worse."""
    drawn = random.Random(7)
    differences = [ours[0] - theirs[0] for ours, theirs in zip(hybrid, leg, strict=True)]
    means = sorted(statistics.fmean(drawn.choices(differences, k=len(differences))) for _ in range(SAMPLES))
    low, high = means[int(SAMPLES * 0.025)], means[int(SAMPLES * 0.975)]
    worse = sum(mean < 0 for mean in means) / SAMPLES
    return f"{statistics.fmean(differences):+.3f} [{low:+.3f}, {high:+.3f}]  p(below) {worse:.3f}"


async def repeats(bench: Bench) -> None:
    """Boilerplate of many documents beside the passage that answers: with and without moving repeats back."""
    world, scope = repeating(), own_scope()
    held = await bench.fill(scope, world.documents)
    print(f"\nrepeats    {len(held)} passages, {len(world.questions)} questions; the first {SHOWN} passages")
    print(f"{'':10} {'':22}{'answered':>10}{'different passages':>20}")
    rankings = [(words, await bench.ask(question, scope)) for question, words in world.questions]
    shown: dict[str, list[tuple[str, list[str]]]] = {"as ranked": [], "repeats moved back": []}
    for words, found in rankings:
        texts = [held[one.id].text for one in found]
        shown["as ranked"].append((words, texts[:SHOWN]))
        distinct, repeated = split_repeats(texts, SHOWN, str)
        shown["repeats moved back"].append((words, (distinct + repeated)[:SHOWN]))
    for name, rows in shown.items():
        answered = statistics.fmean(any(words in text for text in texts) for words, texts in rows)
        different = statistics.fmean(len(split_repeats(texts, SHOWN, str)[0]) for _, texts in rows)
        print(f"{'':10} {name:22}{answered:10.3f}{different:20.2f}")


async def main() -> int:
    arguments = _arguments()
    chosen = [one for one in collections(arguments.data, arguments.sets) if one.name.startswith(arguments.sets)]
    with tempfile.TemporaryDirectory() as folder:
        embedder = MiniLmEmbedder(built_model_path(), threads=arguments.threads)
        bench = Bench(embedder, MiniLmTokenizer(), EdgeIndex.open(Path(folder) / "index"))
        if arguments.only in {"", "quality"}:
            head = "".join(f"{title:>11}" for title in ("nDCG@10", "recall@5", "recall@100"))
            print(f"{'':11} {'':7}{head}{'full set':>10}   better leg")
            for collection in chosen:
                await quality(bench, collection, arguments.of)
        if arguments.only in {"", "repeats"}:
            await repeats(bench)
        if arguments.only in {"", "speed"}:
            largest = max(chosen, key=lambda one: len(one.documents))
            texts = [
                passage.full_text
                for text in largest.documents.values()
                for passage in chunk(read(text.encode()), bench.tokenizer)
            ]
            await speed(embedder, texts, [query.text for query in largest.queries], arguments.passages)
        await bench.index.close()
        embedder.close()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with scifact/ and xquad/")
    parser.add_argument("--sets", default="", help="only collections whose name starts with this")
    parser.add_argument("--of", type=int, default=0, help="documents of the collection that the set is a part of")
    parser.add_argument("--only", default="", choices=("", "quality", "repeats", "speed"), help="only this part")
    parser.add_argument("--passages", type=int, nargs="+", default=SIZES, help="of the speed of a search")
    parser.add_argument("--threads", type=int, default=1, help="that embed passages")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
