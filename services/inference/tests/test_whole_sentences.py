# ruff: noqa: RUF001 - Chinese marks are meant
"""An answer in pieces as whole sentences."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inference_service.domain import whole_sentences
from inference_service.domain.caveat import caveat
from inference_service.domain.claims import answer_sentences
from inference_service.domain.whole_sentences import WholeSentence, WholeSentences

ANSWER = """Hello Ada! You have 30 days to return it. [1] [2]; a refund takes e.g. 5 days [3]. Nr. 7 opens on 3. May.

We offer:
1. Standard. It takes a week [1].
2. Express (Not confirmed by our documents.)\r
- Das gilt ab dem 3. Mai. Danach nicht. (Durch unsere Unterlagen nicht bestätigt.) Ja? “Yes.” [x] - no
您可以在30天内退货。[1]（我们的资料未能证实这一点。）打折商品不可退货。… ok
"""


def cut(text: str, *places: int) -> list[WholeSentence]:
    """Feed a text in pieces that end at these places."""
    reader, found, at = WholeSentences(), list[WholeSentence](), 0
    for place in sorted({min(place, len(text)) for place in (*places, len(text))}):
        found += reader.feed(text[at:place])
        at = place
    return [*found, *reader.rest()]


def test_wherever_it_is_cut_the_sentences_are_the_same():
    for place in range(len(ANSWER)):
        assert cut(ANSWER, place) == cut(ANSWER)


def test_a_token_at_a_time_gives_what_the_whole_gives():
    found = cut(ANSWER, *range(len(ANSWER)))
    whole = answer_sentences(ANSWER)
    assert [(one.sentence.text, one.sentence.cited, one.sentence.is_hedged) for one in found] == [
        (one.text, one.cited, one.is_hedged) for one in whole
    ]
    assert "".join(one.gap + one.text for one in found) == ANSWER.rstrip()


def test_a_sentence_leaves_with_the_first_sign_of_the_next():
    reader = WholeSentences()
    assert not list(reader.feed("You have 30 days. [1"))
    assert not list(reader.feed("] "))
    assert [one.text for one in reader.feed("Refunds")] == ["You have 30 days. [1]"]
    assert [one.text for one in reader.feed(" take a week.\n")] == ["Refunds take a week."]


PIECES = st.sampled_from(
    [*"ab.!? \n\r[]1,;-…", "3. ", "Mai ", "[1]", "。", "อก", " อ", "e.g. ", *(caveat("en")), caveat("en"), caveat("zh")]
)


@given(st.lists(PIECES, max_size=60).map("".join), st.lists(st.integers(0, 200)))
@example("a. [1", [])
@example("am 3. Ma", [6])
def test_any_text_cut_anywhere_gives_the_same_sentences_and_loses_nothing(text: str, places: list[int]):
    found = cut(text, *places)
    assert found == cut(text)
    assert "".join(one.gap + one.text for one in found) == text[: len("".join(one.gap + one.text for one in found))]
    assert [one.sentence.text for one in found] == [one.text for one in answer_sentences(text)]


@given(st.lists(PIECES, max_size=60).map("".join), st.lists(st.integers(0, 200)))
def test_what_has_no_end_is_cut_at_the_same_place(text: str, places: list[int]):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole_sentences, "LONGEST", 12)
        found = cut(text, *places)
        assert found == cut(text)
        assert all(len(one.text) <= 12 for one in found)
