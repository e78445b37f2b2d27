import pytest

from inference_service.domain.other_language import other_language, shares_words

ENGLISH = "You can return the jacket within 30 days of the delivery if it was not used."
GERMAN = "Sie können die Jacke innerhalb von 30 Tagen nach der Lieferung zurückgeben, wenn sie nicht getragen wurde."
CHINESE = "收货后30天内可以退回夹克。"


@pytest.mark.parametrize(
    ("text", "language", "other"),
    [
        (ENGLISH, "de", "en"),
        (ENGLISH, "zh", "en"),
        (ENGLISH, "en", ""),
        (ENGLISH, "und", ""),
        (GERMAN, "en", "de"),
        (CHINESE, "en", "zh"),
        ("Drizzle, AX-200: 219 €", "es", ""),
        (f"{ENGLISH} {GERMAN}", "de", ""),
        (f"{ENGLISH} {CHINESE}", "zh", ""),
    ],
)
def test_only_what_is_surely_in_another_language_is_told_to_be(text: str, language: str, other: str):
    assert other_language(text, language) == other


def test_an_answer_may_have_names_in_other_letters():
    assert other_language("Drizzle夹克M码重380克", "en") == ""
    assert other_language("Drizzle夹克M码重380克", "en", certain=1) == "zh"


def test_a_language_that_is_not_known_is_the_same_where_it_says_the_same():
    danish = "Du kan returnere varen inden for 30 dage efter levering, hvis den er ubrugt."
    assert shares_words("Varen kan du returnere inden for 30 dage efter levering.", danish)
    assert not shares_words("You may send the jacket back within 30 days after delivery.", danish)
    assert not shares_words("Amazon, Ikea, Lidl.", "Amazon, Ikea, Lidl.")
