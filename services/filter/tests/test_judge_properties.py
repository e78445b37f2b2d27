"""However a text is cut, the same is shown; and it is what the plain, slow reading of the rules says."""

import random
import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filter_service.domain.fold import fold, joins_words
from filter_service.domain.judge import Judge, prepare
from filter_service.domain.policy import Action, Policy
from filter_service.domain.rules.ibans import LENGTHS
from filter_service.domain.rules.terms import spell

TERMS = ("acme", "acme corp", "corp ltd", "c++", "$$", "$$ acme", "résumé", "赌博", "4111", "a")
# hundreds of texts each: a machine that has other work takes its time
pytestmark = pytest.mark.timeout(180)

POLICIES = [
    Policy(terms=TERMS, terms_action=terms_action, cards_action=cards_action, window_chars=37)
    for terms_action in ("redact", "block")
    for cards_action in ("redact", "block", "off")
]
PERSONAL = [
    Policy(
        terms=("acme", "example.com"),
        cards_action="mask",
        iban_action=action,
        email_action=action,
        phone_action=action,
        secrets_action=action,
        window_chars=window_chars,
    )
    for action in ("redact", "mask", "block")
    for window_chars in (37, 120)
]
ACCOUNTS = st.sampled_from(
    [
        *(
            "DE89 3704 0044 0532 0130 00",
            "DE88 3704 0044 0532 0130 00",
            "NO93-8601-1117-947",
            "no9386011117947",
            "DE89",
        ),
        *(" 3704 0044 ", "0532013000", "D\u200bE8\u200b9370400440532013000", "GB29 NWBK 6016 1331 9268 19", "博", "x"),
    ]
)
PERSONAL_PARTS = st.sampled_from(
    [
        *("DE89 3704 0044 0532 0130 00", "NO9386011117947", "de89", "GB29 NWBK ", "6016 1331 9268 19"),
        *("ann@example.com", "ann", "@", "x@acme.io", ".", "b.c.de", "a" * 70),
        *("+49 30 1234567", "+", "030 1234567", "(415) 555-2671", "415-555-2671", "01-02-2024", "0049 ", "1 "),
        *("sk-" + "ab12" * 6, "ghp_" + "ab12" * 8, "lum_", "ab12" * 5, "eyJ", "AKIAIOSFODNN7EXAMPLE", "-----BEGIN "),
        *("RSA PRIVATE KEY-----", "\nMIIE\n", "4111 1111 1111 1111", "acme", "0" * 9, "12"),
        *(" ", "-", "/", "(", ")", "\n", ",", "\u200b", "é", "e\u0301", "ﬁ", "博", "\uff11", "_"),
    ]
)
WORDS = [
    "acme",
    "ACME corp",
    "corp ltd",
    "$$",
    "résumé",
    "re\u0301sume\u0301",
    "赌博",
    " ",
    "  ",
    " " * 30,
    "\u200b" * 30,
]
NUMBERS = ["4111 1111 1111 1111", "4111", "-1111", " 1111", "378282246310005", "30569309025904", "5555555555554444"]
LONG_NUMBERS = ["4000000000000000006", "t1:4111111111111111 ", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "4242-4242-4242-4242"]
CHARS = [
    *"acmeorpltd+$ .,:-_\n1234567890",
    "é",
    "e\u0301",
    "\u200b",
    "\u00a0",
    "ﬁ",
    "İ",
    "赌",
    "博",
    "\uff21",
    "ß",
    "½",
]
FRAGMENTS = st.sampled_from(WORDS + NUMBERS + LONG_NUMBERS + CHARS)
TEXTS = st.lists(FRAGMENTS, max_size=14).map("".join)
CARDS = re.compile(
    r"4(\d{15}|\d{18})"
    r"|(5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}"
    r"|(30[0-5]\d|3095|36\d\d|3[89]\d\d)\d{10}"
    r"|(6011|64[4-9]\d|65\d\d|62\d\d|352[89]|35[3-8]\d|81[0-6]\d|817[01])\d{12,15}"
    r"|(5018|5020|5038|5893|6304|6759|676[123])\d{9,15}"
)


