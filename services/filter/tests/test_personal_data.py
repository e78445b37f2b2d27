"""Account numbers, addresses, phone numbers and secrets: found in their usual forms, left alone in others."""

import pytest

from filter_service.domain.judge import Judge, check_input, prepare
from filter_service.domain.policy import Policy
from filter_service.domain.rules.rule import REDACTED
from filter_service.domain.verdict import Allowed, Blocked

REDACT = Policy(cards_action="off", iban_action="redact", email_action="redact", phone_action="redact")
MASK = Policy(cards_action="mask", iban_action="mask", email_action="mask", phone_action="mask", secrets_action="mask")
HEX = "0123456789abcdef0123456789abcdef0123"
# The registry's own examples.
IBANS = (
    "DE89 3704 0044 0532 0130 00",
    "GB29NWBK60161331926819",
    "FR14 2004 1010 0505 0001 3M02 606",
    "NO93 8601 1117 947",
    "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
    "CH93-0076-2011-6238-5295-7",
    "nl91 abna 0417 1643 00",
)
PHONES = (
    "+49 30 1234567",
    "+49 (0)30 123 45 67",
    "+14155552671",
    "+44 20 7946 0958",
    "0049 30 1234567",
    "030 1234567",
    "030/1234567",
    "(030) 1234567",
    "020 7946 0958",
    "07700 900123",
    "015112345678",
    "01 23 45 67 89",
    "01.23.45.67.89",
    "(415) 555-2671",
    "(415)555-2671",
    "415-555-2671",
    "415.555.2671",
    "1-415-555-2671",
)
SECRETS = (
    ("sk-", "proj-" + HEX),
    ("AKIA", "IOSFODNN7EXAMPLE"),
    ("ghp_", HEX),
    ("github_pat_", HEX),
    ("xoxb-", "123456789012-abcdef"),
    ("lum_", HEX),
    ("eyJ", "hbGciOiJIUzI1NiJ9." + HEX * 9 + "." + HEX),
)


def shown(policy: Policy, *pieces: str) -> str:
    judge = Judge(prepare(policy))
    return "".join(map(judge.feed, pieces)) + judge.close()


def both(policy: Policy, text: str) -> str:
    """The text judged whole, and the same character by character."""
    whole = shown(policy, text)
    assert shown(policy, *text) == whole
    return whole


@pytest.mark.parametrize("iban", IBANS)
def test_an_account_number_is_hidden_behind_its_country(iban: str) -> None:
    assert both(REDACT, f"Pay to {iban}.") == f"Pay to {iban[:2]}[redacted]."
    end = "".join(filter(str.isalnum, iban))[-4:]
    assert both(MASK, f"Pay to {iban}.") == f"Pay to {iban[:2]}•••• {end}."


@pytest.mark.parametrize(
    "text",
    [
        "DE88 3704 0044 0532 0130 00",
        "DE89 3704 0044 0532 0130 0",
        "DE89 3704 0044 0532 0130 001",
        "XDE89370400440532013000",
        "XX89 3704 0044 0532 0130 00",
        "It is AT12 in room 5.",
    ],
)
def test_other_codes_are_no_account_numbers(text: str) -> None:
    assert both(REDACT, text) == text


@pytest.mark.parametrize(
    "address",
    ["ann@example.com", "ann.o-b+shop@mail.example.co.uk", "José@exämple.de", "a_1%x@x.io", "ANN@EXAMPLE.COM"],
)
def test_an_address_is_hidden(address: str) -> None:
    assert both(REDACT, f"Write to {address}. Thanks") == "Write to [redacted]. Thanks"
    assert both(MASK, f"<{address}>") == f"<{address[0]}•••@{address.split('@')[1]}>"


@pytest.mark.parametrize(
    "text", ["a @ b.com", "@handle", "me@home", "a@b..com", "x@1.2", "x" * 65 + "@example.com", "a@-b.c"]
)
def test_other_text_is_no_address(text: str) -> None:
    assert both(REDACT, text) == text


def test_an_address_longer_than_the_window_is_cut() -> None:
    address = "a@" + "b" * 50 + ".com." + "c" * 100 + ".com"
    assert both(REDACT, address) == "[redacted]" + address[120:]


def test_only_the_last_word_waits_for_an_address() -> None:
    judge = Judge(prepare(REDACT))
    assert [judge.feed(piece) for piece in ("We", " are", " open", ".")] == ["", "We ", "are ", ""]
    assert judge.feed(" Yes") == "open. "


