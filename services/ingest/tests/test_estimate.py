from dataclasses import replace
from datetime import timedelta

import pytest

from ingest_service.domain.document import State
from ingest_service.domain.estimate import Estimate, seconds_left
from runtime.clock import FrozenClock
from services.ingest.tests.promises_documents import NOW, new_document


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


def left_after(clock: FrozenClock, estimate: Estimate, *batches: tuple[int, float]) -> list[int | None]:
    """What is left after each batch, given as the passages that are written and the seconds that it took."""
    said: list[int | None] = []
    for done, seconds in batches:
        clock.advance(seconds)
        expected = estimate.after(done)
        assert expected is None or expected.at > clock.now()
        said.append(None if expected is None else expected.in_s)
    return said


def test_the_first_batch_tells_no_pace(clock):
    assert left_after(clock, Estimate(64, clock), (16, 30.0)) == [None]
    assert left_after(clock, Estimate(64, clock), (16, 30.0), (32, 2.0)) == [None, 4]


def test_what_an_earlier_attempt_wrote_does_not_count(clock):
    assert left_after(clock, Estimate(160, clock), (112, 2.0), (128, 2.0)) == [None, 4]


def test_an_estimate_follows_the_pace_of_all_batches(clock):
    batches = ((16, 1.0), (32, 8.0), (48, 1.0), (64, 1.0), (80, 1.0))
    assert left_after(clock, Estimate(96, clock), *batches) == [None, 32, 14, 7, 3]


def test_after_the_last_batch_nothing_is_left_to_expect(clock):
    assert left_after(clock, Estimate(40, clock), (16, 1.0), (32, 1.0), (40, 0.5)) == [None, 1, None]
    assert left_after(clock, Estimate(16, clock), (16, 1.0)) == [None]


def test_what_comes_behind_is_counted_by_the_same_pace(clock):
    assert left_after(clock, Estimate(10, clock, behind=0.1), (1, 9.0), (2, 2.0), (10, 16.0)) == [None, 18, 2]


def test_what_is_not_more_than_before_tells_no_pace(clock):
    assert left_after(clock, Estimate(10, clock), (2, 1.0), (2, 1.0), (1, 1.0), (4, 1.0)) == [None, None, None, 9]


def test_what_is_left_is_told_while_it_is_embedded_and_the_time_to_come():
    document = new_document(state=State.EMBEDDING, expected_at=NOW + timedelta(seconds=90))
    assert seconds_left(document, NOW) == 90
    assert seconds_left(document, NOW + timedelta(seconds=89.5)) == 1
    assert seconds_left(document, NOW + timedelta(seconds=90)) is None
    assert seconds_left(replace(document, expected_at=None), NOW) is None
    for state in set(State) - {State.PARSING, State.EMBEDDING}:
        assert seconds_left(replace(document, state=state), NOW) is None
