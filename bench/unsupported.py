"""What a customer gets by an agent's policy for unsupported sentences, and how long the first sentence is held back.

    make bench b=unsupported ARGS="--data DIR"          DIR holds scifact/ and xquad/ (JSON lines)

The labelled claims are those of bench/grounding.py, and so are the verdicts: learned on four fifths of the articles and
said of the fifth. Each claim is one sentence of an answer that cites its passage; `mark` shows every sentence as it is.
Held: tokens from the first one of an answer to the one with which its first sentence is let out, counted by feeding the
true claims token by token, the citation behind the full stop and another sentence after it. Tokens are MiniLM's, which
cuts English about as models do; other languages it cuts finer, so they are left out of it.
"""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from grounding import as_served, by_folds, look
from grounding_claims import Case, all_cases
from tokenizers import Tokenizer

from inference_service.domain.support import reads
from inference_service.domain.whole_sentences import WholeSentences
from ingest_service.outbound.minilm_embedder import MiniLmEmbedder
from ingest_service.outbound.minilm_model import built_model_path, model_file

SPEEDS = (20, 50)
"""Tokens a second."""
MADE_UP = ("number changed", "negation changed")
"""Lies made by rules that resemble the check's own."""


def policies(title: str, cases: Sequence[Case], said: dict[int, bool]) -> None:
    """What becomes of the sentences of one group, as shares of the true and of the false ones."""
    true = np.array([case.is_true for case in cases])
    stands = np.array([said[id(case)] for case in cases])
    slipped, doubted = float(stands[~true].mean()), float((~stands[true]).mean())
    print(f"\n{title}: {true.sum()} true, {(~true).sum()} false")
    print(f"{'policy':8}{'false, as if true':>19}{'false, hedged':>15}{'true, hedged':>14}{'true, lost':>12}")
    for policy, row in (
        ("mark", (1.0, 0.0, 0.0, 0.0)),
        ("hedge", (slipped, 1 - slipped, doubted, 0.0)),
        ("remove", (slipped, 0.0, 0.0, doubted)),
    ):
        print(f"{policy:8}{row[0]:19.3f}{row[1]:15.3f}{row[2]:14.3f}{row[3]:12.3f}")


def held(cases: Sequence[Case]) -> Iterator[int]:
    """Tokens after the first one, up to the one with which each sentence is let out."""
    tokenizer: Tokenizer = Tokenizer.from_file(str(model_file("tokenizer.json")))
    tokenizer.no_truncation()
    for case in cases:
        text = f"{case.claim.rstrip('. ')}. [1] It is so."
        starts = [start for start, end in tokenizer.encode(text, add_special_tokens=False).offsets if end > start]
        reader = WholeSentences()
        for count, (start, end) in enumerate(zip(starts, [*starts[1:], len(text)], strict=True)):
            if list(reader.feed(text[start:end])):
                yield count
                break


async def main(data: Path) -> None:
    cases = all_cases(data)
    embedder = MiniLmEmbedder(built_model_path())
    try:
        await look(cases, embedder)
    finally:
        embedder.close()
    counted = [case for case in cases if case.kind != "quotation"]
    said = by_folds(counted, as_served)
    policies("English", [case for case in counted if reads(case.language)], said)
    policies("de es zh ar", [case for case in counted if not reads(case.language)], said)
    policies("scientific claims", [case for case in counted if case.kind.startswith("scifact")], said)
    hard = [case for case in counted if reads(case.language) and case.kind not in MADE_UP]
    policies("English without changed numbers and denials", hard, said)
    waits = np.array(list(held([case for case in cases if reads(case.language) and case.is_true])))
    print(f"\nfirst sentence held, of {len(waits)} English ones")
    for name, tokens in (("median", np.median(waits)), ("p95", np.percentile(waits, 95))):
        times = ", ".join(f"{tokens / speed:.1f} s at {speed} tokens a second" for speed in SPEEDS)
        print(f"{name:8}{tokens:5.0f} tokens: {times}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with scifact/ and xquad/")
    asyncio.run(main(parser.parse_args().data))