@pytest.mark.parametrize("phone", PHONES)
def test_a_phone_number_is_hidden(phone: str) -> None:
    assert both(REDACT, f"Call {phone}, or {phone}.") == "Call [redacted], or [redacted]."
    assert both(MASK, f"Call {phone}") == f"Call •••• {''.join(filter(str.isdigit, phone))[-4:]}"


@pytest.mark.parametrize(
    "text",
    [
        "1.234.567,00 EUR",
        "1,234,567.89",
        "$415.555.2671",
        "+15 % since 2019",
        "01.02.2024",
        "01-02-2024 10:30",
        "01 02 2024 1030",
        "2024-01-02 10:30:00",
        "2024-01-02T10:30:00+01:00",
        "09:30 - 18:00",
        "order 4155552671",
        "order 1000234567",
        "#0123456789",
        "order 0001234567",
        "ORD-0123456789",
        "2024-0123456789",
        "A0123456789",
        "0.5 to 0.75",
        "10 000 000 000",
        "192.168.100.200",
        "in 30 days, 2 years, 75 euros since 2024",
        "978-3-16-148410-0",
    ],
)
def test_prices_dates_and_order_numbers_are_no_phone_numbers(text: str) -> None:
    assert both(REDACT, text) == text


@pytest.mark.parametrize(("prefix", "secret"), SECRETS)
def test_a_secret_is_hidden_behind_its_prefix_however_long_it_is(prefix: str, secret: str) -> None:
    assert both(Policy(), f"Use {prefix}{secret}, please") == f"Use {prefix}[redacted], please"
    assert both(MASK, f"Use {prefix}{secret}") == f"Use {prefix}••••"
    assert both(Policy(secrets_action="off"), prefix + secret) == prefix + secret


def test_a_private_key_goes_with_its_lines() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow+/x==\nABCD\n-----END RSA PRIVATE KEY-----"
    assert both(Policy(), key) == "-----[redacted]-----END RSA PRIVATE KEY-----"
    assert both(Policy(), "-----BEGIN PUBLIC KEY-----\nMIIEow") == "-----BEGIN PUBLIC KEY-----\nMIIEow"


@pytest.mark.parametrize("text", ["sk-SK", "task-" + HEX, "ghp_short", "skills", "lum_x", "eyJhbGci", "AKIA"])
def test_other_words_are_no_secrets(text: str) -> None:
    assert both(Policy(), text) == text


def test_by_default_the_shops_own_address_and_number_are_shown() -> None:
    text = "Write to help@example.com, call +49 30 1234567, pay to DE89 3704 0044 0532 0130 00."
    assert both(Policy(), text) == text


@pytest.mark.parametrize("word", ["We", " a", " sk", " ask", " is", " AT", "-", "x_", " 30"])
def test_no_word_waits_for_a_secret_or_an_account_number(word: str) -> None:
    assert Judge(prepare(Policy(cards_action="off", iban_action="redact"))).feed(word) == word


def test_a_mask_never_shows_what_another_rule_hides() -> None:
    masks = Policy(terms=("acme.com", "1111"), cards_action="mask", email_action="mask")
    assert both(masks, "ann@acme.com, 4111 1111 1111 1111") == "[redacted], [redacted]"
    assert both(MASK, "4111 1111 1111 1111") == "•••• 1111"


def test_a_blocked_kind_is_named() -> None:
    for action, text, kind in (
        ("iban_action", IBANS[0], "iban"),
        ("email_action", "ann@example.com", "email_address"),
        ("phone_action", "+49 30 1234567", "phone_number"),
        ("secrets_action", "ghp_" + HEX, "secret"),
    ):
        policy = Policy(**{action: "block"})  # type: ignore[arg-type] # the names are those of fields.
        assert check_input(prepare(policy), f"It is {text}") == Blocked((kind,))
    assert check_input(prepare(MASK), f"{IBANS[0]} ann@example.com") == Allowed()


def test_a_secret_that_ends_with_a_piece_goes_on_with_the_next() -> None:
    judge = Judge(prepare(Policy()))
    assert [judge.feed(piece) for piece in (" ghp_" + HEX, HEX, "", HEX + " ok")] == [" ghp_[redacted]", "", "", " ok"]
    assert judge.found == {"secret": 1}
    assert REDACTED in shown(Policy(), "lum_" + HEX)
