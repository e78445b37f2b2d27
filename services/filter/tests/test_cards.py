import random

import pytest

from filter_service.domain.judge import Judge, prepare
from filter_service.domain.policy import Policy

# Numbers that the networks and payment processors publish for testing.
CARDS = [
    "4111111111111111",
    "4242424242424242",
    "4000000000000000006",
    "5555555555554444",
    "5105105105105100",
    "2223003122003222",
    "2720999999999996",
    "378282246310005",
    "341111111111111",
    "6011111111111117",
    "6445644564456445",
    "6500000000000002",
    "3530111333300000",
    "3566002020360505",
    "30569309025904",
    "36227206271667",
    "38520000023237",
    "6240008631401148",
    "6205500000000000004",
    "6759649826438453",
    "6304000000000000",
]


def wide(text: str) -> str:
    """The full-width look-alikes of ASCII characters."""
    return "".join(chr(ord(char) + 0xFEE0) for char in text)


def shown(*pieces: str) -> str:
    judge = Judge(prepare(Policy()))
    return "".join(map(judge.feed, pieces)) + judge.close()


@pytest.mark.parametrize("card", CARDS)
def test_a_card_number_is_redacted_in_every_writing(card: str) -> None:
    groups = [card[at : at + 4] for at in range(0, len(card), 4)]
    for text in (card, " ".join(groups), "-".join(groups), "\u2011".join(groups), "\u00a0".join(groups)):
        assert shown(f"It is {text}.") == "It is [redacted]."
        assert shown(*f"It is {text}.") == "It is [redacted]."
        assert shown(text) == "[redacted]"


@pytest.mark.parametrize("card", CARDS)
def test_a_wrong_check_digit_is_no_card(card: str) -> None:
    text = card[:-1] + str((int(card[-1]) + 1) % 10)
    assert shown(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111x",
        "x4111111111111111",
        "04111111111111111",
        "41111111111111110",
        "4111  1111 1111 1111",
        "4111 - 1111 1111 1111",
        "4111\n1111\n1111\n1111",
        "4111.1111.1111.1111",
        "9111111111111111",  # no issuer
        "411111111111116",  # Visa has no 15 digits, though the check digit is right
        "0000000000000000",
        "t12:4111111111111111 ",
        "é4111111111111111",
    ],
)
def test_other_numbers_pass(text: str) -> None:
    assert shown(text) == text
    assert shown(*text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1:4111111111111111", "1:[redacted]"),
        ("at 10:4111111111111111", "at 10:[redacted]"),
        ("4111 1111 1111 1111 123", "[redacted] 123"),
        ("5 4111 1111 1111 1111", "5 [redacted]"),
        ("12: 4111111111111111", "12: [redacted]"),
        ("no:4111111111111111", "no:[redacted]"),
        ("_4111111111111111_", "_[redacted]_"),
        ("卡号4111111111111111是", "卡号[redacted]是"),
        ("4111111111111111,5555555555554444", "[redacted],[redacted]"),
        (wide("4111111111111111"), "[redacted]"),
        ("4111\u200b111111111111", "[redacted]"),
    ],
)
def test_neighbours_that_leave_a_card_a_card(text: str, expected: str) -> None:
    assert shown(text) == expected
    assert shown(*text) == expected


def test_stamped_tokens_pass_at_once_whatever_their_digits() -> None:
    judge, chance = Judge(prepare(Policy())), random.Random(7)
    stamps = [card for card in CARDS for _ in range(3)]
    stamps += [str(chance.randrange(10 ** chance.randrange(9, 20))) for _ in range(3_000)]
    for seq, stamp in enumerate(stamps):
        piece = f"t{seq}:{stamp} "
        assert judge.feed(piece) == piece
        assert judge.held_chars == 0
    assert not judge.found


@pytest.mark.parametrize(
    ("piece", "held"),
    [
        ("In 2024", 0),  # no issuer begins with 20
        ("at 9", 0),
        ("within 30", 2),  # 300 to 305 is Diners Club
        ("within 30 ", 3),
        ("within 30 d", 0),
        ("31", 0),
        ("555-0123", 8),
        ("4111111111111112", 16),  # may become one of 19 digits
        ("5555555555554445", 0),  # has its 16 digits, and the check digit is wrong
        ("378282246310005", 15),  # complete: only what touches it is not known
        ("4" * 20, 0),
    ],
)
def test_digits_wait_only_while_they_may_become_a_card(piece: str, held: int) -> None:
    judge = Judge(prepare(Policy()))
    assert judge.feed(piece) == piece[: len(piece) - held]
    assert judge.held_chars == held


def test_digits_out_of_reach_touch_no_card() -> None:
    far = "4111111111111111" + "\u200b" * 110 + "4"
    assert shown(far) == shown(*far) == "[redacted]" + "\u200b" * 110 + "4"


def test_cards_can_be_left_alone() -> None:
    judge = Judge(prepare(Policy(cards_action="off")))
    assert judge.feed("4111111111111111") == "4111111111111111"
