"""What carrying words over from the question before brings the search, in small conversations.

    make bench b=follow_ups            24 in English on the demo shop, 11 in German and Spanish on bench/extractive,
                                       16 and 6 `later` ones: a third question, or one behind a courtesy

`asked`: the follow-up as it was typed. `joined`: always behind what was said before. `standalone`: as it is served.
`written out`: by a person, the most that can be had. A passage is right when it holds the words of the answer.
"""

import asyncio
import json
import statistics
import tempfile
from pathlib import Path

from retrieval import Bench, own_scope

from inference_service.domain.standalone_question import standalone_question
from ingest_service.outbound.edge_index import EdgeIndex
from ingest_service.outbound.minilm_embedder import MiniLmEmbedder
from ingest_service.outbound.minilm_model import built_model_path
from ingest_service.outbound.minilm_tokenizer import MiniLmTokenizer

HERE = Path(__file__).parent
CORPORA = {"demo": HERE.parent / "cli/src/lumora/demo", "extractive": HERE / "extractive/documents"}
SHOWN = 6


def ways(before: str | list[str], asked: str, whole: str) -> dict[str, str]:
    earlier = [before] if isinstance(before, str) else before
    return {
        "asked": asked,
        "joined": f"{earlier[-1]} {asked}",
        "standalone": standalone_question(asked, earlier),
        "written out": whole,
    }


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(MiniLmEmbedder(built_model_path()), MiniLmTokenizer(), EdgeIndex.open(Path(folder) / "index"))
        print(f"{'':18}{'':14}{'first':>8}{'of 6':>8}{'MRR':>8}")
        for name, rows in json.loads((HERE / "follow_ups.json").read_text(encoding="utf-8")).items():
            scope = own_scope()
            paths = sorted(path for path in CORPORA[name.split()[0]].iterdir() if path.suffix in {".md", ".txt"})
            documents = {path.stem: path.read_text(encoding="utf-8") for path in paths}
            held = await bench.fill(scope, documents)
            places: dict[str, list[int]] = {}
            for before, asked, answer, whole in rows:
                for way, query in ways(before, asked, whole).items():
                    found = await bench.ask(query, scope)
                    right = [n for n, one in enumerate(found, 1) if answer in held[one.id].text]
                    places.setdefault(way, []).append(right[0] if right else 0)
            for way, found_at in places.items():
                figures = (
                    statistics.fmean(place == 1 for place in found_at),
                    statistics.fmean(1 <= place <= SHOWN for place in found_at),
                    statistics.fmean(1 / place if place else 0.0 for place in found_at),
                )
                print(f"{name:18}{way:14}" + "".join(f"{figure:8.3f}" for figure in figures))
        await bench.index.close()
        bench.embedder.close()


if __name__ == "__main__":
    asyncio.run(main())
