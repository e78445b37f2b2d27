"""Moves of a conversation between the machine and people: whatever is said, in whatever order, and twice."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.ids import UserId, uuid7
from inference_service.domain.standing import (
    CUSTOMER_ASKED,
    Move,
    Standing,
    assigned,
    escalated,
    handed_back,
    handed_over,
    reopened,
    resolved,
    spoken,
)
from runtime.errors import Conflict

ADA, GRACE = UserId(uuid7()), UserId(uuid7())
MOVES: dict[str, Move] = {
    "escalate": lambda standing: escalated(standing, "asked"),
    "hand_over": lambda standing: handed_over(standing, "unsupported", is_told=True),
    "told": lambda standing: handed_over(standing, None, is_told=True),
    "assign": lambda standing: assigned(standing, ADA, is_take_over=True),
    "assign_other": lambda standing: assigned(standing, GRACE, is_take_over=True),
    "speak": lambda standing: spoken(standing, ADA),
    "hand_back": handed_back,
    "resolve": resolved,
    "reopen": reopened,
}
WAITING = escalated(Standing(), "asked")


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=30))
def test_whatever_happens_somebody_answers_and_nobody_is_too_late(names: list[str]) -> None:
    standing = Standing()
    for name in names:
        after = MOVES[name](standing)
        assert (after.assignee is not None) == (after.status == "with_person")
        assert after.epoch >= standing.epoch
        assert after.is_with_people or not after.is_told, "told of a person whom nobody called"
        if after.is_with_people != standing.is_with_people or (after.status == "resolved") > (
            standing.status == "resolved"
        ):
            assert after.epoch > standing.epoch, "the other side could still store what it began"
        if name != "speak":
            assert MOVES[name](after) == after, "said twice it is the same"
        assert replace(MOVES[name](after), epoch=0) == replace(after, epoch=0)
        standing = after


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=30))
def test_from_anywhere_a_person_can_take_it_and_the_machine_have_it_back(names: list[str]) -> None:
    standing = Standing()
    for name in names:
        standing = MOVES[name](standing)
    taken = assigned(standing, ADA, is_take_over=True)
    assert (taken.status, taken.assignee) == ("with_person", ADA)
    assert handed_back(taken).status == "active"
    assert reopened(resolved(taken)).status == "reopened"


def test_who_comes_second_is_told_unless_they_take_it_over() -> None:
    taken = assigned(WAITING, ADA)
    with pytest.raises(Conflict):
        assigned(taken, GRACE)
    assert assigned(taken, GRACE, is_take_over=True).assignee == GRACE
    assert spoken(taken, GRACE).assignee == ADA


def test_a_resolved_conversation_tells_its_customer_anew() -> None:
    told = handed_over(WAITING, None, is_told=True)
    assert told.is_told
    assert assigned(told, ADA).is_told
    assert not escalated(reopened(resolved(told)), "again").is_told


def test_the_reason_stays_while_people_have_it() -> None:
    assert assigned(WAITING, ADA).reason == "asked"
    assert escalated(assigned(WAITING, ADA), "other").reason == "asked"
    assert assigned(Standing(), ADA).reason == ""


def test_a_notice_that_comes_when_nobody_has_it_promises_nothing_for_later() -> None:
    again = reopened(resolved(assigned(WAITING, ADA)))
    late = handed_over(again, None, is_told=True)
    assert late == again
    assert handed_over(late, CUSTOMER_ASKED, is_told=True).status == "waiting_for_person"
