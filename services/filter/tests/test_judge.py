import pytest

from filter_service.domain.judge import Judge, check_input, prepare
from filter_service.domain.policy import Policy
from filter_service.domain.verdict import Allowed, Blocked

CARD = "4111 1111 1111 1111"


def judge_of(policy: Policy) -> Judge:
    return Judge(prepare(policy))


def test_a_word_that_begins_no_term_never_waits() -> None:
    judge = judge_of(Policy(terms=("acme corp", "bad")))
    for piece in ("We", " are", " happy", " to", " help", ",", " 20", " years", "."):
        assert judge.feed(piece) == piece


def test_only_the_tail_that_may_become_a_term_waits() -> None:
    judge = judge_of(Policy(terms=("acme corp",)))
    assert judge.feed("Ask A") == "Ask "
    assert judge.feed("cme") == ""
    assert judge.feed(" co") == ""
    assert judge.held_chars == 7
    assert judge.feed("lor") == "Acme color"


def test_a_term_at_the_end_is_found_at_close() -> None:
    judge = judge_of(Policy(terms=("acme",)))
    assert judge.feed("by acme") == "by "
    assert judge.close() == "[redacted]"


def test_a_prefix_that_stays_one_is_released_at_close() -> None:
    judge = judge_of(Policy(terms=("acme corp",)))
    assert judge.feed("by acme") == "by "
    assert judge.close() == "acme"


def test_a_blocked_stream_says_why_and_releases_nothing_more() -> None:
    judge = judge_of(Policy(terms=("acme",), terms_action="block"))
    assert judge.feed("Try ") == "Try "
    assert judge.feed("acme today") == ""
    assert judge.blocked == ("blocklist",)
    assert judge.feed("more") == ""
    assert judge.close() == ""
    assert judge.found == {"blocklist": 1}


def test_what_stands_before_a_blocked_match_is_shown() -> None:
    judge = judge_of(Policy(cards_action="block"))
    assert judge.feed(f"Your card is {CARD}.") == "Your card is "
    assert judge.blocked == ("card_number",)


def test_a_match_that_blocks_wins_over_a_redaction_it_overlaps() -> None:
    judge = judge_of(Policy(terms=("card 4111",), cards_action="block"))
    assert judge.feed(f"card {CARD}.") == "[redacted]"
    assert judge.blocked == ("card_number",)


def test_a_card_that_a_term_overlaps_leaves_no_digits_behind() -> None:
    judge = judge_of(Policy(terms=("card 4111",)))
    assert judge.feed(f"card {CARD}, ok") == "[redacted], ok"
    assert judge.found == {"blocklist": 1, "card_number": 1}


def test_without_rules_everything_passes() -> None:
    judge = judge_of(Policy(cards_action="off"))
    assert judge.feed(CARD) == CARD
    assert judge.close() == ""


def test_empty_and_invisible_pieces_change_nothing() -> None:
    judge = judge_of(Policy(terms=("acme",)))
    assert judge.feed("") == ""
    assert judge.feed("\u200b") == "\u200b"
    assert judge.feed("a") == ""
    assert judge.feed("") == ""
    assert judge.feed("\u200bcme!") == "[redacted]!"


@pytest.mark.parametrize("window_chars", [40, 64])
def test_invisible_characters_cannot_stretch_the_window(window_chars: int) -> None:
    judge = judge_of(Policy(terms=("acme",), window_chars=window_chars))
    assert judge.feed("acme") == ""
    for _ in range(window_chars):
        judge.feed("\u200b")
        assert judge.held_chars <= window_chars
    assert judge.feed("x") == "x"


def test_an_input_is_blocked_by_rules_that_block() -> None:
    bench = prepare(Policy(terms=("acme",), terms_action="block"))
    assert check_input(bench, "What about ACME?") == Blocked(("blocklist",))
    assert check_input(bench, "What about acmes?") == Allowed()
    assert check_input(bench, f"My card is {CARD}") == Allowed()


def test_an_input_is_not_blocked_by_rules_that_redact() -> None:
    assert check_input(prepare(Policy(terms=("acme",))), "acme") == Allowed()
    assert check_input(prepare(Policy(cards_action="block")), CARD) == Blocked(("card_number",))
