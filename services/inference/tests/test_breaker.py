import pytest

from inference_service.domain.breaker import Breaker, Permit, State


def state(breaker: Breaker) -> State:
    return breaker.state


def permit(breaker: Breaker, now: float) -> Permit:
    admitted = breaker.admit(now)
    assert isinstance(admitted, Permit)
    return admitted


def fail(breaker: Breaker, now: float, times: int = 1, retry_after_s: float | None = None) -> None:
    for _ in range(times):
        breaker.failed(permit(breaker, now), now, retry_after_s)


def succeed(breaker: Breaker, now: float, times: int = 1) -> None:
    for _ in range(times):
        breaker.succeeded(permit(breaker, now), now)


def test_opens_after_three_failures() -> None:
    breaker = Breaker()
    fail(breaker, 1, 2)
    assert state(breaker) == "closed"
    fail(breaker, 2)
    assert state(breaker) == "open"
    assert breaker.admit(3) == pytest.approx(4)


def test_two_workers_leave_a_provider_that_dies_after_long_health_alone_within_twenty_calls() -> None:
    breaker = Breaker()
    succeed(breaker, 1, 500)
    calls = 0
    while state(breaker) == "closed":
        fail(breaker, 1)
        calls += 1
    assert 2 * calls < 20


def test_a_few_failures_among_many_answers_do_not_open() -> None:
    breaker = Breaker()
    for now in range(200):
        succeed(breaker, now / 10, 2)
        fail(breaker, now / 10)
    assert state(breaker) == "closed"


def test_old_failures_are_forgotten() -> None:
    breaker = Breaker()
    fail(breaker, 0, 2)
    fail(breaker, 61)
    assert state(breaker) == "closed"


def test_one_probe_at_a_time_closes_it() -> None:
    breaker = Breaker()
    fail(breaker, 0, 3)
    probe = permit(breaker, 5)
    assert probe.is_probe
    assert breaker.admit(5) == 0.0
    breaker.succeeded(probe, 6)
    assert state(breaker) == "closed"
    fail(breaker, 6, 2)
    assert state(breaker) == "closed", "it begins anew"


def test_each_failed_probe_doubles_the_time_up_to_a_minute() -> None:
    breaker, now, waits = Breaker(), 0.0, []
    fail(breaker, now, 3)
    for _ in range(6):
        wait = breaker.admit(now)
        assert isinstance(wait, float)
        waits.append(wait)
        now += wait
        fail(breaker, now)
    assert waits == pytest.approx([5, 10, 20, 40, 60, 60])


def test_the_time_that_the_provider_asks_for_is_given_at_once() -> None:
    breaker = Breaker()
    fail(breaker, 0, retry_after_s=17)
    assert breaker.admit(1) == pytest.approx(16)
    fail(breaker, 17, retry_after_s=86_400)
    assert breaker.admit(17) == pytest.approx(300)


def test_calls_from_before_neither_close_it_nor_prolong_it() -> None:
    breaker = Breaker()
    early = [permit(breaker, 0) for _ in range(3)]
    fail(breaker, 0, 3)
    breaker.succeeded(early[0], 1)
    breaker.failed(early[1], 4)
    assert breaker.admit(4) == pytest.approx(1)
    breaker.failed(early[2], 4, retry_after_s=10)
    assert breaker.admit(4) == pytest.approx(10)


def test_a_probe_that_shows_nothing_leaves_the_next_one_free() -> None:
    breaker = Breaker()
    fail(breaker, 0, 3)
    probe = permit(breaker, 5)
    breaker.gave_up(probe, 6)
    assert state(breaker) == "open"
    assert permit(breaker, 6).is_probe


def test_a_probe_that_spoke_and_then_broke_counts_as_one_failure() -> None:
    breaker = Breaker()
    fail(breaker, 0, 3)
    probe = permit(breaker, 5)
    breaker.succeeded(probe, 6)
    breaker.failed(probe, 7)
    assert state(breaker) == "closed"
    fail(breaker, 8, 2)
    assert state(breaker) == "open"
