"""Readers of documents: one module a format, imported when the first such document comes."""

from collections.abc import Callable

from ingest_service.domain import sniff
from ingest_service.domain.manuscript import Manuscript

Say = Callable[[int, int], None]
"""Called with how many pages, slides or sheets are done, and of how many."""


def read(data: bytes, say: Say) -> Manuscript:
    """Read a document of any kind, told from its bytes; pure, and slow for a long one.

    Raises:
        DocumentRefused: It can never be read as it is; which and why, its code and words say.
    """
    manuscript = sniff.read(data)
    say(1, 1)
    return manuscript
