"""A document and the states it goes through.

received -> parsing -> chunking -> embedding -> ready
    any of these, but ready -> failed      it cannot be read, and trying again would not help
    ready, failed -> received              asked to be read again, as the next generation
    any -> deleting -> (gone)
"""

import enum
from dataclasses import dataclass
from datetime import datetime

from contracts.ids import DocumentId


class State(enum.StrEnum):
    """Where a document is."""

    RECEIVED = "received"
    PARSING = "parsing"
    CHUNKING = "chunking"
    EMBEDDING = "embedding"
    READY = "ready"
    FAILED = "failed"
    DELETING = "deleting"

    @property
    def is_at_rest(self) -> bool:
        """Nothing is to be done until somebody asks for it."""
        return self in {State.READY, State.FAILED}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a document could not be used, in words for its owner; `page` counts from 1."""

    code: str
    detail: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a business. `generation` rises whenever what was started for it must not count any more."""

    id: DocumentId
    title: str
    filename: str
    media_type: str
    size_bytes: int
    sha256: str
    state: State
    progress: float
    pages: int
    passages: int
    language: str | None
    failure: Failure | None
    generation: int
    created_at: datetime
    updated_at: datetime
