"""Rich Text by striprtf: its text and tables, with the structure that its layout shows."""

import re
from collections.abc import Callable
from itertools import groupby
from typing import Final

from striprtf import striprtf

from ingest_service.domain import media_types
from ingest_service.domain.manuscript import Composer, Manuscript
from ingest_service.domain.plain_text import plain_text_blocks
from ingest_service.outbound.readers.grid import has_header
from ingest_service.outbound.readers.ports import Say

_HIDDEN: Final = re.compile(r"\{(?:\\[a-z]+-?\d* ?)*?\\(?:v|deleted)(?![a-z0-9])[^{}]*\}")
"""What is set as hidden, or was deleted while changes are tracked; striprtf gives it like other text."""


def read(data: bytes, say: Say) -> Manuscript:
    # RTF is ASCII; other characters are escaped by the code page that the file names
    convert: Callable[..., str] = striprtf.rtf_to_text
    text = convert(_HIDDEN.sub("", data.decode("latin-1")), encoding="cp1252", errors="replace")
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


def _is_row(line: str) -> bool:
    return line.rstrip().endswith("|") and line.count("|") > 1
