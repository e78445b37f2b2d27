"""Does a passage with its neighbours put the answer before the model more often than further passages do?

    uv run --no-sync python bench/context.py DIR      with xquad/ in DIR

Each article of XQuAD's development set is one document, its paragraphs following each other under its title. It is cut
into passages of so many tokens, and questions are searched as they are served. Both columns read at most `budget`
tokens in order of rank: `small` takes passages alone, `wide N` each with its neighbours up to N tokens, and none
twice. The figure is the share of questions whose answer, as a string, is in what is read.
"""

import asyncio
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from retrieval_sets import rows

from contracts.ids import DocumentId, PassageId, TenantId, uuid7
from ingest_service.domain import language, terms
from ingest_service.domain.chunk import chunk
from ingest_service.domain.cut_settings import CutSettings
from ingest_service.domain.passage_index import IndexedPassage, passage_id
from ingest_service.domain.search import search
from ingest_service.domain.sniff import read
from ingest_service.outbound.edge_index import EdgeIndex
from ingest_service.outbound.minilm_embedder import MiniLmEmbedder
from ingest_service.outbound.minilm_model import built_model_path
from ingest_service.outbound.minilm_tokenizer import MiniLmTokenizer
from runtime.tenancy import TenantScope

LANGUAGES: Final = ("en", "de", "es")
CUTS: Final = (64, 110, 220)
BUDGETS: Final = (220, 440, 880, 1_320)
WIDTHS: Final = (200, 400, 600)


@dataclass(frozen=True)
class Piece:
    """A passage of an article, by the article's number and its own."""

    article: int
    n: int
    text: str
    tokens: int


@dataclass(frozen=True)
class Article:
    text: str
    pieces: list[Piece]


class Library:
    """One language's articles, cut and indexed."""

    def __init__(self, embedder: MiniLmEmbedder, index: EdgeIndex, counter: MiniLmTokenizer) -> None:
        self._embedder = embedder
        self._index = index
        self._counter = counter
        self._scope = TenantScope(TenantId(uuid7()), "service:bench")
        self.articles: list[Article] = []
        self._by_id: dict[PassageId, Piece] = {}

    async def add(self, title: str, paragraphs: Iterable[str], settings: CutSettings) -> None:
        text = f"# {title}\n\n" + "\n\n".join(paragraphs)
        passages = chunk(read(text.encode()), self._counter, settings)
        vectors = await self._embedder.embed([passage.full_text for passage in passages])
        sizes = self._counter.count_tokens([passage.body for passage in passages])
        document_id = DocumentId(uuid5(NAMESPACE_OID, title))
        number, points, pieces = len(self.articles), [], []
        for passage, vector, size in zip(passages, vectors, sizes, strict=True):
            key = passage_id(document_id, 1, passage.n)
            words = terms.passage_vector(passage.full_text)
            points.append(IndexedPassage(key, document_id, 1, language.detect(passage.body), vector, words))
            pieces.append(Piece(number, passage.n, passage.body, size))
            self._by_id[key] = pieces[-1]
        await self._index.upsert(self._scope, points)
        await self._index.show(self._scope, document_id, 1)
        self.articles.append(Article(text, pieces))

    async def found(self, question: str) -> list[Piece]:
        hits = await search(question, self._scope, embedder=self._embedder, index=self._index)
        return [self._by_id[hit.id] for hit in hits]

    def read(self, found: Sequence[Piece], budget: int, width: int) -> str:
        """What fits: each passage once, with its neighbours up to `width` tokens; the text in order of the articles."""
        taken: set[tuple[int, int]] = set()
        left = budget
        for piece in found:
            for one in self._around(piece, width):
                key = one.article, one.n
                if key not in taken and one.tokens <= left:
                    taken.add(key)
                    left -= one.tokens
        return " ".join(self.articles[article].pieces[n].text for article, n in sorted(taken))

    def _around(self, piece: Piece, width: int) -> list[Piece]:
        """The passage first, then the nearest ones before and after it."""
        pieces = self.articles[piece.article].pieces
        around, size = [piece], piece.tokens
        for distance in range(1, len(pieces)):
            for n in (piece.n + distance, piece.n - distance):
                if 0 <= n < len(pieces):
                    size += pieces[n].tokens
                    if size > width:
                        return around
                    around.append(pieces[n])
        return around


async def main(data: Path) -> None:
    counter = MiniLmTokenizer()
    embedder = MiniLmEmbedder(built_model_path())
    print("lang  cut budget    small" + "".join(f"{'wide ' + str(width):>10}" for width in WIDTHS))
    for code in LANGUAGES:
        paragraphs = defaultdict(list)
        for row in rows(data / "xquad" / f"corpus_{code}.jsonl"):
            paragraphs[str(row["title"])].append(str(row["text"]))
        asked = [(str(row["question"]), row["answers"]) for row in rows(data / "xquad" / f"questions_{code}.jsonl")]
        for cut in CUTS:
            with tempfile.TemporaryDirectory() as folder:
                library = Library(embedder, EdgeIndex.open(Path(folder) / "index", embedder.dimension), counter)
                for title, texts in paragraphs.items():
                    await library.add(title.replace("_", " "), texts, CutSettings(cut, 0.167))
                ranked = [(await library.found(question), answers) for question, answers in asked]
            for budget in BUDGETS:
                shares = [_share(library, ranked, budget, width) for width in (0, *WIDTHS)]
                print(
                    f"{code:4}{cut:5}{budget:7}" + f"{shares[0]:9.3f}" + "".join(f"{one:10.3f}" for one in shares[1:])
                )


def _share(library: Library, ranked: Sequence[tuple[list[Piece], object]], budget: int, width: int) -> float:
    held = 0
    for found, answers in ranked:
        assert isinstance(answers, list)
        text = library.read(found, budget, width)
        held += any(answer in text for answer in answers)
    return held / len(ranked)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
