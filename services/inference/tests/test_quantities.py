# ruff: noqa: RUF001 - Chinese marks are meant
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_service.domain.quantities import Quantity, firm, missing, quantities, readings


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
        ("at 9:30", "en", {("9:30", "")}),
        ("the A4 and the DGKK1", "en", set()),
        ("the OCT3/4, a USB3.1 plug and 3 cables", "en", {("3", "")}),
        ("open 9 a.m. to 6 p.m.", "en", {("9:00", "am"), ("6:00", "pm")}),
        ("von 9 bis 18.30 Uhr", "de", {("9:00", ""), ("6:30", "pm")}),
        ("until 22:45, or 20 Uhr", "de", {("10:45", "pm"), ("8:00", "pm")}),
        ("raum 3 am ende", "de", {("3", "")}),
        ("ouvert dès 9h30", "fr", {("9:30", "")}),
        ("下午6点半关门", "zh", {("6:30", "pm")}),
        ("3 مساء", "ar", {("3:00", "pm")}),
        ("1,5 millones de euros", "es", {("1500000", "EUR")}),
        ("thirty thousand people", "en", {("30000", "")}),
        ("70 000 Werke", "de", {("70000", "")}),
        ("twenty-five days and a two-year warranty", "en", {("25", "day"), ("2", "year")}),
        ("500万美元，百分之二十，三十天", "zh", {("5000000", "USD"), ("20", "%"), ("30", "day")}),
        ("一些三元组", "zh", set()),
        ("5月3日周三", "zh", {("5", "month name"), ("3", "day"), ("3", "weekday")}),
        ("ثلاثة أيام في أيلول", "ar", {("3", "day"), ("9", "month name")}),
        ("in the 1980s", "en", {("1980", "decade")}),
        ("siglo XIX", "es", {("19", "")}),
        ("1998-99", "en", {("1998", ""), ("1999", "")}),
        ("mais montags", "fr", set()),
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


@pytest.mark.parametrize(
    ("one", "language", "other", "written", "is_same"),
    [
        ("6 p.m.", "en", "18:00", "es", True),
        ("6 p.m.", "en", "6 a.m.", "en", False),
        ("11:30 p.m.", "en", "23:30", "de", True),
        ("9 a.m. to 6 p.m.", "en", "de 9 a 18", "es", True),
        ("9 a.m. to 7 p.m.", "en", "de 9 a 18", "es", False),
        ("the 1980s", "en", "los años 80", "es", True),
        ("the 1970s", "en", "los años ochenta", "es", False),
        ("the 1970s", "en", "the 1870s", "en", False),
        ("the 1970s", "en", "0 of 5", "en", False),
    ],
)
def test_times_and_decades_are_the_same_however_they_are_written(
    one: str, language: str, other: str, written: str, *, is_same: bool
):
    assert bool(missing(quantities(one, language), quantities(other, written))) != is_same


def test_a_translation_keeps_figures_and_what_is_measured():
    assert firm("both tents, two of them in 3 colours for two weeks", "en") == {
        Quantity("3", ""),
        Quantity("2", "week"),
    }
    assert Quantity("1", "") in readings("一些", "zh")
    assert quantities("一些", "zh") == frozenset()


@given(st.text(max_size=80), st.sampled_from(["en", "de", "zh", "ar", "und"]))
def test_any_text_can_be_read_and_has_what_it_says(text: str, language: str):
    found = quantities(text, language)
    assert not missing(found, found)


@pytest.mark.parametrize("sign", ["a", "é", "1", "1,", "9 a"])
def test_a_word_without_end_is_read_in_one_pass(sign: str):
    assert Quantity("30", "day") in quantities(sign * 100_000 + " for 30 days", "en")
