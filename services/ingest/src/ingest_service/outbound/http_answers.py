"""What an HTTP status from 400 up of an embedding model's server means."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from ingest_service.domain.embedding import EmbedderAway
from runtime.errors import LumoraError, Rejected

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
    wait_s = retry_after_s(headers or {})
    return EmbedderAway(f"the embedding model's server fails ({status})", retry_after_s=wait_s)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After (RFC 9110 section 10.2.3): seconds or a date; None when there is none that can be read."""
    asked = headers.get("retry-after", "").strip()
    if asked.isdecimal():
        return float(asked)
    try:
        when = parsedate_to_datetime(asked)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
