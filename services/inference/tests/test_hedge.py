"""When a second call is made: after what silence, and how often."""

import random

import pytest

from inference_service.domain.hedge import Hedge, Limits


def taught(*silences_s: float, at: float = 0.0) -> Hedge:
    hedge = Hedge()
    for silence_s in silences_s:
        hedge.heard(silence_s, at)
    return hedge


def test_nothing_is_known_before_twenty_calls_were_heard() -> None:
    hedge = taught(*[1.0] * 19)
    assert hedge.after_s(0) is None
    hedge.heard(1.0, 0)
    assert hedge.after_s(0) == 1.0


def test_the_silence_is_the_one_that_95_percent_keep_below() -> None:
    assert taught(*(n / 10 for n in range(1, 101))).after_s(0) == 9.5


def test_the_silence_has_a_floor() -> None:
    assert taught(*[0.02] * 50).after_s(0) == 0.3


def test_only_the_last_ten_minutes_and_two_hundred_calls_count() -> None:
    hedge = taught(*[9.0] * 200)
    assert hedge.after_s(600) == 9.0
    assert hedge.after_s(601) is None
    for _ in range(200):
        hedge.heard(1.0, 500)
    assert hedge.after_s(600) == 1.0


def test_a_second_call_is_earned_by_twenty_calls() -> None:
    hedge = Hedge()
    for _ in range(19):
        hedge.called()
        assert not hedge.may_spend()
    hedge.called()
    assert hedge.may_spend()
    assert not hedge.may_spend()


def test_a_quiet_hour_saves_up_three() -> None:
    hedge = Hedge()
    for _ in range(10_000):
        hedge.called()
    assert [hedge.may_spend() for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize("seed", range(20))
def test_never_more_than_five_percent_of_the_calls_up_to_any_moment(seed: int) -> None:
    hedge, dice, spent = Hedge(), random.Random(seed), 0
    for calls in range(1, 2_000):
        hedge.called()
        while dice.random() < 0.7:
            spent += hedge.may_spend()
            assert spent * 20 <= calls
    assert spent > 80, "what was earned is spent"


def test_the_share_follows_its_setting() -> None:
    hedge = Hedge(Limits(calls_each=1, saved=1))
    hedge.called()
    hedge.called()
    assert hedge.may_spend()
    assert not hedge.may_spend()
