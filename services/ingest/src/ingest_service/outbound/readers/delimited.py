"""Tables in text form: comma, semicolon, tab or bar between the cells."""

import csv
from typing import Final

from ingest_service.domain import media_types
from ingest_service.domain.encoding import decode
from ingest_service.domain.manuscript import Composer, Manuscript
from ingest_service.domain.text_kinds import SETTING, delimiter_of
from ingest_service.outbound.readers.grid import compose_grid
from ingest_service.outbound.readers.ports import Say

LONGEST_CELL: Final = 1_048_576
"""Characters; the csv module refuses longer ones."""


def read(data: bytes, say: Say) -> Manuscript:
    text = SETTING.sub("", decode(data).replace("\x00", ""))
    mark = delimiter_of(text) or ","
    csv.field_size_limit(LONGEST_CELL)
    composer = Composer()
    compose_grid(composer, csv.reader(text.splitlines(keepends=True), delimiter=mark))
    say(1, 1)
    return composer.manuscript(media_types.TSV if mark == "\t" else media_types.CSV)
