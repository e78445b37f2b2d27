"""What becomes of real documents: every file of a folder through the readers that serve, a process each.

    uv run python bench/documents.py --data DIR [--unstructured PYTHON]

DIR holds folders with `files/`, and where an outside reading is known `index.jsonl` and `expected/` (Markdown). Token
recall is the share of the expected words that the text holds, counted as often as they stand there. Baselines in the
same run: pdfium's bare text for PDF, and with `--unstructured` (an interpreter that has it) its partitions of the rest.
Seconds are CPU time, seconds and MiB those of the document's own process, imports and tokenizer included. Pages that
are pictures are read by OCR where tesseract is installed, by one thread as in the cage.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORDS = re.compile(r"\w+")
MARKUP = re.compile(r"<!--.*?-->|!\[[^\]]*\]\([^)]*\)|\]\([^)]*\)|<[^>]+>", re.DOTALL)
KINDS = ("heading", "paragraph", "list", "table", "code")
LONGEST_S = 120
HEAD = "  page head para list tabl code pass   chars   cpu  MiB recall | baseline: recall cpu MiB head tabl"

OURS = """
import json, sys
from collections import Counter
from ingest_service.domain.chunk import chunk
from ingest_service.domain.errors import DocumentRefused
from ingest_service.outbound.minilm_tokenizer import MiniLmTokenizer
from ingest_service.outbound import tessdata
from ingest_service.outbound.readers import read
from ingest_service.outbound.readers.ports import Ocr
ocr = Ocr(tessdata.chosen((), tessdata.installed(tessdata.folder())), cpu_s=300, wall_s=900)
counter = MiniLmTokenizer()
try:
    found = read(open(sys.argv[1], "rb").read(), lambda *_: None, ocr)
    said = {"kind": found.media_type, "text": found.text, "pages": len(found.pages), "notes": len(found.notes),
            "blocks": Counter(block.kind.value for block in found.blocks), "passages": len(chunk(found, counter))}
except DocumentRefused as refused:
    said = {"refused": refused.code, "why": refused.detail}
print(json.dumps(said))
"""
PDFIUM = """
import json, sys
import pypdfium2
with pypdfium2.PdfDocument(sys.argv[1]) as document:
    print(json.dumps({"text": "\\n".join(page.get_textpage().get_text_range() for page in document)}))
"""
UNSTRUCTURED = """
import importlib, json, sys
import spacy
import unstructured.nlp.tokenize as tokenize
nlp = spacy.blank("en")
nlp.add_pipe("sentencizer")
tokenize._get_nlp = lambda *a, **k: nlp
partition = getattr(importlib.import_module("unstructured.partition." + sys.argv[2]), "partition_" + sys.argv[2])
elements = partition(sys.argv[1])
blocks = {"heading": sum(type(each).__name__ == "Title" for each in elements),
          "table": sum(type(each).__name__ == "Table" for each in elements)}
