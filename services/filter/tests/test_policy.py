import pytest

from filter_service.domain.errors import TermEmpty, TermTooLong, TooManyTerms, WindowOutOfRange
from filter_service.domain.policy import Policy


def test_the_default_redacts_cards_and_knows_no_terms() -> None:
    policy = Policy()
    assert (policy.version, policy.terms, policy.cards_action) == (0, (), "redact")


def test_a_term_longer_than_the_window_is_refused() -> None:
    Policy(terms=("x" * 40,), window_chars=40)
    with pytest.raises(TermTooLong, match=r"Term 2 has 41 characters, more than the window of 40"):
        Policy(terms=("fine", "x" * 41), window_chars=40)


def test_the_longest_spelling_of_a_term_must_fit() -> None:
    with pytest.raises(TermTooLong):
        Policy(terms=("é" * 40,), window_chars=40)


def test_too_many_terms_are_refused() -> None:
    Policy(terms=tuple(f"term{n}" for n in range(1_000)))
    with pytest.raises(TooManyTerms, match="1001 terms"):
        Policy(terms=tuple(f"term{n}" for n in range(1_001)))


@pytest.mark.parametrize("term", ["", "  ", "\u200b", "\u00a0\n"])
def test_a_term_nobody_could_see_is_refused(term: str) -> None:
    with pytest.raises(TermEmpty):
        Policy(terms=(term,))


@pytest.mark.parametrize("window_chars", [0, 36, 401])
def test_a_window_must_hold_a_card_and_not_stall_the_reader(window_chars: int) -> None:
    with pytest.raises(WindowOutOfRange):
        Policy(window_chars=window_chars)


def test_a_refusal_tells_the_caller_that_the_request_is_not_valid() -> None:
    with pytest.raises(TermEmpty) as refusal:
        Policy(terms=("",))
    assert refusal.value.code == "invalid_request"
    assert refusal.value.as_failure().detail == "Term 1 has no visible character; remove it."
