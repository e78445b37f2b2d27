"""What an HTTP status from 400 up of an embedding model's server means."""

from collections.abc import Mapping
from typing import Final

from ingest_service.domain.embedding import EmbedderAway
from runtime.errors import LumoraError, Rejected
from runtime.retry_after import seconds_of

_REFUSED_TEXTS: Final = frozenset({400, 413, 422})
_CLOSED_DOOR: Final = frozenset({401, 403})
_UNKNOWN_MODEL: Final = 404


def refused(status: int, headers: Mapping[str, str] | None = None) -> LumoraError:
    """The error to raise. The server's own sentence is left out: it may quote the texts, or the key.

    Wrong keys and unknown models are an operator's to mend: documents wait for that, as for a server that is away.
    """
    if status in _REFUSED_TEXTS:
        return Rejected(f"the embedding model's server refuses these texts ({status})")
    if status in _CLOSED_DOOR:
        return EmbedderAway("the embedding model's server does not accept the key")
    if status == _UNKNOWN_MODEL:
        return EmbedderAway("the embedding model's server does not have this model")
    wait_s = seconds_of((headers or {}).get("retry-after", ""))
    return EmbedderAway(f"the embedding model's server fails ({status})", retry_after_s=wait_s)