print(json.dumps({"text": "\\n".join(each.text for each in elements), "blocks": blocks}))
"""
PARTITIONS = {
    "docx": "docx",
    "pptx": "pptx",
    "xlsx": "xlsx",
    "xlsm": "xlsx",
    "html": "html",
    "csv": "csv",
    "odt": "odt",
}
QUIET = {
    "OMP_THREAD_LIMIT": "1",
    "DO_NOT_TRACK": "true",
    "SCARF_NO_ANALYTICS": "true",
    "UNSTRUCTURED_DISABLE_NOTICE": "1",
}


@dataclass(frozen=True)
class Outcome:
    """What a process said, and what it took."""

    said: dict[str, Any]
    seconds: float
    mib: int

    def recall(self, expected: str | None) -> float | None:
        if expected is None or "text" not in self.said:
            return None
        wanted, held = words(MARKUP.sub(" ", expected)), words(self.said["text"])
        return (wanted & held).total() / max(wanted.total(), 1)


def words(text: str) -> Counter[str]:
    return Counter(WORDS.findall(text.lower()))


def run(python: str, program: str, *arguments: str) -> Outcome:
    command = [python, "-c", program, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **QUIET})
    assert process.stdout is not None
    watch = threading.Timer(LONGEST_S, process.kill)
    watch.start()
    with process.stdout as stdout:
        output = stdout.read()
    watch.cancel()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    said = json.loads(output) if process.returncode == 0 else {"crashed": process.returncode}
    return Outcome(said, usage.ru_utime + usage.ru_stime, usage.ru_maxrss >> 10)


def expectations(folder: Path) -> dict[str, str]:
    index = folder / "index.jsonl"
    lines = index.read_text().splitlines() if index.is_file() else []
    rows = [json.loads(line) for line in lines]
    return {Path(row["file"]).name: (folder / row["expected"]).read_text() for row in rows}


def baseline(path: Path, unstructured: str | None) -> Outcome | None:
    ending = path.suffix.removeprefix(".")
    if ending == "pdf":
        return run(sys.executable, PDFIUM, str(path))
    if unstructured and ending in PARTITIONS:
        return run(unstructured, UNSTRUCTURED, str(path), PARTITIONS[ending])
    return None


def cells(ours: Outcome, theirs: Outcome | None, expected: str | None) -> Iterator[str]:
    said = ours.said
    ending = "ready" if "text" in said else said.get("refused", "CRASHED")
    yield f"{said.get('kind', '-').rpartition('/')[2][-22:]:22} {ending:20}"
    blocks = said.get("blocks", {})
    yield f"{said.get('pages', 0):5}" + "".join(f"{blocks.get(kind, 0):5}" for kind in KINDS)
    yield f"{said.get('passages', 0):5}{len(said.get('text', '')):8}{ours.seconds:6.1f}{ours.mib:5}"
    recall = ours.recall(expected)
    yield f"{'-' if recall is None else f'{recall:.3f}':>7}"
    if theirs is not None:
        other = theirs.recall(expected)
        made = theirs.said.get("blocks", {})
        yield f" | {'-' if other is None else f'{other:.3f}':>6}{theirs.seconds:6.1f}{theirs.mib:5}"
        yield f"{made.get('heading', 0):5}{made.get('table', 0):5}"


def by_kind(outcomes: dict[str, list[Outcome]]) -> None:
    """Print what became of the files of each ending, as a table of Markdown."""
    print("\n| ending | files | ready | elements | of them tables | passages | CPU s at most | MiB at most |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for ending, some in sorted(outcomes.items()):
        ready = [each.said for each in some if "text" in each.said]
        blocks = Counter[str]()
        for said in ready:
            blocks.update(said["blocks"])
        passages = sum(said["passages"] for said in ready)
        most = max(each.seconds for each in some), max(each.mib for each in some)
        elements = f"{blocks.total()} | {blocks['table']} | {passages}"
        print(f"| .{ending} | {len(some)} | {len(ready)} | {elements} | {most[0]:.1f} | {most[1]} |")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("LUMORA_DATA_SETS")
    parser.add_argument("--data", type=Path, default=default and Path(default), required=default is None)
    parser.add_argument("--unstructured", metavar="PYTHON")
    arguments = parser.parse_args()
    print(f"{'file':34}{'kind':23}{'outcome':20}{HEAD}")
    totals: Counter[str] = Counter()
    recalls: list[tuple[float, float]] = []
    of_kinds: dict[str, list[Outcome]] = {}
    for files in sorted(arguments.data.glob("*/files")):
        expected = expectations(files.parent)
        for path in sorted(files.iterdir()):
            wanted = expected.get(path.name)
            ours, theirs = run(sys.executable, OURS, str(path)), baseline(path, arguments.unstructured)
            print(f"{path.name[-33:]:34}" + " ".join(cells(ours, theirs, wanted)))
            of_kinds.setdefault(path.suffix.removeprefix("."), []).append(ours)
            totals["ready" if "text" in ours.said else ours.said.get("refused", "CRASHED")] += 1
            pair = ours.recall(wanted), theirs.recall(wanted) if theirs else None
            if pair[0] is not None and pair[1] is not None:
                recalls.append((pair[0], pair[1]))
    by_kind(of_kinds)
    print(", ".join(f"{ending} {count}" for ending, count in totals.most_common()))
    if recalls:
        means = [sum(column) / len(recalls) for column in zip(*recalls, strict=True)]
        print(f"mean token recall where both read ({len(recalls)} files): {means[0]:.3f}, baseline {means[1]:.3f}")


if __name__ == "__main__":
    main()
