"""How often a text that does not say its encoding is read rightly, by its length.

    uv run python bench/encodings.py [--data DIR]

The texts are those of the tests; with DIR, which holds `xquad`, its passages as well, which nothing was fitted to. The
baseline is charset-normalizer's best guess, in the same run. Right is: every character is the one that was written.
"""

import argparse
import importlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ingest_service.domain import national
from services.ingest.tests.national_texts import cases

LENGTHS = (20, 40, 80, 160, 1_000)
PIECES = 6
OF_CORPORA = {"de": ("cp1252",), "es": ("cp1252",), "en": ("cp1252",), "ar": ("cp1256",), "zh": ("gb18030",)}


def ours(data: bytes) -> str | None:
    found = national.guess(data)
    return found.encoding if found else None


def theirs(data: bytes) -> str | None:
    found = importlib.import_module("charset_normalizer").from_bytes(data).best()
    return found.encoding if found else None


def corpora(folder: Path) -> Iterator[tuple[str, str, str]]:
    for language, encodings in OF_CORPORA.items():
        for line in (folder / "xquad" / f"corpus_{language}.jsonl").read_text().splitlines()[:60]:
            yield from ((language, encoding, json.loads(line)["text"]) for encoding in encodings)


def pieces(text: str, encoding: str, length: int) -> Iterator[tuple[bytes, str]]:
    """Those that can be written in the encoding, and are neither ASCII nor UTF-8 by chance."""
    for start in [*range(0, max(len(text) - length, 0) + 1, length)][:PIECES]:
        piece = text[start : start + length]
        try:
            data = piece.encode(encoding)
        except UnicodeEncodeError:
            continue
        try:
            data.decode()
        except UnicodeDecodeError:
            yield data, piece


def is_right(told: str | None, data: bytes, text: str) -> bool:
    return told is not None and data.decode(told, errors="replace") == text


def row(name: str, tell: Callable[[bytes], str | None], texts: list[tuple[str, str, str]], length: int) -> str:
    begun = time.process_time()
    found = [is_right(tell(data), data, piece) for _, code, text in texts for data, piece in pieces(text, code, length)]
    took_ms = (time.process_time() - begun) / max(len(found), 1) * 1_000
    return f"{name:20} {length:5} {sum(found):5} of {len(found):5} {took_ms:7.2f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("LUMORA_DATA_SETS")
    parser.add_argument("--data", type=Path, default=default and Path(default))
    arguments = parser.parse_args()
    sets = {"own texts": cases()} | ({"xquad": [*corpora(arguments.data)]} if arguments.data else {})
    for name, texts in sets.items():
        print(f"{name}: {len(texts)} texts; characters, right, CPU of one")
        for length in LENGTHS:
            print(row("ours", ours, texts, length))
            print(row("charset-normalizer", theirs, texts, length))


if __name__ == "__main__":
    main()
