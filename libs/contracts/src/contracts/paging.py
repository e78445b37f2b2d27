"""Cursor paging, the same in every list."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.base import Request

PAGE_LIMIT = 200
Order = Literal["asc", "desc"]
"""Oldest first, or newest first: the cursor leads on in the same direction."""


class PageRequest(Request):
    """Which part of a list: `cursor` is the last answer's `next_cursor`, opaque to the caller."""

    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT)] = 50
    cursor: Annotated[str, Field(max_length=200)] | None = None


class Idempotency(Request):
    """A caller's Idempotency-Key and the SHA-256 (hex) of the body it came with; kept 24 h by the resource's owner."""

    key: Annotated[str, Field(min_length=1, max_length=255)]
    body_sha256: str
