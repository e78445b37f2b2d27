"""How well questions that mean the same are gathered, as they come.

    uv run python bench/gaps.py --data DIR           DIR holds banking77/ and clinc150/ (JSON lines)
    uv run python bench/gaps.py --data DIR --tune    prints F1 by threshold on the small training lists

The labelled intents stand for "means the same". Questions come in a fixed random order, one by one. Pairwise P, R and
F1 are over all pairs of questions; purity is the share of questions that have the intent of most in their group;
`groups` beside `intents` tells how much longer a list of gaps is than it should be. Out-of-scope questions of clinc150
are left out.
"""

import argparse
import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from pathlib import Path

from contracts.ids import GapId, MessageId, uuid7
from inference_service.domain import clusters
from inference_service.domain.clusters import BY_MEANING, Asked, Group, Likeness
from inference_service.domain.words import content_terms
from ingest_service.outbound.minilm_embedder import MiniLmEmbedder
from ingest_service.outbound.minilm_model import built_model_path

Labels = list[Hashable]


def read(path: Path) -> list[tuple[str, str]]:
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    found = [(row["text"], row["intent"]) for row in rows if row["intent"] != "oos"]
    random.Random(11).shuffle(found)
    return found


def exact(asked: Sequence[Asked]) -> Labels:
    return [" ".join(one.text.lower().split()).strip("?!. ") for one in asked]


def same_words(asked: Sequence[Asked]) -> Labels:
    return [frozenset(content_terms(one.text, "en")) for one in asked]


def gathered(asked: Sequence[Asked], likeness: Likeness | None = None) -> Labels:
    groups: dict[GapId, Group] = {}
    labels: Labels = []
    for one in asked:
        found = clusters.nearest(one, tuple(groups.values()), likeness)
        group = clusters.joined(found, one) if found else clusters.group_of(one, GapId(uuid7()))
        groups[group.id] = group
        labels.append(group.id)
    return labels


def by_meaning_alone(asked: Sequence[Asked]) -> Labels:
    return gathered(asked, replace(BY_MEANING, words=0.0))


def figures(labels: Labels, intents: Sequence[str]) -> tuple[float, float, float, float, int]:
    """Pairwise P, R, F1; purity; number of groups."""
    together = Counter(zip(labels, intents, strict=True))
    pairs = [sum(n * (n - 1) // 2 for n in counts.values()) for counts in (together, Counter(labels), Counter(intents))]
    p, r = pairs[0] / max(pairs[1], 1), pairs[0] / max(pairs[2], 1)
    most: dict[Hashable, int] = {}
    for (label, _), n in together.items():
        most[label] = max(most.get(label, 0), n)
    return p, r, 2 * p * r / (p + r) if p + r else 0.0, sum(most.values()) / len(labels), len(most)


METHODS: dict[str, Callable[[Sequence[Asked]], Labels]] = {
    "exact text": exact,
    "same content words": same_words,
    "meaning alone": by_meaning_alone,
    "as served": gathered,
}


async def embedded(rows: Sequence[tuple[str, str]], embedder: MiniLmEmbedder) -> list[Asked]:
    vectors = await embedder.embed([text for text, _ in rows])
    return [Asked(MessageId(uuid7()), text, list(v)) for (text, _), v in zip(rows, vectors, strict=True)]


async def main(args: argparse.Namespace) -> None:
    embedder = MiniLmEmbedder(built_model_path())
    try:
        for name in ("banking77", "clinc150"):
            rows = read(args.data / name / ("train_5.jsonl" if args.tune else "dev.jsonl"))
            asked = await embedded(rows, embedder)
            (tune if args.tune else table)(name, asked, [intent for _, intent in rows])
    finally:
        embedder.close()


def tune(name: str, asked: Sequence[Asked], intents: Sequence[str]) -> None:
    for words in (0.0, 0.1, 0.2, 0.3):
        line = []
        for near in (0.5, 0.54, 0.58, 0.62, 0.66, 0.7):
            p, _, f1, _, _ = figures(gathered(asked, Likeness(words, near)), intents)
            line.append(f"{near:.2f}: {f1:.3f} (P {p:.2f})")
        print(f"{name} words {words:.1f}   " + "   ".join(line), flush=True)


def table(name: str, asked: Sequence[Asked], intents: Sequence[str]) -> None:
    print(f"\n{name}: {len(asked)} questions, {len(set(intents))} intents")
    print(f"{'method':22}{'P':>7}{'R':>7}{'F1':>7}{'purity':>8}{'groups':>8}")
    for method, gather in METHODS.items():
        p, r, f1, purity, groups = figures(gather(asked), intents)
        print(f"{method:22}{p:7.3f}{r:7.3f}{f1:7.3f}{purity:8.3f}{groups:8}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with banking77/ and clinc150/")
    parser.add_argument("--tune", action="store_true", help="print F1 by threshold instead of measuring")
    asyncio.run(main(parser.parse_args()))