@st.composite
def cut_texts(draw: st.DrawFn) -> list[str]:
    text = draw(TEXTS)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=len(text))))
    return [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]


def cut_randomly(text: str, chance: random.Random) -> list[str]:
    cuts = sorted(chance.sample(range(len(text) + 1), chance.randrange(len(text) + 1)))
    return [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]


def judged(policy: Policy, pieces: list[str]) -> tuple[str, tuple[str, ...], Counter[str]]:
    judge, shown = Judge(prepare(policy)), []
    for piece in pieces:
        shown.append(judge.feed(piece))
        assert judge.held_chars <= policy.window_chars
    shown.append(judge.close())
    assert judge.held_chars == 0
    return "".join(shown), judge.blocked, judge.found


def read_plainly(policy: Policy, text: str) -> tuple[str, tuple[str, ...], Counter[str]]:
    """The rules as written down, tried on every stretch of the text."""
    found, shown, done, counts = _all_matches(policy, text), "", 0, Counter[str]()
    for start in sorted(found):
        shown += text[done:start]
        counts.update(kind for kind, _, _ in found[start])
        if blocking := tuple(kind for kind, action, _ in found[start] if action == "block"):
            return shown, blocking, counts
        shown += "[redacted]" if start >= done else ""
        done = max(done, *(end for _, _, end in found[start]))
    return shown + text[done:], (), counts


def _all_matches(policy: Policy, text: str) -> dict[int, list[tuple[str, Action, int]]]:
    found: dict[int, list[tuple[str, Action, int]]] = {}
    spelled = {spell(term) for term in policy.terms}
    for start in range(len(text)):
        ends = range(start + 1, min(start + policy.window_chars, len(text)) + 1)
        cards = [end for end in ends if _is_card(policy, text, start, end)]
        if cards and policy.cards_action != "off":
            found.setdefault(start, []).append(("card_number", policy.cards_action, max(cards)))
        if policy.iban_action != "off" and (ibans := [end for end in ends if _is_iban(policy, text, start, end)]):
            found.setdefault(start, []).append(("iban", policy.iban_action, max(ibans)))
        if terms := [end for end in ends if _is_term(policy, text, start, end, spelled)]:
            found.setdefault(start, []).append(("blocklist", policy.terms_action, max(terms)))
    return found


def _neighbours(policy: Policy, text: str, start: int, end: int) -> tuple[str, str]:
    """The folded characters beside a stretch; one that lies beyond the window counts as none."""
    behind = next((at for at in range(end, len(text)) if fold(text[at])), len(text))
    in_reach = behind <= start + policy.window_chars
    return fold(text[:start])[-8:], fold(text[behind : behind + 1])[:1] if in_reach else ""


def _is_whole(text: str, start: int, end: int) -> bool:
    return bool(fold(text[start]).strip() and fold(text[end - 1]).strip())


def _is_term(policy: Policy, text: str, start: int, end: int, spelled: set[str]) -> bool:
    before, after = _neighbours(policy, text, start, end)
    if spell(text[start:end]) not in spelled or not _is_whole(text, start, end):
        return False
    inside = fold(text[start:end])
    glued = _glue(before[-1:], inside[0]) or _glue(inside[-1], after)
    return not glued


def _glue(left: str, right: str) -> bool:
    return bool(left and right and joins_words(left) and joins_words(right))


