"""What an HTTP answer from 400 up means to whoever asked a provider."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import orjson

from inference_service.domain.errors import (
    ModelBroken,
    ModelFailed,
    ModelLate,
    ModelOverloaded,
    ModelRejected,
    ModelStalled,
)
from runtime.retry_after import seconds_of

_OVERLOADED: Final = frozenset({429, 503, 529})
_TIMED_OUT: Final = 408
_CLOSED_DOOR: Final = frozenset({401, 403})
"""Their sentences may quote the key that was refused, so nobody gets to read them."""


def refused(status: int, body: object, headers: Mapping[str, str]) -> ModelFailed:
    """Return the failure that a status from 400 up stands for.

    Args:
        status: the HTTP status.
        body: the answer as bytes, or already read as JSON.
        headers: of the answer; their names are compared as the mapping does it.
    """
    if status in _CLOSED_DOOR:
        return ModelRejected(f"{status}: the provider did not accept the key")
    sentence = f"{status}: {_words(body)}"
    if status in _OVERLOADED:
        return ModelOverloaded(sentence, retry_after_s=_retry_after(headers))
    if 400 <= status < 500 and status != _TIMED_OUT:  # noqa: PLR2004 - HTTP's own borders
        return ModelRejected(sentence)
    return ModelBroken(sentence, retry_after_s=_retry_after(headers))


def silent(deadline: float) -> ModelStalled:
    """Return why nothing came: the loop time `deadline` has passed, or the provider stalls."""
    if asyncio.get_running_loop().time() >= deadline:
        return ModelLate("the deadline passed before the answer was whole")
    return ModelStalled("the model said nothing for too long")


def told(error: object) -> str:
    """Return the words of an error as providers send them: a text, or an object with a message; 200 characters."""
    if isinstance(error, dict):
        known: dict[str, Any] = error
        error = known.get("message") or known.get("type") or "no reason given"
    return str(error)[:200]


def _words(body: object) -> str:
    if isinstance(body, bytes):
        try:
            body = orjson.loads(body)
        except orjson.JSONDecodeError:
            return "the answer is not JSON"
    if isinstance(body, dict):
        return told(body.get("error") or body)
    return told(body or "no reason given")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read `retry-after-ms` or Retry-After; None when not understood."""
    in_ms = headers.get("retry-after-ms", "")
    if in_ms.strip().isdecimal():
        return float(in_ms) / 1000
    return seconds_of(headers.get("Retry-After", ""))
