import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_service.domain.claims import admits, answer_sentences, is_claim
from inference_service.domain.note import NOTES
from inference_service.domain.refusal import REFUSALS


def said(content: str) -> list[tuple[str, tuple[int, ...], bool]]:
    return [(one.text, one.cited, one.is_claim) for one in answer_sentences(content)]


def test_a_citation_belongs_to_the_sentence_it_follows_before_or_after_the_full_stop():
    assert said("Returns take 30 days [1]. Refunds take a week. [2][3] Ask us again?") == [
        ("Returns take 30 days.", (1,), True),
        ("Refunds take a week.", (2, 3), True),
        ("Ask us again?", (), False),
    ]


def test_places_are_those_of_the_answer():
    content = "Yes.\n\n- Parcels leave on Monday. [2]\n- Tents weigh 1.9 kg [1]\n"
    assert [content[one.start : one.end] for one in answer_sentences(content)] == [
        "Yes.",
        "Parcels leave on Monday. [2]",
        "Tents weigh 1.9 kg [1]",
    ]


def test_a_citation_never_reaches_into_another_line():
    assert [cited for _, cited, _ in said("One thing is so.\n[2] Another thing is so.")] == [(), (2,)]


@pytest.mark.parametrize("sentence", sorted(REFUSALS))
def test_saying_that_nothing_was_found_claims_nothing(sentence: str):
    (told,) = answer_sentences(sentence)
    assert not told.is_claim
    assert admits(told.text)


@pytest.mark.parametrize(
    "text",
    [
        "Hello Ada!",
        "Thank you for your patience with us today.",
        "Yes.",
        "Let me know if you need anything else.",
        "I can pass your question on to a colleague.",
        "Would you like a refund or another item?",
        "Here is what our documents say about returns:",
        "Vielen Dank für Ihre Nachricht und Ihr Vertrauen.",
        "N\u2019hésitez pas à nous écrire pour d\u2019autres questions.",
        "谢谢您的耐心等待。",
        "1.",
    ],
)
def test_courtesies_questions_and_lead_ins_claim_nothing(text: str):
    assert not is_claim(text)


@pytest.mark.parametrize(
    "text",
    [
        "Sale items are refunded too.",
        "Sure, the standard shipping is free of charge.",
        "Hikers get the parcel at home.",
        "Thanks to our policy you have 45 days.",
        "Die Garantie deckt Wasserschäden ab.",
        "运费由我们承担。",
    ],
)
def test_a_statement_claims_something_however_it_begins(text: str):
    assert is_claim(text)


def test_what_cites_claims_something():
    assert is_claim("Thank you for your order of the tent.", (1,))


@given(st.text(alphabet=st.sampled_from("ab .?!\n[]123,- 。อ"), max_size=120))
def test_sentences_lie_in_order_within_the_answer(content: str):
    at = 0
    for one in answer_sentences(content):
        assert at <= one.start < one.end <= len(content)
        at = one.end


def test_the_note_that_little_could_be_compared_claims_nothing():
    for note in NOTES:
        assert said(f"[1]\n\n{note}")[-1] == (note, (), False)
