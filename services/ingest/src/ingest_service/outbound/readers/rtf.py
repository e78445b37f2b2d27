"""Rich Text by striprtf: its text, with the structure that its layout shows."""

from collections.abc import Callable

from striprtf import striprtf

from ingest_service.domain import media_types
from ingest_service.domain.manuscript import Composer, Manuscript
from ingest_service.domain.plain_text import plain_text_blocks
from ingest_service.outbound.readers.ports import Say


def read(data: bytes, say: Say) -> Manuscript:
    # RTF is ASCII; other characters are escaped by the code page that the file names
    convert: Callable[..., str] = striprtf.rtf_to_text
    text = convert(data.decode("latin-1"), encoding="cp1252", errors="replace")
    composer = Composer()
    # a line of the result is a paragraph of the document
    composer.text("\n\n".join(line for line in text.splitlines() if line.strip()), plain_text_blocks)
    say(1, 1)
    return composer.manuscript(media_types.RTF)
