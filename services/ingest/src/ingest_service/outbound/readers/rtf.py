"""Rich Text by striprtf: its text and tables, with the structure that its layout shows."""

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final

from striprtf import striprtf

from ingest_service.domain import media_types
from ingest_service.domain.manuscript import Composer, Manuscript
from ingest_service.domain.plain_text import plain_text_blocks
from ingest_service.outbound.readers.grid import has_header
from ingest_service.outbound.readers.ports import Say

_PART: Final = re.compile(
    r"(?P<group>[{}])|\\(?P<word>[a-z]+)(?P<value>-?\d+)? ?|\\'[0-9a-f]{2}|\\[^a-z]|[^\\{}]+", re.IGNORECASE
)
_HIDES: Final = frozenset({"v", "deleted"})
"""What sets text as hidden, or as deleted while changes are tracked; striprtf gives both like other text."""
_SIGNS: Final = frozenset(
    {"u", "tab", "line", "emdash", "endash", "bullet", "lquote", "rquote", "ldblquote", "rdblquote"}
)


def read(data: bytes, say: Say) -> Manuscript:
    # RTF is ASCII; other characters are escaped by the code page that the file names
    without_pictures: Callable[[str], str] = striprtf.remove_pict_groups
    convert: Callable[..., str] = striprtf.rtf_to_text
    written = "".join(_seen(without_pictures(data.decode("latin-1"))))
    text = convert(written, encoding="cp1252", errors="replace")
    # a character beyond the BMP is written as its two halves
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    composer = Composer()
    # a line of the result is a paragraph of the document; the cells of a table's row end with bars
    for is_row, some in groupby((line for line in text.splitlines() if line.strip()), key=_is_row):
        if is_row:
            rows = [line.rstrip().removesuffix("|").split("|") for line in some]
            composer.table(rows, has_header=has_header(rows))
        else:
            composer.text("\n\n".join(some), plain_text_blocks)
    say(1, 1)
    return composer.manuscript(media_types.RTF)


def _seen(text: str) -> Iterator[str]:
    """All but the letters that are hidden: what hides them holds to the end of its group, or until it is taken back."""
    hidden: frozenset[str] = frozenset()
    around: list[frozenset[str]] = []
    for part in _PART.finditer(text):
        word = part["word"]
        if part["group"] == "{":
            around.append(hidden)
        elif part["group"]:
            hidden = around.pop() if around else hidden
        elif word in _HIDES:
            hidden = hidden - {word} if part["value"] == "0" else hidden | {word}
        elif word == "plain":
            hidden = frozenset()
        elif hidden and (not word or word in _SIGNS):
            continue
        yield part.group()


def _is_row(line: str) -> bool:
    return line.rstrip().endswith("|") and line.count("|") > 1
