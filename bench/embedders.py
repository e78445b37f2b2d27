"""What the embedder costs above the bare model: passages a second, and the latency of a question.

    make bench b=embedders          or: uv run python bench/embedders.py --rounds 5

The texts are this repository's own documentation, cut into passages as ingest does. The rows are measured in turn in
every round, so that a busy moment meets all of them; the best round counts for passages, all of them for questions.
CPU is that of this process, which a busy machine moves least. `bare` is the embedder's own onnxruntime session with
token ids that are ready: the model, and nothing else. `served` has no model at all: it is what ServedEmbedder and the
official Ollama client cost, with a simulated server in this process, whose own work is in it.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest_service.domain.chunk import chunk
from ingest_service.domain.embedding import chosen
from ingest_service.domain.index_document import A_BATCH
from ingest_service.domain.remembered_queries import RememberedQueries
from ingest_service.domain.served_embedder import ServedEmbedder
from ingest_service.outbound import readers
from ingest_service.outbound.minilm_embedder import MOST_TOKENS, MiniLmEmbedder
from ingest_service.outbound.minilm_model import built_model_path
from ingest_service.outbound.minilm_tokenizer import MiniLmTokenizer
from ingest_service.outbound.ollama_embedder import OllamaVectors
from ingest_service.outbound.prometheus_embedder import PrometheusEmbedder
from runtime.clock import SystemClock
from runtime.testing.ollama_server import SimulatedOllama

ROOT = Path(__file__).parent.parent
QUESTIONS = 200
Call = Callable[[], Awaitable[object]]


def passages(counter: MiniLmTokenizer) -> list[str]:
    """Full texts of the documentation's passages."""
    pages = sorted(ROOT.glob("docs/*.md"))
    manuscripts = (readers.read(page.read_bytes(), lambda _done, _of: None) for page in pages)
    return [passage.full_text for manuscript in manuscripts for passage in chunk(manuscript, counter)]


class Bare:
    """The session of the embedder itself, without what is around it."""

    def __init__(self, embedder: MiniLmEmbedder, texts: Sequence[str], questions: Sequence[str]) -> None:
        self._session = embedder._session  # noqa: SLF001 - the very session that is compared
        tokenizer = MiniLmTokenizer()
        self._texts = [self._input(ids) for ids in tokenizer.ids(texts, MOST_TOKENS)]
        self._questions = [self._input(ids) for ids in tokenizer.ids(questions, MOST_TOKENS)]

    async def passages(self) -> None:
        for text in self._texts:
            self._session.run(None, text)

    def question(self, n: int) -> Call:
        async def ask() -> None:
            self._session.run(None, self._questions[n])

        return ask

    @staticmethod
    def _input(ids: Sequence[int]) -> dict[str, NDArray[np.int64]]:
        return {"ids": np.array(ids, np.int64)}


async def seconds(call: Call) -> tuple[float, float]:
    """By the clock, and of this process's CPU."""
    begin, busy = time.perf_counter(), time.process_time()
    await call()
    return time.perf_counter() - begin, time.process_time() - busy


async def in_parts(embedder: RememberedQueries | ServedEmbedder, texts: Sequence[str], size: int) -> None:
    for start in range(0, len(texts), size):
        await embedder.embed(texts[start : start + size])


def show(name: str, count: int, best: tuple[float, float], latencies: Sequence[tuple[float, float]]) -> None:
    p50, p99 = (f"{np.percentile([wall for wall, _ in latencies], share) * 1e3:9.2f}" for share in (50, 99))
    cpu_ms = sum(cpu for _, cpu in latencies) / len(latencies) * 1e3
    print(f"{name:32}{count / best[0]:12.1f}{best[1] / count * 1e3:12.2f}{p50}{p99}{cpu_ms:9.2f}")


async def run(rounds: int, server: SimulatedOllama) -> None:
    counter, minilm = MiniLmTokenizer(), MiniLmEmbedder(built_model_path())
    texts = passages(counter)
    questions = [f"How does {text.split()[0]} work in case {n}?" for n, text in enumerate((texts * 99)[:QUESTIONS])]
    bare = Bare(minilm, texts, questions)
    source = OllamaVectors(server.url, "simulated-embed-n384")
    traits = chosen("ollama/simulated-embed-n384", dimension=384)
    served = ServedEmbedder(source, traits, counter=counter, watch=PrometheusEmbedder(), clock=SystemClock())
    remembering = RememberedQueries(minilm)
    await asyncio.gather(*(remembering.embed_query(question) for question in questions))
    rows: dict[str, tuple[Call, Callable[[int], Call]]] = {
        "bare onnxruntime": (bare.passages, bare.question),
        f"through the port, {A_BATCH} at a time": (
            lambda: in_parts(RememberedQueries(minilm), texts, A_BATCH),
            lambda n: lambda: RememberedQueries(minilm).embed_query(questions[n]),
        ),
        "through the port, all at once": (
            lambda: in_parts(RememberedQueries(minilm), texts, len(texts)),
            lambda n: lambda: remembering.embed_query(questions[n]),
        ),
        "served (simulated, no model)": (
            lambda: in_parts(served, texts, A_BATCH),
            lambda n: lambda: served.embed_query(questions[n]),
        ),
    }
    best = dict.fromkeys(rows, (float("inf"), float("inf")))
    latencies: dict[str, list[tuple[float, float]]] = {name: [] for name in rows}
    for _ in range(rounds):
        for name, (all_passages, question) in rows.items():
            best[name] = min(best[name], await seconds(all_passages), key=lambda pair: pair[1])
            latencies[name] += [await seconds(question(n)) for n in range(QUESTIONS)]
    tokens = sum(counter.count_tokens(texts)) / len(texts)
    print(
        f"{len(texts)} passages of {tokens:.0f} tokens on average, {QUESTIONS} questions, {rounds} rounds; one thread"
    )
    print(f"{'':32}{'passages':^24}{'a question':^27}")
    print(f"{'':32}{'a second':>12}{'CPU ms each':>12}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}")
    for name in rows:
        show(name, len(texts), best[name], latencies[name])
    print("The questions of `all at once` are remembered ones.")
    await source.close()
    minilm.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    async with SimulatedOllama() as server:
        await run(parser.parse_args().rounds, server)


if __name__ == "__main__":
    asyncio.run(main())
