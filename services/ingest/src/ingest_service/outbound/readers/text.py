"""Plain text and Markdown: their own text, no character changed."""

from ingest_service.domain import sniff
from ingest_service.domain.errors import DocumentTooLong
from ingest_service.domain.manuscript import MOST_CHARACTERS, Manuscript
from ingest_service.outbound.readers.ports import Say


def read(data: bytes, say: Say) -> Manuscript:
    manuscript = sniff.read(data)
    if len(manuscript.text) > MOST_CHARACTERS:
        raise DocumentTooLong(f"The document has more than {MOST_CHARACTERS:,} characters. Send it in parts.")
    say(1, 1)
    return manuscript
