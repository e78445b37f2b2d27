from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from runtime.retry_after import seconds_of


@pytest.mark.parametrize(("said", "seconds"), [("0", 0.0), (" 7 ", 7.0), ("120", 120.0)])
def test_seconds_are_read(said: str, seconds: float) -> None:
    assert seconds_of(said) == seconds


def test_a_date_is_read_as_the_time_until_then() -> None:
    later = datetime.now(UTC) + timedelta(seconds=90)
    assert 80 < (seconds_of(format_datetime(later, usegmt=True)) or 0) <= 90
    assert seconds_of("Sun, 06 Nov 1994 08:49:37 GMT") == 0.0


@pytest.mark.parametrize(
    "said", ["", "soon", "-3", "1.5", f"Mon, 01 Jan {9**30} 00:00:00 GMT", f"Mon, 01 Jan 2024 00:00:00 +{9**30}"]
)
def test_what_cannot_be_read_says_nothing(said: str) -> None:
    assert seconds_of(said) is None
