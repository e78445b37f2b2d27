"""Amounts that stand in a passage, but of another thing: the price of the large tent, told of the small one.

Claims about passages of two or three items were written for the bench (`bench/grounding/amounts.json`: sentences,
lists, a table, in five languages): true ones with their own amounts, false ones with those of a neighbour.
"""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from grounding_claims import Case

from contracts.ingest import PassageHit
from inference_service.domain.extract import Embedder
from inference_service.domain.grounding import Checking

AMOUNTS = Path(__file__).parent / "grounding" / "amounts.json"


async def amounts_table(embedder: Embedder, hit_of: Callable[[Case], PassageHit]) -> None:
    """Print how many of the true and of the false claims stand, by language."""
    asked: Counter[tuple[str, bool]] = Counter()
    stand: Counter[tuple[str, bool]] = Counter()
    for row in json.loads(AMOUNTS.read_text(encoding="utf-8")):
        for is_true in (True, False):
            for claim in row["true" if is_true else "false"]:
                case = Case("amounts", row["language"], claim, row["passage"], is_true, fold=0)
                checked = await Checking([hit_of(case)], embedder).answer(f"{claim} [1]")
                asked[case.language, is_true] += 1
                stand[case.language, is_true] += checked.supports[0].is_supported
    print("\namounts of a neighbour, claims that stand")
    for language in dict.fromkeys(language for language, _ in asked):
        true, false = (f"{stand[language, kind]} of {asked[language, kind]}" for kind in (True, False))
        print(f"{language}   true: {true:10}   false: {false}")
