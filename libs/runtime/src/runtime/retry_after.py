"""Retry-After as other servers say it."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds_of(asked: str) -> float | None:
    """Read the header's value (RFC 9110 section 10.2.3): seconds or a date; None when it cannot be read."""
    asked = asked.strip()
    if asked.isdecimal():
        return float(asked)
    try:
        when = parsedate_to_datetime(asked)
    except (ValueError, OverflowError):  # of numbers that no date has
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
