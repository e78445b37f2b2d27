import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_service.domain.quantities import Quantity, missing, quantities


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("within 30 days", "en", {("30", "day")}),
        ("within thirty days", "en", {("30", "day")}),
        ("5 working days", "en", {("5", "day")}),
        ("€1,000.50 or 1.000,50 EUR", "en", {("1000.5", "EUR")}),
        ("9,90 €", "de", {("9.9", "EUR")}),
        ("zwölf Monate", "de", {("12", "month")}),
        ("１０天", "zh", {("10", "day")}),
        ("运费10元", "zh", {("10", "CNY")}),
        ("خلال ٣٠ يوما", "ar", {("30", "day")}),
        ("20 % off", "en", {("20", "%")}),
        ("on 3 March", "en", {("3", ""), ("3", "month name")}),
        ("you may march on", "en", set()),
        ("am Montag", "de", {("1", "weekday")}),
        ("at 9:30", "en", {("9", ""), ("30", "")}),
        ("the A4 and the DGKK1", "en", set()),
        ("the OCT3/4, a USB3.1 plug and 3 cables", "en", {("3", "")}),
        ("2024.05.01", "en", {("2024", ""), ("5", ""), ("1", "")}),
    ],
)
def test_quantities_are_read_whatever_way_they_are_written(text: str, language: str, found: set[tuple[str, str]]):
    assert quantities(text, language) == {Quantity(*one) for one in found}


def test_another_number_or_another_unit_is_missing():
    there = quantities("within 30 days for 5 €", "en")
    assert not missing(quantities("30 days", "en"), there)
    assert missing(quantities("45 days", "en"), there) == {Quantity("45", "day")}
    assert missing(quantities("30 weeks", "en"), there) == {Quantity("30", "week")}
    assert missing(quantities("$5", "en"), there) == {Quantity("5", "USD")}


def test_a_unit_that_one_side_leaves_out_is_taken_to_be_the_same():
    assert not missing(quantities("it is 30", "en"), quantities("30 days", "en"))


@given(st.text(max_size=80), st.sampled_from(["en", "de", "zh", "ar", "und"]))
def test_any_text_can_be_read_and_has_what_it_says(text: str, language: str):
    found = quantities(text, language)
    assert not missing(found, found)


@pytest.mark.parametrize("sign", ["a", "é", "1", "1,", "9 a"])
def test_a_word_without_end_is_read_in_one_pass(sign: str):
    assert Quantity("30", "day") in quantities(sign * 100_000 + " for 30 days", "en")