def _is_card(policy: Policy, text: str, start: int, end: int) -> bool:
    inside, (before, after) = fold(text[start:end]), _neighbours(policy, text, start, end)
    if not _is_whole(text, start, end) or not re.fullmatch(r"[0-9](?:[ -]?[0-9])+", inside):
        return False
    if re.search(r"[a-zA-Z][0-9]{1,6}:\Z", before) or any(map(_sticks, (before[-1:], after))):
        return False
    digits = re.sub("[ -]", "", inside)
    doubled = "".join(str(int(digit) * (1 + place % 2)) for place, digit in enumerate(reversed(digits)))
    return sum(map(int, doubled)) % 10 == 0 and CARDS.fullmatch(digits) is not None


def _is_iban(policy: Policy, text: str, start: int, end: int) -> bool:
    inside, (before, after) = fold(text[start:end]), _neighbours(policy, text, start, end)
    country = before[-2:]
    if not _is_whole(text, start, end) or not re.fullmatch(r"[0-9]{2}(?:[ -]?[a-z0-9])+", inside):
        return False
    if country not in LENGTHS or any(map(_sticks, (before[-3:-2], after))):
        return False
    code = re.sub("[ -]", "", inside)
    rest = 0
    for char in code[2:] + country + code[:2]:
        rest = (rest * (10 if char.isdigit() else 100) + int(char, 36)) % 97
    return len(code) + 2 == LENGTHS[country] and rest == 1


def _sticks(char: str) -> bool:
    return char not in ("", "_") and joins_words(char)


@settings(max_examples=400, deadline=None)
@given(policy=st.sampled_from(POLICIES), pieces=cut_texts())
def test_any_cut_shows_the_same_as_the_whole_text(policy: Policy, pieces: list[str]) -> None:
    assert judged(policy, pieces) == judged(policy, ["".join(pieces)])


@settings(max_examples=400, deadline=None)
@given(policy=st.sampled_from(POLICIES), text=TEXTS)
def test_what_is_shown_is_what_the_rules_say(policy: Policy, text: str) -> None:
    assert judged(policy, [text]) == read_plainly(policy, text)


@settings(max_examples=300, deadline=None)
@given(
    action=st.sampled_from(["redact", "block"]),
    window_chars=st.sampled_from([37, 120]),
    parts=st.lists(st.one_of(ACCOUNTS, FRAGMENTS), max_size=8),
)
def test_account_numbers_are_what_the_rule_says(action: Action, window_chars: int, parts: list[str]) -> None:
    policy = Policy(terms=("3704", "acme"), cards_action="off", iban_action=action, window_chars=window_chars)
    text = "".join(parts)
    assert judged(policy, [text]) == read_plainly(policy, text)


@settings(max_examples=500, deadline=None)
@given(policy=st.sampled_from(PERSONAL), parts=st.lists(PERSONAL_PARTS, max_size=12), seed=st.integers(0, 999))
def test_any_cut_hides_the_same_personal_data(policy: Policy, parts: list[str], seed: int) -> None:
    text, chance = "".join(parts), random.Random(seed)
    whole = judged(policy, [text])
    assert judged(policy, list(text)) == whole
    assert all(judged(policy, cut_randomly(text, chance)) == whole for _ in range(3))


@pytest.mark.parametrize("policy", PERSONAL)
def test_500_random_cuts_of_one_answer_show_the_same(policy: Policy) -> None:
    text = (
        "Write to ann@example.com or call +49 30 1234567 (415) 555-2671 by 01-02-2024. Pay 4111 1111 1111 1111 or "
        "DE89 3704 0044 0532 0130 00 with sk-"
        + "ab12" * 40
        + " at acme, é 020 7946 0958.\n-----BEGIN PRIVATE KEY-----\nMI"
    )
    chance, whole = random.Random(11), judged(policy, [text])
    assert all(judged(policy, cut_randomly(text, chance)) == whole for _ in range(500))


@settings(max_examples=200, deadline=None)
@given(pieces=st.lists(st.text(max_size=12), max_size=8))
def test_no_text_breaks_the_judge(pieces: list[str]) -> None:
    policy = Policy(terms=TERMS, window_chars=40)
    assert judged(policy, pieces) == judged(policy, ["".join(pieces)])
